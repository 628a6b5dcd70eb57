/* SPDX-License-Identifier: ISC */
/*
 * Every key of registryd's configuration in one table, and the access to the
 * members that it describes.  Defaults and limits are here and nowhere else,
 * but the defaults of the HTTP layer, which come from http_limits_default.
 * Used in every process; reads no file.
 */
#include "conf_key.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "xmem.h"

#define MEMBER(m)	offsetof(struct registry_conf, m), \
	sizeof(((struct registry_conf *)0)->m)
#define KIB		UINT64_C(1024)
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)
#define SECOND		UINT64_C(1000)
#define HOUR		(3600 * SECOND)
#define YEARS		(10 * 365 * 24 * HOUR)	/* "for ever" */

static const char *const level_words[] = {
	"error", "warn", "info", "debug", NULL
};
static const char *const format_words[] = {
	"text", "json", "logstash", NULL
};
static const char *const net_words[] = { "tcp", "unix", NULL };
static const char *const tls_words[] = {
	"tls1.0", "tls1.1", "tls1.2", "tls1.3", NULL
};
/* In the order of enum tls_client_auth. */
static const char *const clientauth_words[] = {
	"", "request-client-cert", "require-any-client-cert",
	"verify-client-cert-if-given", "require-and-verify-client-cert", NULL
};
/* In the order of enum store_durability. */
static const char *const durability_words[] = {
	"full", "batch", "none", NULL
};
/* Instead of a duration. */
static const char *const untagged_words[] = { "keep", NULL };

