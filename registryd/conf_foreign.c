/* SPDX-License-Identifier: ISC */
/*
 * The keys of distribution's config.yml that registryd does not have.  Most
 * are ignored with a warning.  Where that would serve another store, or serve
 * it to anybody, it is an error.
 */
#include "conf_key.h"

#include <string.h>

#define OTHER_STORE	"this storage driver is not supported; ignoring it " \
	"would serve another store (there is: filesystem)"
#define NO_ACCESS	"this kind of access control is not supported; " \
	"ignoring it would let everybody in (there are: token, htpasswd)"

const struct conf_foreign conf_foreign[] = {
	{ "loglevel", false, true, "ignored; log.level has its place" },
	{ "log.hooks", false, true, "not supported, ignored" },
	{ "log.reportcaller", false, true, "not supported, ignored" },

	{ "storage.s3", true, false, OTHER_STORE },
	{ "storage.s3aws", true, false, OTHER_STORE },
	{ "storage.azure", true, false, OTHER_STORE },
	{ "storage.gcs", true, false, OTHER_STORE },
	{ "storage.inmemory", true, false, OTHER_STORE },
	{ "storage.oss", true, false, OTHER_STORE },
	{ "storage.swift", true, false, OTHER_STORE },
	{ "storage.filesystem.maxthreads", false, true,
	    "ignored; registryd.keepers is the number of writers" },
	{ "storage.cache", false, true,
	    "not needed, ignored: nothing is served from a cache unchecked" },
	{ "storage.redirect", false, true, "not supported, ignored" },
	{ "storage.tag", false, true, "not needed, ignored" },

	{ "auth.none", false, true, "takes no parameters, ignored" },
	{ "auth.silly", true, false, NO_ACCESS },
	{ "auth.token.autoredirect", false, true, "not supported, ignored" },
	{ "auth.token.autoredirectpath", false, true,
	    "not supported, ignored" },

	{ "middleware", false, true, "not supported, ignored" },

	{ "http.secret", false, true,
	    "not needed, ignored: upload sessions are not signed" },
	{ "http.tls.letsencrypt", true, true,
	    "not supported; ignoring it would serve without TLS" },
	{ "http.http2", false, true, "not supported, ignored" },
	{ "http.h2c", false, true, "not supported, ignored" },

	{ "notifications", false, true, "not supported, ignored" },
	{ "redis", false, true, "not needed, ignored" },
	{ "health", false, true, "not supported, ignored" },

	{ "proxy.remoteurl", true, true,
	    "pull-through is not supported; ignoring it would serve an empty "
	    "store and take pushes" },
	{ "proxy.username", false, true, "not supported, ignored" },
	{ "proxy.password", false, true, "not supported, ignored" },
	{ "proxy.exec", false, true, "not supported, ignored" },
	{ "proxy.ttl", false, true, "not supported, ignored" },
	{ "proxy.cachewritetimeout", false, true, "not supported, ignored" },

	{ "validation", false, true,
	    "not supported, ignored: URLs and platforms are not checked" },
	{ "policy", false, true,
	    "not supported, ignored: repository classes are not enforced" },
	{ "reporting", false, true, "not supported, ignored" },
	{ "compatibility", false, true, "not supported, ignored" },
};

const size_t conf_nforeign = sizeof(conf_foreign) / sizeof(conf_foreign[0]);

const struct conf_foreign *
conf_foreign_find(const char *path)
{
	size_t i;

	for (i = 0; i < conf_nforeign; i++) {
		if (strcmp(conf_foreign[i].path, path) == 0)
			return &conf_foreign[i];
	}
	return NULL;
}

void
conf_foreign_report(struct yamldoc *doc, struct yaml_node *node,
    const struct conf_foreign *foreign)
{
	if (foreign->unless_empty && node->nitems == 0 &&
	    node->scalar[0] == '\0')
		return;
	if (foreign->fatal)
		yaml_error(doc, node, "%s", foreign->text);
	else
		yaml_warning(doc, node, "%s", foreign->text);
}
