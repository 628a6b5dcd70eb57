/* SPDX-License-Identifier: ISC */
/*
 * Configurations of docker_auth as ours.  Nobody gets a right that he did
 * not have: what cannot be said exactly is left out, and denied where a
 * later rule could grant more.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "acl.h"
#include "conf.h"
#include "yamldoc.h"

struct import_args {
	const char	*name;			/* of the file */
	const char	*text;
	size_t		 len;
	const struct conf_list *services;	/* asked for; may be empty */
	const char	*htpasswd;		/* for "htpasswd:" */
	FILE		*out;			/* authd.yml */
	FILE		*users;			/* lines of an htpasswd file */
	FILE		*report;		/* what was not carried over */
};

/* How many things were not carried over; -1: the file cannot be read. */
int		 import_docker_auth(const struct import_args *);

/* ---- between its files ---- */

struct import {
	const struct import_args *args;
	bool		 anonymous;	/* may use docker_auth */
	bool		 many_users;	/* names that nobody has listed, or
					   with a slash */
	bool		 real_ip;	/* addresses come from a header */
	bool		 star_users;	/* "*" stands for users in a rule */
	struct conf_list services;	/* that rules name */
	size_t		 nleft;		/* not carried over */
	FILE		*rules;
};

/* One more thing that was not carried over. */
void		 import_left(struct import *, const struct yaml_node *,
		    const char *why);
/* A text that a configuration can have; NULL when there is none. */
const char	*import_text(struct yaml_node *map, const char *key);
/* The rules of "acl:" to import->rules. */
void		 import_acl(struct import *, struct yaml_node *list);
void		 import_ldap(struct import *, struct yaml_node *map);

enum import_kind { IMPORT_USER, IMPORT_NAME, IMPORT_SERVICE };
/*
 * A glob or a /regular expression/ as a pattern that matches exactly the
 * same.  NULL, or why there is none.
 */
const char	*import_pattern(const char *from, enum import_kind,
		    char to[ACL_MAX_PATTERN + 1]);

#endif
