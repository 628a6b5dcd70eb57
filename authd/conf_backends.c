/* SPDX-License-Identifier: ISC */
/*
 * The kinds of credential backends as the configuration knows them: names,
 * roles, and where each has its keys.  What a backend does is its driver's
 * (cred.h) and runs in its verifiers only.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_key.h"
#include "messages.h"
#include "xmem.h"
#include "yamldoc.h"

static bool
has_htpasswd(const struct authd_conf *conf)
{
	return conf->htpasswd != NULL;
}

static bool
has_ldap(const struct authd_conf *conf)
{
	return conf->ldap.uris.n > 0;
}

static bool
has_pam(const struct authd_conf *conf)
{
	return conf->pam.configured;
}

/* In the order in which they are asked when nothing is said. */
const struct conf_backend	conf_backends[] = {
	{ "htpasswd", ROLE_VERIFIER, "verifier", "verifier_user",
	    offsetof(struct authd_conf, verifiers),
	    offsetof(struct authd_conf, verifier_user), has_htpasswd, false },
	{ "ldap", ROLE_VERIFIER_LDAP, "verifier-ldap", "ldap.user",
	    offsetof(struct authd_conf, ldap.verifiers),
	    offsetof(struct authd_conf, ldap.user), has_ldap, false },
	{ "pam", ROLE_VERIFIER_PAM, "verifier-pam", "pam.user",
	    offsetof(struct authd_conf, pam.verifiers),
	    offsetof(struct authd_conf, pam.user), has_pam, true },
	{ NULL, 0, NULL, NULL, 0, 0, NULL, false }
};

const struct conf_backend *
conf_backend_find(const char *name)
{
	const struct conf_backend	*backend;

	for (backend = conf_backends; backend->name != NULL; backend++)
		if (strcmp(backend->name, name) == 0)
			return backend;
	return NULL;
}

const struct conf_backend *
conf_backend_of_role(unsigned role)
{
	const struct conf_backend	*backend;

	for (backend = conf_backends; backend->name != NULL; backend++)
		if (backend->role == role)
			return backend;
	return NULL;
}

bool
conf_backend_is_used(const struct authd_conf *conf, unsigned role)
{
	const struct conf_backend	*backend;
	size_t				 i;

	for (i = 0; i < conf->backends.n; i++) {
		backend = conf_backend_find(conf->backends.items[i]);
		if (backend != NULL && backend->role == role)
			return true;
	}
	return false;
}

unsigned
conf_backend_count(const struct authd_conf *conf,
    const struct conf_backend *backend)
{
	uint64_t	 n;

	memcpy(&n, (const char *)conf + backend->count, sizeof(n));
	return (unsigned)n;
}

const char *
conf_backend_user(const struct authd_conf *conf,
    const struct conf_backend *backend)
{
	const char	*user;

	memcpy(&user, (const char *)conf + backend->user, sizeof(user));
	return user;
}

/* "a, b, c" */
static void
list_names(char *text, size_t size)
{
	const struct conf_backend	*backend;
	size_t				 len = 0;

	*text = '\0';
	for (backend = conf_backends; backend->name != NULL && len < size;
	    backend++)
		len += (size_t)snprintf(text + len, size - len, "%s%s",
		    len > 0 ? ", " : "", backend->name);
}

/* One of the list: known, configured, and not there before. */
static void
check_item(const struct authd_conf *conf, struct yamldoc *doc,
    struct yaml_node *node, size_t i)
{
	const char			*name = conf->backends.items[i];
	const struct conf_backend	*backend = conf_backend_find(name);
	char				 names[128];
	size_t				 j;

	if (backend == NULL) {
		list_names(names, sizeof(names));
		conf_wrong(doc, node, names);
	} else if (!backend->configured(conf)) {
		yaml_error(doc, node, "%s is not configured", name);
	}
	for (j = 0; j < i; j++)
		if (strcmp(conf->backends.items[j], name) == 0)
			yaml_error(doc, node, "%s is there twice", name);
}

void
conf_backends_check(struct authd_conf *conf, struct yamldoc *doc)
{
	const struct conf_backend	*backend;
	struct yaml_node		*node = NULL;
	char				 names[128];
	size_t				 i;

	if (doc->root != NULL)
		node = yaml_find(doc->root, "backends");
	if (conf->backends.n == 0) {
		for (backend = conf_backends; backend->name != NULL; backend++)
			if (backend->configured(conf) && conf_list_add(
			    &conf->backends, backend->name) == -1)
				fatalx("out of memory");
		list_names(names, sizeof(names));
		if (conf->backends.n == 0)
			yaml_error(doc, doc->root, "nothing checks passwords, "
			    "accepted: at least one of %s", names);
		return;
	}
	/* Items that were wrong are reported and not in the list. */
	if (node == NULL || node->nitems != conf->backends.n)
		return;
	for (i = 0; i < conf->backends.n; i++)
		check_item(conf, doc, node->items[i], i);
}
