/* SPDX-License-Identifier: ISC */
/*
 * Unit tests of registryd/conf*.c: values, the environment, messages, and
 * the two ways of a configuration out and back, as YAML and value by value.
 * The text of errors is in tests/config/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"

#define LEN(a)	(sizeof(a) / sizeof((a)[0]))

static char	*messages;

/* Parse; what was said is in "messages" until the next call. */
static struct registry_conf *
parse_env(const char *text, char *const *env)
{
	struct registry_conf *conf;
	size_t size;
	FILE *fp;

	free(messages);
	messages = NULL;
	fp = open_memstream(&messages, &size);
	assert_non_null(fp);
	conf = conf_parse("f.yml", text, strlen(text), env, fp);
	fclose(fp);
	return conf;
}

static struct registry_conf *
parse(const char *text)
{
	return parse_env(text, NULL);
}

static char *
print(const struct registry_conf *conf)
{
	char *text = NULL;
	size_t size;
	FILE *fp = open_memstream(&text, &size);

	assert_non_null(fp);
	conf_print(conf, fp);
	fclose(fp);
	return text;
}

static const char full[] =
    "version: 0.1\n"
    "log: {accesslog: {disabled: true}, level: warn, formatter: logstash,\n"
    "  fields: {a: b, \"c d\": \"e\\n\\u20ac\"}}\n"
    "storage:\n"
    "  filesystem: {rootdirectory: /srv}\n"
    "  delete: {enabled: true}\n"
    "  maintenance:\n"
    "    readonly: {enabled: true}\n"
    "    uploadpurging: {enabled: false, age: 1h, interval: 2h, "
    "dryrun: true}\n"
    "auth: {token: {realm: r, service: s, issuer: i, rootcertbundle: c,\n"
    "  jwks: j, signingalgorithms: [RS256, ES384]}}\n"
    "http:\n"
    "  addr: localhost:5001\n"
    "  net: tcp\n"
    "  host: https://h.example/\n"
    "  prefix: /p/\n"
    "  relativeurls: false\n"
    "  draintimeout: 5s\n"
    "  headers: {X-A: [b, c], X-D: [\"\"]}\n"
    "  debug: {addr: \"localhost:5002\", prometheus: {enabled: true, "
    "path: /m}}\n"
    "  tls: {certificate: tc, key: tk, minimumtls: tls1.3,\n"
    "    clientcas: [x, y], clientauth: request-client-cert,\n"
    "    ciphersuites: [TLS_AES_128_GCM_SHA256]}\n"
    "catalog: {maxentries: 10}\n"
    "tags: {maxtags: 11}\n"
    "registryd:\n"
    "  workers: 3\n"
    "  keepers: 4\n"
    "  user: u\n"
    "  worker_user: w\n"
    "  verifiers: 5\n"
    "  verifier_user: v\n"
    "  htpasswd: {cache: 3, cache_ttl: 4s, check_timeout: 5s,\n"
    "    failure_time: 4s, failures: 5, penalty: 7s, window: 8s, queue: 6}\n"
    "  durability: none\n"
    "  keeper_timeout: 6s\n"
    "  lease_timeout: 2s\n"
    "  collect: {enabled: false, interval: 2h, grace: 3h, delay: 4h, "
    "untagged: 5h, memory: 1MiB}\n"
    "  token: {max_lifetime: 7m, leeway: 8s, cache: 9}\n"
    "  reserve: 1MiB\n"
    "  control: /run/c\n"
    "  scrub: {enabled: true, interval: 30m, rate: 2MiB}\n"
    "  limits: {manifest: 1MiB, blob: 1GiB, tags_per_put: 5,\n"
    "    uploads: 7, uploads_total: 70,\n"
    "    referrers: 6, connections: 7, requests: 8, head_size: 9KiB,\n"
    "    headers: 10, target: 11KiB, pipelined: 12KiB, discard: 13KiB,\n"
    "    tls_timeout: 14s, head_timeout: 15s, idle_timeout: 16s,\n"
    "    body_timeout: 17s, send_timeout: 18s}\n";

