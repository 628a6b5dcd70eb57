/* SPDX-License-Identifier: ISC */
/*
 * Reads the address of a directory server.  Runs in the parent, which checks
 * the configuration, and in the verifiers for LDAP.
 */
#include "ldap_uri.h"

#include <stdint.h>
#include <string.h>

#include "str.h"

/* Letters, digits, dots and hyphens; colons too within brackets. */
static size_t
host_len(const char *s, bool brackets)
{
	return strspn(s, brackets ? "0123456789abcdefABCDEF:." :
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    ".-_");
}

static int
parse_port(const char *s, struct ldap_uri *uri)
{
	uint64_t	 port;

	if (*s == '\0')
		return str_copy(uri->port, sizeof(uri->port),
		    uri->ldaps ? "636" : "389");
	if (*s++ != ':' || str_parse_u64(s, strlen(s), 65535, &port) == -1 ||
	    port == 0)
		return -1;
	return str_copy(uri->port, sizeof(uri->port), s);
}

int
ldap_uri_parse(const char *s, struct ldap_uri *uri)
{
	size_t	 len;
	bool	 brackets;

	memset(uri, 0, sizeof(*uri));
	uri->ldaps = str_starts(s, "ldaps://");
	if (!uri->ldaps && !str_starts(s, "ldap://"))
		return -1;
	s = strchr(s, '/') + 2;
	if ((brackets = *s == '['))
		s++;
	len = host_len(s, brackets);
	if (len == 0 || len >= sizeof(uri->host))
		return -1;
	memcpy(uri->host, s, len);
	s += len;
	if (brackets && *s++ != ']')
		return -1;
	return parse_port(s, uri);
}
