/* SPDX-License-Identifier: ISC */
/*
 * The table of configuration keys and the parts of the configuration that
 * walk it; private to conf*.c.
 */
#ifndef CONF_KEY_H
#define CONF_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "yamldoc.h"

#define CONF_PATH_MAX	YAML_PATH_SIZE
#define CONF_NO_DURATION	UINT64_MAX

enum conf_type {
	CONF_BOOL,
	CONF_COUNT,			/* a number without unit */
	CONF_CUT,			/* same; above max it is max */
	CONF_SIZE,			/* bytes */
	CONF_DURATION,			/* milliseconds */
	CONF_SECONDS,			/* a duration kept in seconds */
	CONF_ENUM,			/* an index of words */
	CONF_STRING,			/* one of words, if there are any */
	CONF_LIST,			/* struct conf_list */
	CONF_FIELDS,			/* struct conf_pairs: name: value */
	CONF_HEADERS			/* struct conf_pairs: name: [value] */
};

struct conf_key {
	const char	*path;		/* "http.tls.key" */
	enum conf_type	 type;
	size_t		 offset, size;	/* of the member */
	const char	*def;		/* NULL: unset, or another module's */
	uint64_t	 min, max;	/* of numbers, in the member's unit */
	/*
	 * Ends in NULL; "" is "not set".  Of a duration: the one word that
	 * stands for CONF_NO_DURATION.
	 */
	const char *const *words;
};

extern const struct conf_key	conf_keys[];
extern const size_t		conf_nkeys;

const struct conf_key *conf_key_find(const char *path);
/* A number, size, duration or enum whatever its width, and a bool. */
uint64_t	 conf_key_number(const struct registry_conf *,
		    const struct conf_key *);
void		 conf_key_set_number(struct registry_conf *,
		    const struct conf_key *, uint64_t);
/* The member itself, for strings and lists. */
void		*conf_key_member(struct registry_conf *,
		    const struct conf_key *);
const void	*conf_key_member_const(const struct registry_conf *,
		    const struct conf_key *);
/* A string or enum without value, an empty list. */
bool		 conf_key_is_unset(const struct registry_conf *,
		    const struct conf_key *);
/* The number of a word whatever its case, -1 when it is none of them. */
int		 conf_key_word(const struct conf_key *, const char *);

void		 conf_list_add(struct conf_list *, const char *);
void		 conf_list_clear(struct conf_list *);
void		 conf_pairs_add(struct conf_pairs *, const char *name,
		    const char *value);
void		 conf_pairs_clear(struct conf_pairs *);

/*
 * A key of distribution that we do not have.  "fatal": ignoring it would
 * serve something else than was asked for, or to others.
 */
struct conf_foreign {
	const char	*path;		/* itself and all beneath it */
	bool		 fatal;
	bool		 unless_empty;	/* no value, no message */
	const char	*text;
};

extern const struct conf_foreign	conf_foreign[];
extern const size_t			conf_nforeign;

const struct conf_foreign *conf_foreign_find(const char *path);
/* Report a node that conf_foreign_find() knows. */
void		 conf_foreign_report(struct yamldoc *, struct yaml_node *,
		    const struct conf_foreign *);

/*
 * "storage: filesystem" and "auth: token" as the maps that they stand for.
 */
void		 conf_expand_short(struct yaml_node *root);
/* Put the REGISTRY_* variables over the document. */
void		 conf_env_apply(struct yamldoc *, char *const *env);
/* What no key alone can tell, after all have been read. */
void		 conf_check(struct registry_conf *, struct yamldoc *);

#endif
