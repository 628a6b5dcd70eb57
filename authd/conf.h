/* SPDX-License-Identifier: ISC */
/*
 * The configuration of authd.  One table in conf.c lists every key with its
 * type, default, bounds and the processes that may know it; parsing,
 * printing (-nv) and sending to children all walk it.  Groups and access
 * rules are lists of maps and are handled in conf_access.c.
 *
 * Plain data; strings are owned by the struct, NULL when unset.  Durations
 * are milliseconds, sizes are bytes.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "buf.h"
#include "http.h"
#include "log.h"
#include "throttle.h"

#define CONF_MAX_LIST	1024		/* entries of a list of strings */
#define CONF_MAX_GROUPS	1024
#define CONF_MAX_MEMBERS 65536		/* users of all groups together */
#define CONF_MAX_MEMBER_BYTES (1 << 20)	/* and of their names */

struct acl;
struct htgroup;
struct acl_rule;
struct msg;
struct msg_chan;
struct yamldoc;
struct yaml_node;

struct conf_list {			/* list of strings */
	char		**items;
	size_t		 n;
};

struct conf_pairs {			/* log.fields: name and value */
	struct conf_pair {
		char	*name;
		char	*value;
	}		*items;
	size_t		 n;
};

struct conf_group {
	char		*name;
	struct conf_list users;
};

struct conf_token_key {			/* beside token.key */
	char		*name;
	char		*key, *certificate;	/* files; key may be NULL */
	bool		 sign;			/* else it is only published */
};

struct conf_service {
	char		*algorithm;		/* NULL: of the first key */
	char		*kid;			/* see claims.h */
	bool		 x5c;
	uint64_t	 lifetime_ms, backdate_ms; /* or CONF_DEFAULT */
};
#define CONF_DEFAULT	UINT64_MAX		/* that of token.* */

struct conf_ldap {
	struct conf_list uris;		/* none: no LDAP */
	char		*tls;		/* of ldap://: "starttls" or "none" */
	bool		 allow_plaintext;
	char		*ca, *bind_password_file;	/* file names */
	char		*bind_dn;
	char		*mode;		/* "search" or "template" */
	char		*base, *filter, *user_attr, *template;
	char		*groups_mode, *groups_base, *groups_filter;
	char		*groups_name_attr;
	bool		 groups_nested;
	char		*require_group;
	bool		 ppolicy;
	uint64_t	 connect_ms, operation_ms, total_ms;
	uint64_t	 verifiers;
	char		*user;
};

struct conf_pam {
	bool		 configured;	/* there is a map "pam" */
	char		*service, *confdir;
	uint64_t	 timeout_ms;	/* of one check */
	uint64_t	 min_uid;	/* 0: all, even without account */
	bool		 groups;	/* those of the system count */
	uint64_t	 recycle;	/* checks of one helper */
	uint64_t	 verifiers;
	char		*user;
};

struct conf_credentials {
	char		*database;	/* file name; NULL: none are kept */
	char		*control;	/* of the socket */
	char		*user;
	uint64_t	 lifetime_ms;	/* of new ones; 0: without end */
	uint64_t	 max_lifetime_ms;	/* 0: no maximum */
	uint64_t	 refresh_ms;	/* of refresh tokens; 0: off */
	uint64_t	 cache_ms;
};

struct conf_expect {
	char		*user;			/* NULL: anonymous */
	struct conf_list groups;		/* beside the configured */
	char		*network;		/* the client's address */
	char		*service;		/* NULL: the only one */
	char		*scope, *grants;
	unsigned	 line;
};

struct authd_conf {
	char		*name;			/* of the file, for messages */

	/* what it listens on */
	char		*listen, *net;		/* net: "tcp" or "unix" */
	char		*tls_certificate, *tls_key, *tls_minimum;

