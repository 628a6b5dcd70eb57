/* SPDX-License-Identifier: ISC */
/*
 * Puts what a client typed into distinguished names and filters, where it
 * must stay one literal value whatever is in it.  Runs in the verifiers for
 * LDAP.  A DN that goes into a filter is escaped again, as any value is.
 */
#include "ldap_escape.h"

#include <errno.h>
#include <ldap.h>
#include <string.h>

#include "buf.h"

static int
add_filter_value(struct buf *out, const char *value)
{
	struct berval	 in, escaped;
	int		 error;

	ber_str2bv(value, 0, 0, &in);
	if (ldap_bv2escaped_filter_value(&in, &escaped) != 0) {
		errno = ENOMEM;
		return -1;
	}
	error = buf_add(out, escaped.bv_val, escaped.bv_len);
	/* What needs no escape is not copied. */
	if (escaped.bv_val != in.bv_val)
		ber_memfree(escaped.bv_val);
	return error;
}

/* As the library writes the RDN "x=value"; it refuses what is not UTF-8. */
static int
add_dn_value(struct buf *out, const char *value)
{
	char		 attr[] = "x", *text = NULL;
	LDAPAVA		 ava = { .la_attr = { 1, attr },
			    .la_flags = LDAP_AVA_STRING };
	LDAPAVA		*rdn[] = { &ava, NULL };
	int		 error;

	ber_str2bv(value, 0, 0, &ava.la_value);
	if (ldap_rdn2str(rdn, &text, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS ||
	    text == NULL || strncmp(text, "x=", 2) != 0) {
		ldap_memfree(text);
		errno = EINVAL;
		return -1;
	}
	error = buf_addstr(out, text + 2);
	ldap_memfree(text);
	return error;
}

static int
add_plain_value(struct buf *out, const char *value)
{
	static const char	 safe[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (*value == '\0' || strspn(value, safe) != strlen(value)) {
		errno = EINVAL;
		return -1;
	}
	return buf_addstr(out, value);
}

static int
add_value(struct buf *out, enum ldap_syntax syntax, const char *value)
{
	switch (syntax) {
	case LDAP_SYNTAX_DN:
		return add_dn_value(out, value);
	case LDAP_SYNTAX_FILTER:
		return add_filter_value(out, value);
	case LDAP_SYNTAX_PLAIN:
		break;
	}
	return add_plain_value(out, value);
}

/* The name that a "{name}" at s gives, NULL when there is none. */
static const struct ldap_name *
find_name(const char *s, const struct ldap_name *names, size_t n)
{
	size_t	 i, len;

	for (i = 0; i < n; i++) {
		len = strlen(names[i].name);
		if (*s == '{' && strncmp(s + 1, names[i].name, len) == 0 &&
		    s[len + 1] == '}')
			return &names[i];
	}
	return NULL;
}

char *
ldap_escape_expand(const char *template, enum ldap_syntax syntax,
    const struct ldap_name *names, size_t n)
{
	const struct ldap_name	*name;
	struct buf		 out;
	char			*text;
	int			 error = 0;

	buf_init(&out, LDAP_ESCAPE_MAX);
	while (*template != '\0' && error == 0) {
		if ((name = find_name(template, names, n)) == NULL) {
			error = buf_addc(&out, *template++);
			continue;
		}
		error = add_value(&out, syntax, name->value);
		template += strlen(name->name) + 2;
	}
	if (error == 0 && (text = buf_steal(&out, NULL)) != NULL)
		return text;
	error = errno;
	buf_done(&out);
	errno = error;
	return NULL;
}