static void
test_defaults(void **state)
{
	struct registry_conf *conf = parse("version: 0.1\n");

	(void)state;
	assert_non_null(conf);
	assert_string_equal(messages, "");
	assert_false(conf->accesslog_disabled);
	assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
	assert_string_equal(conf->root, "/var/lib/registry");
	assert_false(conf->delete_enabled);
	assert_true(conf->purge_enabled);
	assert_int_equal(conf->purge_age_ms, UINT64_C(168) * 3600000);
	assert_null(conf->token_realm);
	assert_string_equal(conf->addr, ":5000");
	assert_true(conf->relativeurls);
	assert_null(conf->host);
	assert_null(conf->prefix);
	assert_int_equal(conf->catalog_max, 1000);
	assert_int_equal(conf->workers, 2);
	assert_int_equal(conf->durability, STORE_FULL);
	assert_int_equal(conf->max_manifest, 4 << 20);
	assert_memory_equal(&conf->http, &http_limits_default,
	    sizeof(conf->http));
	conf_free(conf);
	conf_free(NULL);
}

static void
test_full_log_storage_auth(void **state)
{
	struct registry_conf *c = parse(full);

	(void)state;
	assert_non_null(c);
	assert_string_equal(messages, "");
	assert_true(c->accesslog_disabled);
	assert_int_equal(c->log_level, LOG_LEVEL_WARN);
	assert_int_equal(c->log_format, LOG_FORMAT_LOGSTASH);
	assert_int_equal(c->log_fields.n, 2);
	assert_string_equal(c->log_fields.items[1].name, "c d");
	assert_string_equal(c->log_fields.items[1].value,
	    "e\n\xe2\x82\xac");
	assert_string_equal(c->root, "/srv");
	assert_true(c->delete_enabled);
	assert_true(c->readonly);
	assert_false(c->purge_enabled);
	assert_true(c->purge_dryrun);
	assert_int_equal(c->purge_age_ms, 3600000);
	assert_int_equal(c->purge_interval_ms, 7200000);
	assert_string_equal(c->token_realm, "r");
	assert_string_equal(c->token_service, "s");
	assert_string_equal(c->token_issuer, "i");
	assert_string_equal(c->token_roots, "c");
	assert_string_equal(c->token_jwks, "j");
	assert_int_equal(c->token_algorithms.n, 2);
	assert_string_equal(c->token_algorithms.items[1], "ES384");
	conf_free(c);
}

static void
test_full_http(void **state)
{
	struct registry_conf *c = parse(full);

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->addr, "localhost:5001");
	assert_string_equal(c->host, "https://h.example");
	assert_string_equal(c->prefix, "/p");
	assert_false(c->relativeurls);
	assert_int_equal(c->drain_timeout_ms, 5000);
	assert_int_equal(c->http_headers.n, 3);
	assert_string_equal(c->http_headers.items[1].name, "X-A");
	assert_string_equal(c->http_headers.items[1].value, "c");
	assert_string_equal(c->http_headers.items[2].value, "");
	assert_string_equal(c->debug_addr, "localhost:5002");
	assert_true(c->metrics_enabled);
	assert_string_equal(c->metrics_path, "/m");
	assert_true(conf_has_monitor(c));
	assert_string_equal(c->tls_certificate, "tc");
	assert_string_equal(c->tls_key, "tk");
	assert_string_equal(c->tls_minimum, "tls1.3");
	assert_int_equal(c->tls_clientcas.n, 2);
	assert_int_equal(c->tls_client_auth, TLS_CLIENT_REQUEST);
	assert_int_equal(c->tls_ciphersuites.n, 1);
	conf_free(c);
}