	/* tokens */
	char		*issuer, *realm;
	struct conf_list services;		/* names */
	struct conf_service *profiles;		/* one for each of them */
	struct conf_token_key *keys;
	size_t		 nkeys;
	char		*token_key, *token_certificate;	/* file names */
	uint64_t	 token_lifetime_ms, token_backdate_ms;

	/* users and what they may do */
	char		*htpasswd, *htgroup;	/* file names */
	struct htgroup	*file_groups;		/* what is in htgroup, once
						   it has been read */
	struct conf_list backends;		/* in the order of asking */
	struct conf_group *groups;
	size_t		 ngroups;
	struct acl_rule	*rules;			/* in order; see acl.h */
	size_t		 nrules;
	struct conf_expect *expects;
	size_t		 nexpects;

	/* processes */
	uint64_t	 workers, verifiers;
	char		*user, *broker_user, *verifier_user, *signer_user;
	uint64_t	 drain_timeout_ms;

	/* log */
	enum log_level	 log_level;
	enum log_format	 log_format;
	bool		 accesslog;
	char		*log_audit;		/* file name */
	struct conf_pairs log_fields;

	/* limits */
	struct http_limits http;
	uint64_t	 max_body;		/* of a POST */
	uint64_t	 check_timeout_ms;	/* of one, with waiting */
	uint64_t	 check_queue;		/* checks waiting, at most */
	uint64_t	 cache_size;		/* credentials, 0: no cache */
	uint64_t	 cache_ttl_ms;
	uint64_t	 grace_ms;		/* 0: none */

	/* who asks, and how often */
	struct conf_list proxies;		/* networks, or "unix" */
	char		*proxy_header;
	struct throttle_conf throttle;

	struct conf_ldap ldap;
	struct conf_pam	 pam;
	struct conf_credentials credentials;
};

/*
 * Read a file.  NULL when there are errors; all messages (errors and
 * warnings) are printed to "messages".  Files that it names are not opened.
 */
struct authd_conf *conf_load(const char *path, FILE *messages);
/* Same from a string; for tests and the fuzzer. */
struct authd_conf *conf_parse(const char *name, const char *text, size_t len,
		    FILE *messages);
/* All defaults: what a child starts from. */
struct authd_conf *conf_new(void);
void		 conf_free(struct authd_conf *);	/* NULL is fine */
/* As YAML with defaults that parses again to the same. */
void		 conf_print(const struct authd_conf *, FILE *);

/* Number of wire values: index 0 .. n - 1 below. */
size_t		 conf_nvalues(void);
/* May a child of this role (messages.h) know the i-th value? */
bool		 conf_value_is_for(size_t i, unsigned role);
/*
 * The i-th key as text for MSG_CONF_VALUE, malloc()ed; lists come as one
 * JSON array.  NULL: unset or out of memory.
 */
char		*conf_get_value(const struct authd_conf *, size_t i);
/* The reverse, in the child.  -1: no such index, or malformed. */
int		 conf_set_value(struct authd_conf *, size_t i, const char *);

/* ---- conf_backends.c: what checks passwords ---- */
#define CONF_MAX_BACKENDS	4
struct conf_backend {
	const char	*name;		/* in "backends:" */
	unsigned	 role;		/* of its verifiers */
	const char	*process;	/* their name */
	const char	*user_key;	/* for messages */
	size_t		 count, user;	/* offsets in struct authd_conf */
	bool		(*configured)(const struct authd_conf *);
	bool		 system_user;	/* may be root, keeps his groups */
};
extern const struct conf_backend conf_backends[];	/* ends: name NULL */
/* NULL: there is none. */
const struct conf_backend *conf_backend_find(const char *name);
const struct conf_backend *conf_backend_of_role(unsigned role);
bool		 conf_backend_is_used(const struct authd_conf *,
		    unsigned role);
unsigned	 conf_backend_count(const struct authd_conf *,
		    const struct conf_backend *);
const char	*conf_backend_user(const struct authd_conf *,
		    const struct conf_backend *);
/* Fill in the default; report names that cannot be there. */
void		 conf_backends_check(struct authd_conf *, struct yamldoc *);