const struct conf_key conf_keys[] = {
	{ "log.accesslog.disabled", CONF_BOOL, MEMBER(accesslog_disabled),
	    "false", 0, 1, NULL },
	{ "log.level", CONF_ENUM, MEMBER(log_level), "info", 0, 3,
	    level_words },
	{ "log.formatter", CONF_ENUM, MEMBER(log_format), "text", 0, 2,
	    format_words },
	{ "log.fields", CONF_FIELDS, MEMBER(log_fields), NULL, 0, 0, NULL },

	{ "storage.filesystem.rootdirectory", CONF_STRING, MEMBER(root),
	    "/var/lib/registry", 0, 0, NULL },
	{ "storage.delete.enabled", CONF_BOOL, MEMBER(delete_enabled),
	    "false", 0, 1, NULL },
	{ "storage.maintenance.readonly.enabled", CONF_BOOL,
	    MEMBER(readonly), "false", 0, 1, NULL },
	{ "storage.maintenance.uploadpurging.enabled", CONF_BOOL,
	    MEMBER(purge_enabled), "true", 0, 1, NULL },
	{ "storage.maintenance.uploadpurging.age", CONF_DURATION,
	    MEMBER(purge_age_ms), "168h", SECOND, YEARS, NULL },
	{ "storage.maintenance.uploadpurging.interval", CONF_DURATION,
	    MEMBER(purge_interval_ms), "24h", SECOND, YEARS, NULL },
	{ "storage.maintenance.uploadpurging.dryrun", CONF_BOOL,
	    MEMBER(purge_dryrun), "false", 0, 1, NULL },

	{ "auth.token.realm", CONF_STRING, MEMBER(token_realm), NULL, 0, 0,
	    NULL },
	{ "auth.token.service", CONF_STRING, MEMBER(token_service), NULL, 0,
	    0, NULL },
	{ "auth.token.issuer", CONF_STRING, MEMBER(token_issuer), NULL, 0, 0,
	    NULL },
	{ "auth.token.rootcertbundle", CONF_STRING, MEMBER(token_roots),
	    NULL, 0, 0, NULL },
	{ "auth.token.jwks", CONF_STRING, MEMBER(token_jwks), NULL, 0, 0,
	    NULL },
	{ "auth.token.signingalgorithms", CONF_LIST,
	    MEMBER(token_algorithms), NULL, 0, 0, NULL },

	{ "auth.htpasswd.realm", CONF_STRING, MEMBER(htpasswd_realm), NULL,
	    0, 0, NULL },
	{ "auth.htpasswd.path", CONF_STRING, MEMBER(htpasswd_path), NULL, 0,
	    0, NULL },

	{ "http.addr", CONF_STRING, MEMBER(addr), ":5000", 0, 0, NULL },
	{ "http.net", CONF_STRING, MEMBER(net), "tcp", 0, 0, net_words },
	{ "http.host", CONF_STRING, MEMBER(host), NULL, 0, 0, NULL },
	{ "http.prefix", CONF_STRING, MEMBER(prefix), NULL, 0, 0, NULL },
	{ "http.relativeurls", CONF_BOOL, MEMBER(relativeurls), "true", 0, 1,
	    NULL },
	{ "http.draintimeout", CONF_DURATION, MEMBER(drain_timeout_ms),
	    "30s", 0, 24 * HOUR, NULL },
	{ "http.headers", CONF_HEADERS, MEMBER(http_headers), NULL, 0, 0,
	    NULL },
	{ "http.debug.addr", CONF_STRING, MEMBER(debug_addr), NULL, 0, 0,
	    NULL },
	{ "http.debug.prometheus.enabled", CONF_BOOL,
	    MEMBER(metrics_enabled), "false", 0, 1, NULL },
	{ "http.debug.prometheus.path", CONF_STRING, MEMBER(metrics_path),
	    "/metrics", 0, 0, NULL },
	{ "http.tls.certificate", CONF_STRING, MEMBER(tls_certificate), NULL,
	    0, 0, NULL },
	{ "http.tls.key", CONF_STRING, MEMBER(tls_key), NULL, 0, 0, NULL },
	{ "http.tls.minimumtls", CONF_STRING, MEMBER(tls_minimum), "tls1.2",
	    0, 0, tls_words },
	{ "http.tls.clientcas", CONF_LIST, MEMBER(tls_clientcas), NULL, 0, 0,
	    NULL },
	{ "http.tls.clientauth", CONF_ENUM, MEMBER(tls_client_auth), NULL, 0,
	    4, clientauth_words },
	{ "http.tls.ciphersuites", CONF_LIST, MEMBER(tls_ciphersuites), NULL,
	    0, 0, NULL },

	{ "catalog.maxentries", CONF_CUT, MEMBER(catalog_max), "1000", 1,
	    100000, NULL },
	{ "tags.maxtags", CONF_CUT, MEMBER(tags_max), "1000", 1, 100000,
	    NULL },

	{ "registryd.workers", CONF_COUNT, MEMBER(workers), "2", 1, 64,
	    NULL },
	{ "registryd.keepers", CONF_COUNT, MEMBER(keepers), "2", 1, 64,
	    NULL },
	{ "registryd.verifiers", CONF_COUNT, MEMBER(verifiers), "2", 1, 64,
	    NULL },
	{ "registryd.user", CONF_STRING, MEMBER(user), "_registryd", 0, 0,
	    NULL },
	{ "registryd.worker_user", CONF_STRING, MEMBER(worker_user),
	    "_regworker", 0, 0, NULL },
	{ "registryd.verifier_user", CONF_STRING, MEMBER(verifier_user),
	    "_regverify", 0, 0, NULL },
	{ "registryd.durability", CONF_ENUM, MEMBER(durability), "full", 0,
	    2, durability_words },
	{ "registryd.reserve", CONF_SIZE, MEMBER(reserve), "64MiB", 0,
	    INT64_MAX, NULL },
	{ "registryd.keeper_timeout", CONF_DURATION,
	    MEMBER(keeper_timeout_ms), "60s", SECOND, HOUR, NULL },
	{ "registryd.lease_timeout", CONF_DURATION,
	    MEMBER(lease_timeout_ms), "3s", SECOND / 10, HOUR, NULL },
	{ "registryd.control", CONF_STRING, MEMBER(control), NULL, 0, 0,
	    NULL },
	{ "registryd.collect.enabled", CONF_BOOL, MEMBER(collect_enabled),
	    "true", 0, 1, NULL },
	{ "registryd.collect.interval", CONF_DURATION,
	    MEMBER(collect_interval_ms), "1h", SECOND / 10, YEARS, NULL },
	{ "registryd.collect.grace", CONF_DURATION,
	    MEMBER(collect_grace_ms), "24h", SECOND / 10, YEARS, NULL },
	{ "registryd.collect.delay", CONF_DURATION,
	    MEMBER(collect_delay_ms), "2h", 0, YEARS, NULL },
	{ "registryd.collect.untagged", CONF_DURATION,
	    MEMBER(collect_untagged_ms), "keep", SECOND / 10, YEARS,
	    untagged_words },
	{ "registryd.collect.memory", CONF_SIZE, MEMBER(collect_memory),
	    "1GiB", 1 << 16, INT64_MAX, NULL },
	{ "registryd.scrub.enabled", CONF_BOOL, MEMBER(scrub_enabled),
	    "false", 0, 1, NULL },
	{ "registryd.scrub.interval", CONF_DURATION,
	    MEMBER(scrub_interval_ms), "720h", SECOND / 10, YEARS, NULL },
	{ "registryd.scrub.rate", CONF_SIZE, MEMBER(scrub_rate), "32MiB", 0,
	    INT64_MAX, NULL },
	{ "registryd.token.max_lifetime", CONF_SECONDS,
	    MEMBER(max_lifetime_s), "24h", 1, YEARS / SECOND, NULL },
	{ "registryd.token.leeway", CONF_SECONDS, MEMBER(leeway_s), "60s", 0,
	    3600, NULL },
	{ "registryd.token.cache", CONF_COUNT, MEMBER(token_cache), "4096",
	    0, 1000000, NULL },
	{ "registryd.htpasswd.cache", CONF_COUNT, MEMBER(user_cache), "4096",
	    0, 1000000, NULL },
	{ "registryd.htpasswd.cache_ttl", CONF_DURATION,
	    MEMBER(user_cache_ttl_ms), "1m", 0, HOUR, NULL },
	{ "registryd.htpasswd.check_timeout", CONF_DURATION,
	    MEMBER(check_timeout_ms), "8s", SECOND, HOUR, NULL },
	{ "registryd.htpasswd.failure_time", CONF_DURATION,
	    MEMBER(failure_time_ms), "300ms", 0, 5 * SECOND, NULL },
	{ "registryd.htpasswd.failures", CONF_COUNT,
	    MEMBER(throttle.failures_per_source), "0", 0, 1000000, NULL },
	{ "registryd.htpasswd.penalty", CONF_DURATION,
	    MEMBER(throttle.penalty_ms), "1m", SECOND, HOUR, NULL },
	{ "registryd.htpasswd.queue", CONF_COUNT, MEMBER(check_queue), "64",
	    1, 1024, NULL },
	{ "registryd.htpasswd.window", CONF_DURATION,
	    MEMBER(throttle.window_ms), "5m", SECOND, 24 * HOUR, NULL },
	{ "registryd.limits.manifest", CONF_SIZE, MEMBER(max_manifest),
	    "4MiB", 1 * KIB, 4 * MIB, NULL },
	{ "registryd.limits.blob", CONF_SIZE, MEMBER(max_blob), "0", 0,
	    INT64_MAX, NULL },
	{ "registryd.limits.tags_per_put", CONF_COUNT,
	    MEMBER(max_tags_per_put), "16", 1, 100, NULL },
	{ "registryd.limits.uploads", CONF_COUNT, MEMBER(max_uploads), "1000",
	    1, 1000000, NULL },
	{ "registryd.limits.uploads_total", CONF_COUNT,
	    MEMBER(max_uploads_total), "10000", 1, 100000000, NULL },
	{ "registryd.limits.referrers", CONF_COUNT, MEMBER(referrers_max),
	    "100", 1, 1000, NULL },
	{ "registryd.limits.connections", CONF_COUNT,
	    MEMBER(http.max_connections), NULL, 1, 1000000, NULL },
	{ "registryd.limits.requests", CONF_COUNT, MEMBER(http.max_requests),
	    NULL, 1, INT64_MAX, NULL },
	{ "registryd.limits.head_size", CONF_SIZE,
	    MEMBER(http.max_head_size), NULL, 1 * KIB, 1 * MIB, NULL },
	{ "registryd.limits.headers", CONF_COUNT, MEMBER(http.max_headers),
	    NULL, 8, 1000, NULL },
	{ "registryd.limits.target", CONF_SIZE, MEMBER(http.max_target),
	    NULL, 256, 1 * MIB, NULL },
	{ "registryd.limits.pipelined", CONF_SIZE,
	    MEMBER(http.max_pipelined), NULL, 1 * KIB, 16 * MIB, NULL },
	{ "registryd.limits.discard", CONF_SIZE, MEMBER(http.max_discard),
	    NULL, 0, 1 * GIB, NULL },
	{ "registryd.limits.tls_timeout", CONF_DURATION,
	    MEMBER(http.tls_timeout_ms), NULL, SECOND / 10, HOUR, NULL },
	{ "registryd.limits.head_timeout", CONF_DURATION,
	    MEMBER(http.head_timeout_ms), NULL, SECOND / 10, HOUR, NULL },
	{ "registryd.limits.idle_timeout", CONF_DURATION,
	    MEMBER(http.idle_timeout_ms), NULL, SECOND / 10, HOUR, NULL },
	{ "registryd.limits.body_timeout", CONF_DURATION,
	    MEMBER(http.body_timeout_ms), NULL, SECOND / 10, HOUR, NULL },
	{ "registryd.limits.send_timeout", CONF_DURATION,
	    MEMBER(http.send_timeout_ms), NULL, SECOND / 10, HOUR, NULL },
};

