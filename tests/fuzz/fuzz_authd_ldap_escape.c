/* SPDX-License-Identifier: ISC */
/*
 * Names of users in filters and DNs: what the library reads back must be the
 * very name, and nothing around it may have changed.
 */
#include <ldap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ldap_dn.h"
#include "ldap_escape.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static int
hex_digit(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Within parentheses: no special character but as "\XX". */
static void
check_filter(const char *name)
{
	struct ldap_name	 names[] = { { "user", name } };
	const char		*s;
	char			*filter;

	filter = ldap_escape_expand("(a={user})", LDAP_SYNTAX_FILTER, names,
	    1);
	if (filter == NULL)
		return;
	must(strncmp(filter, "(a=", 3) == 0);
	for (s = filter + 3; *name != '\0'; name++, s++) {
		if (*s == '\\') {
			must((unsigned char)*name ==
			    hex_digit(s[1]) * 16 + hex_digit(s[2]));
			s += 2;
		} else {
			must(*s == *name && strchr("()*\\", *s) == NULL);
		}
	}
	must(strcmp(s, ")") == 0);
	free(filter);
}

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

/* One part before the base, with one value: the name. */
static void
check_dn(const char *name)
{
	struct ldap_name	 names[] = { { "user", name } };
	LDAPDN			 parts = NULL;
	char			*dn, value[8192];

	dn = ldap_escape_expand("uid={user},dc=base,dc=test", LDAP_SYNTAX_DN,
	    names, 1);
	if (dn == NULL)
		return;
	if (*name != '\0') {
		must(ldap_str2dn(dn, &parts, LDAP_DN_FORMAT_LDAPV3) ==
		    LDAP_SUCCESS);
		must(parts[0] != NULL && parts[0][1] == NULL &&
		    parts[1] != NULL && parts[2] != NULL && parts[3] == NULL);
		must(parts[0][0]->la_value.bv_len == strlen(name) &&
		    memcmp(parts[0][0]->la_value.bv_val, name,
		    strlen(name)) == 0);
		must(ldap_dn_is_beneath(dn, "DC=Base, dc=test"));
		must((ldap_dn_own_value(dn, "UID", value, sizeof(value)) ==
		    0) == !has_control(name));
	}
	ldap_dnfree(parts);
	free(dn);
}

static void
check_plain(const char *name)
{
	struct ldap_name	 names[] = { { "user", name } };
	char			*text;

	text = ldap_escape_expand("{user}@x", LDAP_SYNTAX_PLAIN, names, 1);
	if (text == NULL)
		return;
	must(strncmp(text, name, strlen(name)) == 0 &&
	    strpbrk(name, "@\\/\"[]:;|=,+*?<> ") == NULL);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	*name, value[256];

	if (size > 4096 || (name = malloc(size + 1)) == NULL)
		return 0;
	memcpy(name, data, size);
	name[size] = '\0';
	check_filter(name);
	check_dn(name);
	check_plain(name);
	/* As DNs of a server. */
	ldap_dn_is_beneath(name, "dc=test");
	ldap_dn_is_beneath("cn=a,dc=test", name);
	ldap_dn_own_value(name, "cn", value, sizeof(value));
	free(name);
	return 0;
}
