/* SPDX-License-Identifier: ISC */
/*
 * The address of a directory server, as the configuration names it.
 */
#ifndef LDAP_URI_H
#define LDAP_URI_H

#include <stdbool.h>

struct ldap_uri {
	bool	 ldaps;			/* TLS from the first byte */
	char	 host[256];		/* IPv6 addresses without brackets */
	char	 port[6];
};

/*
 * "ldap://host[:port]" or "ldaps://host[:port]", nothing behind it.  -1:
 * not of that form.
 */
int	 ldap_uri_parse(const char *, struct ldap_uri *);

#endif