const size_t conf_nkeys = sizeof(conf_keys) / sizeof(conf_keys[0]);

const struct conf_key *
conf_key_find(const char *path)
{
	size_t i;

	for (i = 0; i < conf_nkeys; i++) {
		if (strcmp(conf_keys[i].path, path) == 0)
			return &conf_keys[i];
	}
	return NULL;
}

void *
conf_key_member(struct registry_conf *conf, const struct conf_key *key)
{
	return (char *)conf + key->offset;
}

const void *
conf_key_member_const(const struct registry_conf *conf,
    const struct conf_key *key)
{
	return (const char *)conf + key->offset;
}

uint64_t
conf_key_number(const struct registry_conf *conf, const struct conf_key *key)
{
	const void *member = conf_key_member_const(conf, key);
	uint32_t v32;
	uint64_t v64;
	bool b;

	if (key->type == CONF_BOOL) {
		memcpy(&b, member, sizeof(b));
		return b;
	}
	if (key->size == sizeof(v32)) {
		memcpy(&v32, member, sizeof(v32));
		return v32;
	}
	memcpy(&v64, member, sizeof(v64));
	return v64;
}

void
conf_key_set_number(struct registry_conf *conf, const struct conf_key *key,
    uint64_t v)
{
	void *member = conf_key_member(conf, key);
	uint32_t v32 = (uint32_t)v;
	bool b = v != 0;

	if (key->type == CONF_BOOL)
		memcpy(member, &b, sizeof(b));
	else if (key->size == sizeof(v32))
		memcpy(member, &v32, sizeof(v32));
	else
		memcpy(member, &v, sizeof(v));
}