static void
test_full_registryd(void **state)
{
	struct registry_conf *c = parse(full);

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->catalog_max, 10);
	assert_int_equal(c->tags_max, 11);
	assert_int_equal(c->workers, 3);
	assert_int_equal(c->keepers, 4);
	assert_string_equal(c->user, "u");
	assert_string_equal(c->worker_user, "w");
	assert_int_equal(c->verifiers, 5);
	assert_string_equal(c->verifier_user, "v");
	assert_int_equal(c->user_cache, 3);
	assert_int_equal(c->user_cache_ttl_ms, 4000);
	assert_int_equal(c->check_timeout_ms, 5000);
	assert_int_equal(c->check_queue, 6);
	assert_int_equal(c->failure_time_ms, 4000);
	assert_int_equal(c->durability, STORE_NONE);
	assert_int_equal(c->keeper_timeout_ms, 6000);
	assert_int_equal(c->lease_timeout_ms, 2000);
	assert_false(c->collect_enabled);
	assert_int_equal(c->collect_interval_ms, 2 * 3600000);
	assert_int_equal(c->collect_grace_ms, 3 * 3600000);
	assert_int_equal(c->collect_delay_ms, 4 * 3600000);
	assert_int_equal(c->collect_untagged_ms, 5 * 3600000);
	assert_int_equal(c->collect_memory, 1 << 20);
	assert_int_equal(c->max_lifetime_s, 420);
	assert_int_equal(c->leeway_s, 8);
	assert_int_equal(c->token_cache, 9);
	assert_int_equal(c->max_manifest, 1 << 20);
	assert_int_equal(c->max_blob, 1 << 30);
	assert_int_equal(c->max_tags_per_put, 5);
	assert_int_equal(c->max_uploads, 7);
	assert_int_equal(c->max_uploads_total, 70);
	assert_int_equal(c->reserve, 1 << 20);
	assert_int_equal(c->referrers_max, 6);
	assert_int_equal(c->http.max_connections, 7);
	assert_int_equal(c->http.max_requests, 8);
	assert_int_equal(c->http.max_head_size, 9 << 10);
	assert_int_equal(c->http.max_headers, 10);
	assert_int_equal(c->http.max_target, 11 << 10);
	assert_int_equal(c->http.max_pipelined, 12 << 10);
	assert_int_equal(c->http.max_discard, 13 << 10);
	assert_int_equal(c->http.tls_timeout_ms, 14000);
	assert_int_equal(c->http.head_timeout_ms, 15000);
	assert_int_equal(c->http.idle_timeout_ms, 16000);
	assert_int_equal(c->http.body_timeout_ms, 17000);
	assert_int_equal(c->http.send_timeout_ms, 18000);
	conf_free(c);
}

static void
test_print_parses_again(void **state)
{
	static const char *const texts[] = { "version: 0.1\n", full };
	struct registry_conf *conf, *again;
	char *first, *second;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(texts); i++) {
		conf = parse(texts[i]);
		assert_non_null(conf);
		first = print(conf);
		again = parse(first);
		assert_non_null(again);
		assert_string_equal(messages, "");
		second = print(again);
		assert_string_equal(first, second);
		conf_free(conf);
		conf_free(again);
		free(first);
		free(second);
	}
}

/* Every value of "full" differs from its default, so each must travel. */
static void
test_values_travel_one_by_one(void **state)
{
	struct registry_conf *conf = parse(full), *child;
	char *value, *back, *before, *after;
	size_t i;

	(void)state;
	assert_non_null(conf);
	/* These do not stand beside auth.token in a file. */
	conf->htpasswd_realm = strdup("r");
	conf->htpasswd_path = strdup("/p");
	for (i = 0; i < conf_nvalues(); i++) {
		value = conf_get_value(conf, i);
		assert_non_null(value);
		child = conf_new();
		back = conf_get_value(child, i);
		/* all but http.net, which has two values only */
		if (back != NULL && strcmp(value, "tcp") != 0)
			assert_string_not_equal(value, back);
		free(back);
		assert_int_equal(conf_set_value(child, i, value), 0);
		back = conf_get_value(child, i);
		assert_string_equal(value, back);
		free(back);
		free(value);
		conf_free(child);
	}
	child = conf_new();
	for (i = 0; i < conf_nvalues(); i++) {
		value = conf_get_value(conf, i);
		assert_int_equal(conf_set_value(child, i, value), 0);
		/* twice is as once */
		assert_int_equal(conf_set_value(child, i, value), 0);
		free(value);
	}
	before = print(conf);
	after = print(child);
	assert_string_equal(before, after);
	free(before);
	free(after);
	conf_free(child);
	conf_free(conf);
}

static void
test_set_value_refuses(void **state)
{
	struct registry_conf *conf = conf_new();
	char *value;
	size_t i, refused = 0;

	(void)state;
	assert_int_equal(conf_set_value(conf, conf_nvalues(), "1"), -1);
	assert_null(conf_get_value(conf, conf_nvalues()));
	/* a string takes anything, the others never this */
	for (i = 0; i < conf_nvalues(); i++) {
		if (conf_set_value(conf, i, "[1") == -1) {
			refused++;
			continue;
		}
		value = conf_get_value(conf, i);
		assert_string_equal(value, "[1");
		free(value);
	}
	assert_true(refused > 30);
	conf_free(conf);
	conf = conf_new();
	/* the first is log.accesslog.disabled, the fourth log.fields */
	assert_int_equal(conf_set_value(conf, 0, "yes"), -1);
	assert_int_equal(conf_set_value(conf, 1, "loud"), -1);
	assert_int_equal(conf_set_value(conf, 3, "[\"odd\"]"), -1);
	assert_int_equal(conf_set_value(conf, 3, "[1,2]"), -1);
	assert_int_equal(conf_set_value(conf, 3, "{}"), -1);
	assert_int_equal(conf_set_value(conf, 3, "[\"a\",\"b\"]"), 0);
	assert_string_equal(conf->log_fields.items[0].value, "b");
	conf_free(conf);
}

