/* SPDX-License-Identifier: ISC */
/*
 * What the keys beneath "credentials:" must have to do with each other.  Runs
 * in the parent and in authctl; opens nothing.
 */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "str.h"
#include "xmem.h"
#include "yamldoc.h"

#define SOCKET_NAME	"control.sock"

/* Beside the database, where only the vault's user can be. */
static void
default_control(struct conf_credentials *credentials)
{
	char	*copy = xstrdup(credentials->database);

	credentials->control = xasprintf("%s/%s", dirname(copy), SOCKET_NAME);
	free(copy);
}

static void
check_lifetimes(const struct conf_credentials *c, struct yamldoc *doc,
    struct yaml_node *map)
{
	struct yaml_node	*node = yaml_find(map, "lifetime");
	char			 max[32], found[32];

	if (c->max_lifetime_ms == 0 || (c->lifetime_ms != 0 &&
	    c->lifetime_ms <= c->max_lifetime_ms))
		return;
	str_duration(max, sizeof(max), c->max_lifetime_ms);
	str_duration(found, sizeof(found), c->lifetime_ms);
	yaml_error(doc, node == NULL ? map : node, "%sfound %s, accepted: at "
	    "most max_lifetime, %s; 0s, for tokens that do not end, only "
	    "beside max_lifetime: 0s", node == NULL ? "lifetime: " : "",
	    found, max);
}

void
conf_credentials_check(struct authd_conf *conf, struct yamldoc *doc)
{
	struct conf_credentials	*c = &conf->credentials;
	struct yaml_node	*map = NULL;

	if (doc->root != NULL)
		map = yaml_find(doc->root, "credentials");
	if (map == NULL || map->type != YAML_MAP)
		return;
	if (c->database == NULL) {
		if (yaml_find(map, "database") == NULL)
			yaml_error(doc, map, "database: missing, accepted: "
			    "the name of a file");
		return;
	}
	if (c->control == NULL)
		default_control(c);
	check_lifetimes(c, doc, map);
	if (conf->ldap.uris.n > 0 && conf->ldap.bind_dn == NULL &&
	    strcmp(conf->ldap.mode, "template") == 0)
		yaml_error(doc, map, "accepted: with ldap.mode: template "
		    "only beside ldap.bind_dn, as which owners of tokens are "
		    "looked up");
}
