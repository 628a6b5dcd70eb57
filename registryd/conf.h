/* SPDX-License-Identifier: ISC */
/*
 * The configuration of registryd: distribution's config.yml, REGISTRY_*
 * variables over it, and our own settings under "registryd:".  One table in
 * conf.c lists every key with its type and default; parsing, printing (-nv)
 * and sending to children all walk it.
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

#include "http.h"
#include "log.h"
#include "store.h"
#include "throttle.h"
#include "tls.h"

#define CONF_VALUE_MAX	60000		/* a value as text: fits one message */
#define CONF_HEADERS_MAX 16384		/* http.headers as lines of an answer */

struct conf_list {			/* list of strings */
	char		**items;
	size_t		 n;
};

struct conf_pair {			/* http.headers: one value each */
	char		*name;
	char		*value;
};

struct conf_pairs {
	struct conf_pair *items;
	size_t		 n;
};

struct registry_conf {
	/* log */
	bool		 accesslog_disabled;
	enum log_level	 log_level;
	enum log_format	 log_format;
	struct conf_pairs log_fields;

	/* storage */
	char		*root;		/* filesystem.rootdirectory */
	bool		 delete_enabled;
	bool		 readonly;		/* maintenance.readonly */
	bool		 purge_enabled;
	uint64_t	 purge_age_ms, purge_interval_ms;
	bool		 purge_dryrun;

	/* auth.token; token_realm NULL: not used */
	char		*token_realm, *token_service, *token_issuer;
	char		*token_roots, *token_jwks;	/* file names */
	struct conf_list token_algorithms;

	/* auth.htpasswd; htpasswd_path NULL: not used */
	char		*htpasswd_realm, *htpasswd_path;

	/* http */
	char		*addr, *net, *host, *prefix;
	bool		 relativeurls;		/* our default: true */
	uint64_t	 drain_timeout_ms;
	struct conf_pairs http_headers;
	char		*debug_addr, *metrics_path;	/* http.debug */
	bool		 metrics_enabled;
	char		*tls_certificate, *tls_key, *tls_minimum;
	struct conf_list tls_clientcas, tls_ciphersuites;
	enum tls_client_auth tls_client_auth;

	uint64_t	 catalog_max, tags_max;	/* entries of a page */

	/* registryd */
	uint64_t	 workers, keepers, verifiers;	/* processes */
	char		*user, *worker_user, *verifier_user;
	enum store_durability durability;
	uint64_t	 max_lifetime_s;	/* of a token */
	uint64_t	 leeway_s;
	uint64_t	 token_cache;		/* verdicts kept by a worker */
	uint64_t	 check_timeout_ms;	/* of a check, with waiting */
	uint64_t	 check_queue;		/* that wait in a worker */
	uint64_t	 failure_time_ms;	/* of every refusal */
	uint64_t	 user_cache, user_cache_ttl_ms;
	struct throttle_conf throttle;		/* failures_per_source 0: off */
	uint64_t	 keeper_timeout_ms, lease_timeout_ms;
	bool		 collect_enabled;
	uint64_t	 collect_interval_ms, collect_grace_ms;
	uint64_t	 collect_delay_ms;
	uint64_t	 collect_untagged_ms;	/* UINT64_MAX: keep */
	uint64_t	 collect_memory;	/* bytes */
	bool		 scrub_enabled;
	uint64_t	 scrub_interval_ms;
	uint64_t	 scrub_rate;		/* bytes per second, 0: any */
	char		*control;		/* NULL: the default path */
	uint64_t	 max_manifest;		/* at most MANIFEST_MAX_SIZE */
	uint64_t	 max_blob;		/* bytes, 0: no limit */
	uint64_t	 max_tags_per_put;
	uint64_t	 max_uploads;		/* of a repository */
	uint64_t	 max_uploads_total;
	uint64_t	 reserve;		/* bytes, 0: none */
	uint64_t	 referrers_max;		/* entries of a page */
	struct http_limits http;
};

struct yamldoc;

/*
 * The file to read: the argument of -f, else REGISTRY_CONFIGURATION_PATH, as
 * in distribution, else the default.
 */
const char	*conf_path(const char *option);
/*
 * Read file and environment.  NULL when there are errors; all messages
 * (errors and warnings) are printed to "messages".
 */
struct registry_conf *conf_load(const char *path, char *const *env,
		    FILE *messages);
/* Same from a string; for tests and the fuzzer. */
struct registry_conf *conf_parse(const char *name, const char *text,
		    size_t len, char *const *env, FILE *messages);
/* All defaults: what a child starts from. */
struct registry_conf *conf_new(void);
void		 conf_free(struct registry_conf *);
/*
 * The path of the control socket, malloc()ed; NULL: there is to be none (or
 * no memory).
 */
char		*conf_control_path(const struct registry_conf *);
/* Is there to be a process that answers at http.debug.addr? */
bool		 conf_has_monitor(const struct registry_conf *);
/* As YAML with defaults that parses again to the same. */
void		 conf_print(const struct registry_conf *, FILE *);

/* Number of wire values: index 0 .. n - 1 below. */
size_t		 conf_nvalues(void);
/*
 * The i-th key as text for MSG_CONF_VALUE, malloc()ed; lists come as one
 * JSON array.  NULL: unset, or no such index.
 */
char		*conf_get_value(const struct registry_conf *, size_t i);
/* The reverse, in the child.  -1: no such index, or malformed. */
int		 conf_set_value(struct registry_conf *, size_t i,
		    const char *);

#endif