bool
conf_key_is_unset(const struct registry_conf *conf,
    const struct conf_key *key)
{
	const void *member = conf_key_member_const(conf, key);

	switch (key->type) {
	case CONF_STRING:
		return *(char *const *)member == NULL;
	case CONF_LIST:
		return ((const struct conf_list *)member)->n == 0;
	case CONF_FIELDS:
	case CONF_HEADERS:
		return ((const struct conf_pairs *)member)->n == 0;
	case CONF_ENUM:
		return key->words[conf_key_number(conf, key)][0] == '\0';
	default:
		return false;
	}
}

int
conf_key_word(const struct conf_key *key, const char *text)
{
	int i;

	for (i = 0; key->words[i] != NULL; i++) {
		if (key->words[i][0] != '\0' &&
		    str_equal_nocase(key->words[i], text))
			return i;
	}
	return -1;
}

void
conf_list_add(struct conf_list *list, const char *item)
{
	list->items = xreallocarray(list->items, list->n + 1,
	    sizeof(*list->items));
	list->items[list->n++] = xstrdup(item);
}

void
conf_list_clear(struct conf_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	list->items = NULL;
	list->n = 0;
}

void
conf_pairs_add(struct conf_pairs *pairs, const char *name, const char *value)
{
	pairs->items = xreallocarray(pairs->items, pairs->n + 1,
	    sizeof(*pairs->items));
	pairs->items[pairs->n].name = xstrdup(name);
	pairs->items[pairs->n++].value = xstrdup(value);
}

void
conf_pairs_clear(struct conf_pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		free(pairs->items[i].name);
		free(pairs->items[i].value);
	}
	free(pairs->items);
	pairs->items = NULL;
	pairs->n = 0;
}