static void
test_environment(void **state)
{
	static const char text[] =
	    "version: 0.1\nstorage: {filesystem: {rootdirectory: /file}, "
	    "delete: {enabled: true}}\nhttp: {headers: {X-A: [b]}}\n";
	/* applied by name, whatever their order here */
	char lines[][80] = {
		"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/env",
		"REGISTRY_STORAGE=filesystem",
		"REGISTRY_HTTP_ADDR=:5999",
		"REGISTRY_HTTP_HEADERS_X-A_1=c",
		"REGISTRY_LOG_LEVEL=debug",
		"REGISTRY_REGISTRYD_LIMITS_TAGS_PER_PUT=3",
		"REGISTRY_REGISTRYD_WORKER_USER=w",
		"REGISTRY_AUTH={token: {realm: r, service: s, issuer: i}}",
		"REGISTRY_AUTH_TOKEN_JWKS=/j",
		"HOME=/root",
		"REGISTRYX_HTTP_ADDR=:1",
		"NOEQUALS",
	};
	char *env[LEN(lines) + 1];
	struct registry_conf *conf;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(lines); i++)
		env[i] = lines[i];
	env[i] = NULL;
	conf = parse_env(text, env);
	assert_non_null(conf);
	assert_string_equal(messages, "");
	assert_string_equal(conf->root, "/env");
	/* the whole of "storage" was replaced */
	assert_false(conf->delete_enabled);
	assert_string_equal(conf->addr, ":5999");
	assert_int_equal(conf->http_headers.n, 2);
	assert_string_equal(conf->http_headers.items[1].value, "c");
	assert_int_equal(conf->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(conf->max_tags_per_put, 3);
	assert_string_equal(conf->worker_user, "w");
	assert_string_equal(conf->token_realm, "r");
	assert_string_equal(conf->token_jwks, "/j");
	conf_free(conf);
}

