/* SPDX-License-Identifier: ISC */
/*
 * What the keys beneath "ldap:" must have to do with each other.  Runs in
 * the parent and in authctl; connects to nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "conf.h"
#include "ldap_uri.h"
#include "yamldoc.h"

#define MAX_URIS	8
#define PEM_CA		"the name of a file of certificates in PEM, as " \
			    "/etc/ssl/certs/ca-certificates.crt"

/* The node of a key, or of the map that lacks it. */
static struct yaml_node *
find(struct yaml_node *map, const char *key)
{
	struct yaml_node	*node = NULL;

	if (map->type == YAML_MAP)
		node = yaml_find(map, key);
	return node != NULL ? node : map;
}

static void
missing(struct yamldoc *doc, struct yaml_node *map, const char *key,
    const char *accepted)
{
	yaml_error(doc, map, "%s: missing, accepted: %s", key, accepted);
}

/* Which servers are spoken to without TLS, or with it. */
static void
check_uris(const struct conf_ldap *ldap, struct yamldoc *doc,
    struct yaml_node *map)
{
	struct yaml_node	*node = find(map, "uris");
	struct ldap_uri		 uri;
	bool			 plain = false, tls = false;
	size_t			 i;

	if (ldap->uris.n > MAX_URIS)
		yaml_error(doc, node, "found %zu, accepted: at most %d",
		    ldap->uris.n, MAX_URIS);
	for (i = 0; i < ldap->uris.n; i++) {
		if (ldap_uri_parse(ldap->uris.items[i], &uri) == -1) {
			yaml_error(doc, node, "found \"%s\", accepted: "
			    "ldap://host[:port], ldaps://host[:port]",
			    ldap->uris.items[i]);
			continue;
		}
		if (uri.ldaps || strcmp(ldap->tls, "none") != 0)
			tls = true;
		else
			plain = true;
	}
	if (plain && !ldap->allow_plaintext)
		yaml_error(doc, find(map, "tls"), "found \"none\", with "
		    "which passwords go in the clear; accepted: starttls, or "
		    "none beside \"allow_plaintext: true\"");
	if (tls && ldap->ca == NULL)
		missing(doc, map, "ca", PEM_CA);
}

/* One pair of parentheses around it all, and as many closed as opened. */
static bool
is_filter(const char *s)
{
	size_t	 open = 0;

	if (*s != '(')
		return false;
	for (; *s != '\0'; s++) {
		if (*s == '(')
			open++;
		else if (*s == ')' && --open == 0)
			return s[1] == '\0';
	}
	return false;
}

static void
check_filter(struct yamldoc *doc, struct yaml_node *map, const char *key,
    const char *filter, bool of_groups)
{
	if (!is_filter(filter))
		yaml_error(doc, find(map, key), "found \"%s\", accepted: a "
		    "filter in parentheses", filter);
	else if (strstr(filter, "{user}") == NULL &&
	    (!of_groups || strstr(filter, "{dn}") == NULL))
		yaml_error(doc, find(map, key), "found \"%s\", accepted: a "
		    "filter with %s", filter, of_groups ?
		    "{dn} or {user}" : "{user}");
}

static void
check_users(const struct conf_ldap *ldap, struct yamldoc *doc,
    struct yaml_node *map)
{
	bool	 search = strcmp(ldap->mode, "search") == 0;
	bool	 by_filter = search;

	if (!search && ldap->template == NULL)
		missing(doc, map, "template", "a DN with {user} in it");
	if (!search && ldap->template != NULL) {
		if (strstr(ldap->template, "{user}") == NULL)
			yaml_error(doc, find(map, "template"), "found "
			    "\"%s\", accepted: a DN with {user} in it",
			    ldap->template);
		by_filter = strchr(ldap->template, '=') == NULL;
	}
	if (by_filter && ldap->base == NULL)
		missing(doc, map, "base", "the DN beneath which users are");
	check_filter(doc, map, "filter", ldap->filter, false);
	if ((ldap->bind_dn == NULL) != (ldap->bind_password_file == NULL))
		yaml_error(doc, map, "accepted: both bind_dn and "
		    "bind_password_file, or neither");
}

static void
check_groups(const struct conf_ldap *ldap, struct yamldoc *doc,
    struct yaml_node *map)
{
	struct yaml_node	*groups = find(map, "groups");
	bool			 member;

	member = strcmp(ldap->groups_mode, "member") == 0;
	if (strcmp(ldap->groups_mode, "none") == 0) {
		if (ldap->require_group != NULL)
			yaml_error(doc, find(map, "require_group"),
			    "accepted: only with groups.mode");
		return;
	}
	if (ldap->groups_base == NULL)
		missing(doc, groups, "base", "the DN beneath which groups "
		    "are");
	if (ldap->groups_filter != NULL)
		check_filter(doc, groups, "filter", ldap->groups_filter,
		    true);
	if (ldap->groups_nested && !member)
		yaml_error(doc, find(groups, "nested"), "accepted: only with "
		    "mode: member");
}

void
conf_ldap_check(const struct authd_conf *conf, struct yamldoc *doc)
{
	struct yaml_node	*map = NULL;

	if (doc->root != NULL)
		map = yaml_find(doc->root, "ldap");
	if (map == NULL || map->type != YAML_MAP)
		return;
	if (conf->ldap.uris.n == 0) {
		if (yaml_find(map, "uris") == NULL)
			missing(doc, map, "uris", "a list of addresses such "
			    "as ldaps://ldap.example.com");
		return;
	}
	check_uris(&conf->ldap, doc, map);
	check_users(&conf->ldap, doc, map);
	check_groups(&conf->ldap, doc, map);
}
