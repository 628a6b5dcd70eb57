/* SPDX-License-Identifier: ISC */
/*
 * Looks into distinguished names by the library's parser: text that looks
 * alike in another branch of a directory must not stand for the same group.
 * Runs in the verifiers for LDAP.
 */
#include "ldap_dn.h"

#include <ldap.h>
#include <string.h>
#include <strings.h>

static LDAPDN
parse(const char *text)
{
	LDAPDN	 dn = NULL;

	if (ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return NULL;
	return dn;
}

static size_t
count_parts(LDAPDN dn)
{
	size_t	 n = 0;

	while (dn[n] != NULL)
		n++;
	return n;
}

/*
 * The character at *at as it is compared, and *at behind it; -1 at the end.
 * A run of blanks is one blank, and none at the begin and the end.
 */
static int
next_char(const struct berval *value, size_t *at)
{
	size_t	 begin = *at, i = *at;
	int	 c;

	while (i < value->bv_len && value->bv_val[i] == ' ')
		i++;
	if (i == value->bv_len)
		return -1;
	if (i > begin && begin > 0) {
		*at = i;
		return ' ';
	}
	*at = i + 1;
	c = (unsigned char)value->bv_val[i];
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool
value_equal(const struct berval *a, const struct berval *b)
{
	size_t	 i = 0, j = 0;
	int	 c, d;

	do {
		c = next_char(a, &i);
		d = next_char(b, &j);
	} while (c == d && c != -1);
	return c == d;
}

static bool
attr_is(const LDAPAVA *ava, const char *name, size_t len)
{
	return ava->la_attr.bv_len == len &&
	    strncasecmp(ava->la_attr.bv_val, name, len) == 0;
}

static bool
has_ava(LDAPRDN rdn, const LDAPAVA *ava)
{
	for (; *rdn != NULL; rdn++)
		if (attr_is(*rdn, ava->la_attr.bv_val, ava->la_attr.bv_len) &&
		    value_equal(&(*rdn)->la_value, &ava->la_value))
			return true;
	return false;
}

/* Parts may have several values, in any order. */
static bool
rdn_equal(LDAPRDN a, LDAPRDN b)
{
	size_t	 i, j;

	for (i = 0; a[i] != NULL; i++)
		if (!has_ava(b, a[i]))
			return false;
	for (j = 0; b[j] != NULL; j++)
		if (!has_ava(a, b[j]))
			return false;
	return true;
}

bool
ldap_dn_is_beneath(const char *dn, const char *base)
{
	LDAPDN	 entry = parse(dn), top = parse(base);
	size_t	 n, m = 0, i;
	bool	 is = false;

	if (entry != NULL && top != NULL) {
		n = count_parts(entry);
		m = count_parts(top);
		is = m > 0 && n > m;
		for (i = 0; is && i < m; i++)
			is = rdn_equal(entry[n - m + i], top[i]);
	}
	ldap_dnfree(entry);
	ldap_dnfree(top);
	return is;
}

static int
copy_value(const LDAPAVA *ava, char *dst, size_t size)
{
	const struct berval	*value = &ava->la_value;
	size_t			 i;

	if ((ava->la_flags & LDAP_AVA_BINARY) != 0 || value->bv_len == 0 ||
	    value->bv_len >= size)
		return -1;
	for (i = 0; i < value->bv_len; i++)
		if ((unsigned char)value->bv_val[i] < 0x20 ||
		    value->bv_val[i] == 0x7f)
			return -1;
	memcpy(dst, value->bv_val, value->bv_len);
	dst[value->bv_len] = '\0';
	return 0;
}

int
ldap_dn_own_value(const char *text, const char *attr, char *dst, size_t size)
{
	LDAPDN	 dn = parse(text);
	LDAPRDN	 rdn;
	int	 error = -1;

	if (dn != NULL && dn[0] != NULL)
		for (rdn = dn[0]; *rdn != NULL && error == -1; rdn++)
			if (attr_is(*rdn, attr, strlen(attr)))
				error = copy_value(*rdn, dst, size);
	ldap_dnfree(dn);
	return error;
}