/* What a variable alone does to the smallest configuration. */
static void
test_environment_messages(void **state)
{
	static const struct {
		const char *variable;
		bool good;
		const char *want;	/* start of the only message */
	} cases[] = {
		{ "REGISTRY_PORT=tcp://10.0.0.1:5000", true,
		    "warning: REGISTRY_PORT: no such key" },
		{ "REGISTRY_HTTP_PORT=tcp://10.0.0.1:5000", true,
		    "warning: REGISTRY_HTTP_PORT: no such key" },
		{ "REGISTRY_AUTH_TOKEN_REALM_X=1", true,
		    "warning: REGISTRY_AUTH_TOKEN_REALM_X: no such key" },
		{ "REGISTRY_AUTH_TOKEN_SIGNINGALGORITHMS_X=1", true,
		    "warning: REGISTRY_AUTH_TOKEN_SIGNINGALGORITHMS_X: no" },
		{ "REGISTRY_http_addr=:1", true,
		    "warning: REGISTRY_http_addr: no such key" },
		{ "REGISTRY_HTTP__ADDR=:1", true,
		    "warning: REGISTRY_HTTP__ADDR: no such key" },
		{ "REGISTRY_=1", true, "warning: REGISTRY_: no such key" },
		{ "REGISTRY_VERSION=0.2", true,
		    "warning: REGISTRY_VERSION: no such key" },
		{ "REGISTRY_STORAGE_SERVICE_HOST=10.0.0.1", true,
		    "warning: REGISTRY_STORAGE_SERVICE_HOST: no such key" },
		{ "REGISTRY_CONFIGURATION_PATH=/x", true, "" },
		{ "REGISTRY_HTTP_HOST=", true, "" },
		{ "REGISTRY_STORAGE_DELETE_ENABLED=TRUE", true, "" },
		{ "REGISTRY_PROXY_REMOTEURL=", true, "" },
		{ "REGISTRY_HEALTH_FILECHECKERS=[]", true,
		    "warning: REGISTRY_HEALTH_FILECHECKERS: health: not" },
		{ "REGISTRY_REDIS_ADDRS=[x", true,
		    "warning: REGISTRY_REDIS_ADDRS: redis: not needed" },
		{ "REGISTRY_STORAGE_S3_BUCKET=b", false,
		    "error: REGISTRY_STORAGE_S3_BUCKET: storage.s3: this" },
		{ "REGISTRY_STORAGE=inmemory", false,
		    "error: REGISTRY_STORAGE: storage.inmemory: this" },
		{ "REGISTRY_AUTH=silly", false,
		    "error: REGISTRY_AUTH: auth.silly: this kind" },
		{ "REGISTRY_AUTH=tokens", false,
		    "error: REGISTRY_AUTH: auth.tokens: unknown key" },
		{ "REGISTRY_PROXY_REMOTEURL=https://x", false,
		    "error: REGISTRY_PROXY_REMOTEURL: proxy.remoteurl: pull" },
		{ "REGISTRY_HTTP_RELATIVEURLS=maybe", false,
		    "error: REGISTRY_HTTP_RELATIVEURLS: http.relativeurls: "
		    "found \"maybe\"" },
		{ "REGISTRY_HTTP_ADDR=[x", false,
		    "error: REGISTRY_HTTP_ADDR: http.addr: not valid YAML" },
		{ "REGISTRY_HTTP={adr: x}", false,
		    "error: REGISTRY_HTTP: http.adr: unknown key" },
	};
	char variable[128], *env[] = { variable, NULL };
	struct registry_conf *conf;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		snprintf(variable, sizeof(variable), "%s",
		    cases[i].variable);
		conf = parse_env("version: 0.1\n", env);
		if ((conf != NULL) != cases[i].good ||
		    strncmp(messages, cases[i].want,
		    strlen(cases[i].want)) != 0)
			fail_msg("%s: \"%s\"", variable, messages);
		if (cases[i].want[0] == '\0')
			assert_string_equal(messages, "");
		else	/* one line */
			assert_ptr_equal(strchr(messages, '\n'),
			    messages + strlen(messages) - 1);
		conf_free(conf);
	}
}

/* What would open a registry to everybody if it were only ignored. */
static void
test_access_control_is_never_lost(void **state)
{
	static const char *const bad[] = {
		"auth: token", "auth: htpasswd", "auth: silly", "auth: tokn",
		"auth: {token: }", "auth: {token: {}}", "auth: {htpasswd: }",
		"auth: {token: {realm: r, service: s, issuer: i}}",
		"auth: {token: {realm: r, service: s, jwks: j}}",
		"auth: {token: {service: s, issuer: i, jwks: j}}",
		"auth: {token: {realm: '', service: s, issuer: i, jwks: j}}",
		"auth: {Token: {realm: r}}", "auth: [token]",
		"auth.token: {realm: r}",
		"Auth: {token: {realm: r}}",
		"auth: {htpasswd: {realm: r}}", "auth: {htpasswd: {path: p}}",
		"auth: {htpasswd: {realm: '', path: p}}",
		"auth: {htpasswd: {realm: r, path: p}, "
		    "token: {realm: r, service: s, issuer: i, jwks: j}}",
	};
	static const char *const open[] = {
		"", "auth:", "auth: none", "auth: {}", "auth: {none: {}}",
	};
	struct registry_conf *conf;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		snprintf(text, sizeof(text), "version: 0.1\n%s\n", bad[i]);
		conf = parse(text);
		if (conf != NULL)
			fail_msg("%s: accepted", bad[i]);
		assert_non_null(strstr(messages, "error: f.yml:2: "));
	}
	for (i = 0; i < LEN(open); i++) {
		snprintf(text, sizeof(text), "version: 0.1\n%s\n", open[i]);
		conf = parse(text);
		assert_non_null(conf);
		assert_null(conf->token_realm);
		conf_free(conf);
	}
}

static void
test_host_makes_urls_absolute(void **state)
{
	struct registry_conf *conf = parse("version: 0.1\nhttp: "
	    "{host: \"http://a.example:5000\", relativeurls: true}\n");

	(void)state;
	assert_non_null(conf);
	assert_string_equal(conf->host, "http://a.example:5000");
	assert_false(conf->relativeurls);
	conf_free(conf);
}

