/* SPDX-License-Identifier: ISC */
/*
 * Values of others within distinguished names and search filters.
 */
#ifndef LDAP_ESCAPE_H
#define LDAP_ESCAPE_H

#include <stddef.h>

#define LDAP_ESCAPE_MAX	16384		/* bytes of a DN or filter */

enum ldap_syntax {
	LDAP_SYNTAX_DN,			/* RFC 4514 */
	LDAP_SYNTAX_FILTER,		/* RFC 4515 */
	LDAP_SYNTAX_PLAIN		/* only letters, digits, ". _ -" */
};

/* What stands for "{name}" in a template. */
struct ldap_name {
	const char	*name;
	const char	*value;
};

/*
 * The template with each "{name}" replaced by its value, escaped so that it
 * is one literal value; other braces stay.  malloc()ed.  NULL with errno:
 * EINVAL (the value cannot be written in that syntax), EMSGSIZE, ENOMEM.
 */
char	*ldap_escape_expand(const char *template, enum ldap_syntax,
	    const struct ldap_name *, size_t n);

#endif
