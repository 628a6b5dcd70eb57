/* SPDX-License-Identifier: ISC */
/*
 * Access rules: who may do what to which repository.  The first rule that
 * matches decides; when none does, nothing is granted.
 *
 * Patterns: "*" is any run of characters but '/', "**" any run, "${user}" is
 * the user's name, literally (and nothing for the anonymous user: such a
 * pattern matches no name then), "${service}" that of the service.  Matching
 * is linear in the lengths' product; there are no regular expressions.
 */
#ifndef ACL_H
#define ACL_H

#include <stdbool.h>
#include <stddef.h>

#include "msg.h"
#include "scope.h"

#define ACL_MAX_RULES	4096
#define ACL_MAX_PATTERN	512
#define ACL_MAX_GROUP	255

/*
 * One rule, as configured; a member that is unset matches everything.
 * user: "" is only the anonymous user, "*" every authenticated one.
 */
struct acl_rule {
	char		*user;		/* pattern */
	bool		 has_user;
	char		*group;		/* name; NULL unset */
	char		*network;	/* "10.0.0.0/8", "2001:db8::/32" */
	char		*service;	/* pattern */
	char		*repository;	/* pattern of repository names */
	char		*registry;	/* "catalog": registry:catalog:*; not
					   beside a repository */
	unsigned	 actions;	/* ACTION_*; 0 denies */
	unsigned	 line;		/* in the configuration */
};

struct acl;

struct acl_subject {
	const char	*user;		/* "" anonymous */
	const char *const *groups;
	size_t		 ngroups;
	const char	*peer;		/* address as text */
	const char	*service;
};

struct acl	*acl_new(void);
void		 acl_free(struct acl *);
/*
 * Copies the rule.  -1 with a reason: bad network, bad pattern, both
 * repository and registry, too many, out of memory.
 */
int		 acl_add_rule(struct acl *, const struct acl_rule *,
		    char *error, size_t errsize);
/* Users of a group that is there already come to it. */
int		 acl_add_group(struct acl *, const char *group,
		    const char *const *users, size_t n);
/* Is the user in a group of acl_add_group()? */
bool		 acl_has_member(const struct acl *, const char *group,
		    const char *user);
/*
 * What of "wanted" the subject gets (a subset; "*" asked for gives all that
 * the rule has, ACTION_ALL only where the rule grants it).  *rule is the
 * index of the rule that decided, -1 when none matched.
 */
unsigned	 acl_decide(const struct acl *, const struct acl_subject *,
		    const struct scope *wanted, int *rule);
const struct acl_rule *acl_rule_at(const struct acl *, size_t);
size_t		 acl_nrules(const struct acl *);
/* May anonymous users get anything at all? */
bool		 acl_has_anonymous(const struct acl *);

/*
 * A rule over a channel, MSG_CONF_RULE; and back: -1 when malformed (the
 * caller calls msg_end(), and acl_rule_done() in any case).
 */
void		 acl_rule_put(struct msg_out *, const struct acl_rule *);
int		 acl_rule_get(struct msg *, struct acl_rule *);
void		 acl_rule_done(struct acl_rule *);
/* "rule 3 (line 17): user=alice repository=a actions=pull,push" */
void		 acl_rule_format(struct buf *, const struct acl_rule *,
		    int index);

/* ---- its parts ---- */

/* NULL when the pattern is good, else what is wrong with it. */
const char	*acl_pattern_wrong(const char *pattern);
/* What ${user} and ${service} stand for, literally; "": nothing. */
struct acl_names {
	const char	*user, *service;
};
/* Does the whole text match? */
bool		 acl_match(const char *pattern, const struct acl_names *,
		    const char *text);

/* ---- acl_cover.c: for authctl ---- */
/*
 * Does "wide" match whatever "narrow" matches?  user is what ${user} stands
 * for, NULL when that is not known.  When in doubt, false.
 */
bool		 acl_pattern_covers(const char *wide, const char *narrow,
		    const char *user);

/* ---- acl_network.c ---- */
struct acl_network {
	int		 family;	/* AF_INET, AF_INET6 */
	unsigned char	 address[16];
	unsigned	 prefix;	/* bits */
};

/* NULL when good ("10.0.0.0/8", "2001:db8::1"), else what is wrong. */
const char	*acl_network_parse(struct acl_network *, const char *);
/*
 * Family of the address, -1 when it is none.  A zone ("%eth0") is cut off;
 * an IPv4-mapped IPv6 address is the IPv4 address that it holds.
 */
int		 acl_address_parse(unsigned char address[16], const char *);
bool		 acl_network_has(const struct acl_network *,
		    const char *address);

#endif
