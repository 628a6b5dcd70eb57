/* SPDX-License-Identifier: ISC */
/*
 * The table of configuration keys, shared by the files that walk it:
 * conf.c (parse, wire) and conf_print.c.
 */
#ifndef CONF_KEY_H
#define CONF_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_STRING,
	CONF_BOOL,
	CONF_COUNT,			/* a number without unit */
	CONF_SIZE,			/* bytes */
	CONF_DURATION,			/* milliseconds */
	CONF_LEVEL,			/* enum log_level */
	CONF_FORMAT,			/* enum log_format */
	CONF_LIST,			/* struct conf_list */
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

extern const struct conf_key	conf_keys[];

#endif
