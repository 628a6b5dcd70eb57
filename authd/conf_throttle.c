/* SPDX-License-Identifier: ISC */
/*
 * Checks what the configuration says about proxies and throttling.  Runs in
 * the parent and in authctl.
 */
#include "conf.h"
#include "proxies.h"
#include "yamldoc.h"

static void
check_proxies(const struct authd_conf *conf, struct yamldoc *doc)
{
	struct yaml_node	*node = yaml_find(doc->root, "proxies");
	const char		*wrong;
	size_t			 i;

	for (i = 0; i < conf->proxies.n; i++) {
		wrong = proxies_check(conf->proxies.items[i]);
		if (wrong != NULL)
			yaml_error(doc, node, "found \"%s\", accepted: a "
			    "network as \"10.0.0.0/8\", or \"unix\" (%s)",
			    conf->proxies.items[i], wrong);
	}
}

void
conf_throttle_check(const struct authd_conf *conf, struct yamldoc *doc)
{
	const struct throttle_conf	*t = &conf->throttle;
	struct yaml_node		*node;

	if (doc->root == NULL)
		return;
	check_proxies(conf, doc);
	node = yaml_find(doc->root, "throttle");
	if (node != NULL && t->failures_per_user != 0 &&
	    t->failures_per_user < t->failures_per_source)
		yaml_error(doc, node, "found %llu failures_per_user, "
		    "accepted: as many as failures_per_source, %llu, or more, "
		    "so that one source cannot slow a user down",
		    (unsigned long long)t->failures_per_user,
		    (unsigned long long)t->failures_per_source);
	if (conf->grace_ms > 0 && conf->cache_size == 0)
		yaml_error(doc, yaml_find(doc->root, "grace"),
		    "accepted: 0s without limits.cache, which it needs");
}
