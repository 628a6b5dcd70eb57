/* SPDX-License-Identifier: ISC */
/*
 * The table of configuration keys, shared by the files that walk it:
 * conf.c, conf_read.c and conf_print.c.
 */
#ifndef CONF_KEY_H
#define CONF_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"

enum conf_type {
	CONF_STRING,
	CONF_BOOL,
	CONF_COUNT,			/* a number without unit */
	CONF_SIZE,			/* bytes */
	CONF_DURATION,			/* milliseconds */
	CONF_LEVEL,			/* enum log_level */
	CONF_FORMAT,			/* enum log_format */
	CONF_LIST,			/* struct conf_list */
	CONF_SERVICES,			/* a list with profiles; names sent */
	CONF_PAIRS			/* struct conf_pairs; not sent */
};

struct conf_key {
	const char	*path;		/* "token.lifetime" */
	enum conf_type	 type;
	bool		 required;
	size_t		 offset, width;	/* of the member */
	const char	*def;		/* as in the file; NULL: unset */
	uint64_t	 min, max;	/* of numbers; of strings, the length */
	unsigned	 roles;		/* bits of those who may know it */
	const char	*accepted;	/* choices "a|b" of a string, or NULL */
};

extern const struct conf_key	conf_keys[];	/* ends with path NULL */

/* Where the value is. */
void	*conf_key_member(struct authd_conf *, const struct conf_key *);
/* A number, whatever the width of the member. */
void	 conf_key_store(struct authd_conf *, const struct conf_key *,
	    uint64_t);
/* From the text of a default or a message; -1: malformed or no memory. */
int	 conf_key_parse(struct authd_conf *, const struct conf_key *,
	    const char *);
/* A string within the key's bounds, malloc()ed; NULL after an error. */
char	*conf_read_string(const struct conf_key *, struct yamldoc *,
	    struct yaml_node *);
int	 conf_list_add(struct conf_list *, const char *);	/* copies */

#endif