static void
test_client_auth_follows_clientcas(void **state)
{
	struct registry_conf *conf = parse("version: 0.1\nhttp: {tls: "
	    "{certificate: c, key: k, clientcas: [a]}}\n");

	(void)state;
	assert_non_null(conf);
	assert_int_equal(conf->tls_client_auth, TLS_CLIENT_REQUIRE);
	conf_free(conf);
}

/* A value that would not fit the message to a child stops the parent. */
static void
test_value_too_long(void **state)
{
	static char text[CONF_VALUE_MAX + 100];
	struct registry_conf *conf;

	(void)state;
	strcpy(text, "version: 0.1\nregistryd: {user: ");
	memset(text + strlen(text), 'a', CONF_VALUE_MAX);
	strcat(text, "}\n");
	conf = parse(text);
	assert_non_null(conf);
	conf_free(conf);
	text[strlen(text) - 2] = 'a';
	strcat(text, "}\n");
	assert_null(parse(text));
	assert_string_equal(messages, "error: f.yml:2: registryd.user: found "
	    "60001 bytes, accepted: at most 60000\n");
}

/* Without a bound they could make every answer fail. */
static void
test_headers_too_long(void **state)
{
	static char text[CONF_HEADERS_MAX + 100];
	const size_t len = CONF_HEADERS_MAX - strlen("X: " "Y: yy" "\r\n\r\n");
	struct registry_conf *conf;

	(void)state;
	strcpy(text, "version: 0.1\nhttp: {headers: {Y: [yy], X: [");
	memset(text + strlen(text), 'a', len);
	strcat(text, "]}}\n");
	conf = parse(text);
	assert_non_null(conf);
	conf_free(conf);
	strcpy(text + strlen(text) - 4, "a]}}\n");
	assert_null(parse(text));
	assert_string_equal(messages, "error: f.yml:2: http.headers: found "
	    "16385 bytes, accepted: at most 16384\n");
}

/* Distribution takes any number here. */
static void
test_page_too_long(void **state)
{
	struct registry_conf *conf = parse("version: 0.1\n"
	    "catalog: {maxentries: 100001}\ntags: {maxtags: 100000}\n");

	(void)state;
	assert_non_null(conf);
	assert_int_equal(conf->catalog_max, 100000);
	assert_int_equal(conf->tags_max, 100000);
	conf_free(conf);
	assert_string_equal(messages, "warning: f.yml:2: catalog.maxentries: "
	    "found \"100001\", used: 100000, the most there is\n");
}

static void
test_path(void **state)
{
	(void)state;
	unsetenv("REGISTRY_CONFIGURATION_PATH");
	assert_string_equal(conf_path(NULL), SYSCONFDIR "/registryd.yml");
	setenv("REGISTRY_CONFIGURATION_PATH", "", 1);
	assert_string_equal(conf_path(NULL), SYSCONFDIR "/registryd.yml");
	setenv("REGISTRY_CONFIGURATION_PATH", "/x/c.yml", 1);
	assert_string_equal(conf_path(NULL), "/x/c.yml");
	assert_string_equal(conf_path("f.yml"), "f.yml");
	unsetenv("REGISTRY_CONFIGURATION_PATH");
}

static void
test_load(void **state)
{
	char path[] = "/tmp/test_conf.XXXXXX", *text = NULL;
	struct registry_conf *conf;
	int fd = mkstemp(path);
	size_t size;
	FILE *fp = open_memstream(&text, &size);

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "version: 0.1\n", 13), 13);
	close(fd);
	conf = conf_load(path, NULL, fp);
	assert_non_null(conf);
	conf_free(conf);
	unlink(path);
	assert_null(conf_load(path, NULL, fp));
	fclose(fp);
	assert_non_null(strstr(text, "No such file or directory"));
	assert_non_null(strstr(text, path));
	free(text);
}

static int
teardown(void **state)
{
	(void)state;
	free(messages);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_full_log_storage_auth),
		cmocka_unit_test(test_full_http),
		cmocka_unit_test(test_full_registryd),
		cmocka_unit_test(test_print_parses_again),
		cmocka_unit_test(test_values_travel_one_by_one),
		cmocka_unit_test(test_set_value_refuses),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_environment_messages),
		cmocka_unit_test(test_access_control_is_never_lost),
		cmocka_unit_test(test_host_makes_urls_absolute),
		cmocka_unit_test(test_client_auth_follows_clientcas),
		cmocka_unit_test(test_value_too_long),
		cmocka_unit_test(test_headers_too_long),
		cmocka_unit_test(test_page_too_long),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, teardown);
}