/*
 * An error of a node of the wrong kind: what was found, what is accepted.
 * Nothing beneath it is then reported as unknown.
 */
void		 conf_wrong(struct yamldoc *, struct yaml_node *,
		    const char *accepted);

/* ---- conf_access.c: groups and access rules ---- */
void		 conf_access_parse(struct authd_conf *, struct yamldoc *);
void		 conf_access_print(const struct authd_conf *, FILE *);
void		 conf_access_free(struct authd_conf *);
/* The rules and groups, ready to decide.  NULL with a reason. */
struct acl	*conf_acl(const struct authd_conf *, char *error,
		    size_t errsize);

/* ---- conf_token.c: keys, and services with their profiles ---- */
#define CONF_MAX_KEYS	8
struct conf_key;
void		 conf_services_read(struct authd_conf *,
		    const struct conf_key *, struct yamldoc *,
		    struct yaml_node *);
void		 conf_services_print(const struct authd_conf *, FILE *);
/* Read "keys:", and see that there is one that signs. */
void		 conf_keys_read(struct authd_conf *, struct yamldoc *);
void		 conf_keys_print(const struct authd_conf *, FILE *);
void		 conf_token_free(struct authd_conf *);

/* ---- conf_htgroup.c ---- */
/*
 * Read the file of "htgroup:", if there is one, into file_groups; "from"
 * (may be NULL) is filled in.  With "check" an absent file is only noted.
 * -1 after messages.
 */
int		 conf_htgroup_load(struct authd_conf *, bool check,
		    struct stat *from, FILE *messages);
/* Can backends give users groups that no file tells? */
bool		 conf_groups_are_open(const struct authd_conf *);
bool		 conf_group_is_known(const struct authd_conf *, const char *);

/* ---- conf_expect.c: what the rules should come to ---- */
void		 conf_expect_parse(struct authd_conf *, struct yamldoc *);
void		 conf_expect_print(const struct authd_conf *, FILE *);
void		 conf_expect_free(struct authd_conf *);
/*
 * Try one: true when it holds.  What is expected, and when that is wrong
 * what was granted by which rule, is appended as text.
 */
bool		 conf_expect_try(const struct authd_conf *,
		    const struct acl *, const struct conf_expect *,
		    struct buf *);
/* Try all; -1 after messages about those that do not hold. */
int		 conf_expect_check(const struct authd_conf *, FILE *messages);

/* ---- conf_throttle.c ---- */
/* Report proxies that are none, and a throttle that makes no sense. */
void		 conf_throttle_check(const struct authd_conf *,
		    struct yamldoc *);

/* ---- conf_ldap.c ---- */
/* Report what does not go together beneath "ldap:". */
void		 conf_ldap_check(const struct authd_conf *, struct yamldoc *);

/* ---- conf_credentials.c ---- */
/* Fill in the socket; report what does not go together. */
void		 conf_credentials_check(struct authd_conf *,
		    struct yamldoc *);

/* ---- conf_pam.c ---- */
/* Note whether there is a map "pam", and report what is wrong in it. */
void		 conf_pam_check(struct authd_conf *, struct yamldoc *);

/* ---- conf_wire.c: from the parent to a child ---- */
/* Send what a child of this role may know; -1 with errno. */
int		 conf_send(const struct authd_conf *, struct msg_chan *,
		    unsigned role);
/* Handle MSG_CONF_VALUE, MSG_CONF_GROUP, MSG_CONF_RULE. */
int		 conf_on_value(struct authd_conf *, struct msg *);
int		 conf_on_group(struct authd_conf *, struct msg *);
int		 conf_on_rules(struct authd_conf *, struct msg *);

/* ---- conf_print.c: pieces of YAML ---- */
/* A scalar as a YAML double-quoted string, or plain where that is safe. */
void		 conf_print_string(const char *, FILE *);
void		 conf_print_list(const struct conf_list *, FILE *);

#endif
