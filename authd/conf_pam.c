/* SPDX-License-Identifier: ISC */
/*
 * What the table of keys cannot say about "pam:".  Runs in the parent and in
 * authctl; looks at no file.
 */
#include <string.h>

#include "conf.h"
#include "yamldoc.h"

void
conf_pam_check(struct authd_conf *conf, struct yamldoc *doc)
{
	struct yaml_node	*map = NULL, *node;

	if (doc->root != NULL)
		map = yaml_find(doc->root, "pam");
	if (map == NULL || map->type != YAML_MAP)
		return;
	/* Every key has a default, so an empty map does. */
	conf->pam.configured = true;
	map->used = true;
	node = yaml_find(map, "service");
	if (node != NULL && (strchr(conf->pam.service, '/') != NULL ||
	    *conf->pam.service == '.'))
		conf_wrong(doc, node, "the name of a file in /etc/pam.d");
	node = yaml_find(map, "confdir");
	if (node != NULL && conf->pam.confdir != NULL &&
	    *conf->pam.confdir != '/')
		conf_wrong(doc, node, "a directory, from the root directory");
}
