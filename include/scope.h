/* SPDX-License-Identifier: ISC */
/*
 * Resource scopes: "type[(class)]:name:action[,action]", and the access
 * claim of a token, which lists the same as JSON objects.
 */
#ifndef SCOPE_H
#define SCOPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define SCOPE_MAX		64	/* entries of a set */
#define SCOPE_MAX_TYPE		32
#define SCOPE_MAX_NAME		256
#define SCOPE_MAX_ACTION	16

#define ACTION_PULL	0x01u
#define ACTION_PUSH	0x02u
#define ACTION_DELETE	0x04u
#define ACTION_ALL	0x80u		/* the literal "*" */

struct scope {
	char		 type[SCOPE_MAX_TYPE];
	char		 name[SCOPE_MAX_NAME];
	unsigned	 actions;	/* unknown actions are dropped */
};

struct scope_set {
	struct scope	*items;
	size_t		 n;
};

/*
 * One scope; split at the first and the last colon, the class dropped.
 * 0, or -1 when malformed (the caller ignores it).
 */
int	 scope_parse(struct scope *, const char *, size_t len);
/* Scopes separated by spaces; bad ones skipped, same resources merged. */
int	 scope_set_add_list(struct scope_set *, const char *);
/* Merge one in; without actions it is nothing.  -1: E2BIG or ENOMEM. */
int	 scope_set_add(struct scope_set *, const struct scope *);
/* From a token's "access" claim; what is malformed is skipped. */
int	 scope_set_from_claim(struct scope_set *, const json_t *access,
	    int64_t now);
/* Are all of "actions" allowed ("*" in the set allows any; none: false)? */
bool	 scope_set_allows(const struct scope_set *, const char *type,
	    const char *name, unsigned actions);
void	 scope_set_done(struct scope_set *);
/* "repository:a/b:pull,push"; actions in the order pull, push, delete, *. */
int	 scope_format(struct buf *, const char *type, const char *name,
	    unsigned actions);
/* The access claim: a new JSON array. */
json_t	*scope_set_to_claim(const struct scope_set *);
unsigned scope_action_parse(const char *, size_t len);	/* 0 if unknown */
/* Repository name grammar of the OCI distribution spec, <= 255 bytes. */
bool	 scope_repository_name_ok(const char *);

#endif
