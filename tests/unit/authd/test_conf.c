/* SPDX-License-Identifier: ISC */
/*
 * The configuration: defaults, what every role is told, and that what is
 * printed reads back as the same.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acl.h"
#include "conf.h"
#include "conf_key.h"
#include "messages.h"

#define BASE	"services: [registry.test]\n" \
		"token: {key: k, certificate: c}\n" \
		"htpasswd: h\n"

/* Parse; the messages, malloc()ed, in *text when it is not NULL. */
static struct authd_conf *
parse(const char *yaml, char **text)
{
	struct authd_conf	*conf;
	char			*messages = NULL;
	size_t			 len = 0;
	FILE			*f = open_memstream(&messages, &len);

	assert_non_null(f);
	conf = conf_parse("test.yml", yaml, strlen(yaml), f);
	fclose(f);
	if (text != NULL)
		*text = messages;
	else
		free(messages);
	return conf;
}

static char *
print(const struct authd_conf *conf)
{
	char	*text = NULL;
	size_t	 len = 0;
	FILE	*f = open_memstream(&text, &len);

	assert_non_null(f);
	conf_print(conf, f);
	fclose(f);
	return text;
}

static void
test_conf_has_defaults(void **state)
{
	struct authd_conf	*conf = parse(BASE, NULL);

	(void)state;
	assert_non_null(conf);
	assert_string_equal(conf->listen, "localhost:5001");
	assert_string_equal(conf->issuer, "authd");
	assert_int_equal(conf->services.n, 1);
	assert_int_equal(conf->token_lifetime_ms, 300000);
	assert_int_equal(conf->token_backdate_ms, 10000);
	assert_int_equal(conf->workers, 2);
	assert_int_equal(conf->http.max_target, 8192);
	assert_int_equal(conf->max_body, 8192);
	assert_null(conf->tls_key);
	assert_true(conf->accesslog);
	assert_int_equal(conf->nrules, 0);
	conf_free(conf);
}

static void
test_conf_finds_every_error(void **state)
{
	static const char	 yaml[] = "services: []\n"
	    "token: {key: k, lifetime: 1s}\n"
	    "bogus: 1\n"
	    "workers: many\n"
	    "access: [{user: a}]\n";
	static const char *const found[] = {
	    "test.yml:1: services", "test.yml:2: token.lifetime",
	    "test.yml:3: bogus", "test.yml:4: workers",
	    "test.yml:5: access[0]", "token.certificate: missing",
	    "nothing checks passwords" };
	char			*messages;
	size_t			 i;

	(void)state;
	assert_null(parse(yaml, &messages));
	for (i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		if (strstr(messages, found[i]) == NULL)
			fail_msg("no \"%s\" in: %s", found[i], messages);
	free(messages);
}

static void
test_conf_prints_what_it_reads(void **state)
{
	static const char *const cases[] = {
	    BASE,
	    BASE "realm: \"quote \\\" and \\\\ slash\"\n",
	    BASE "issuer: \"true\"\nlisten: \":0\"\n",
	    BASE "log: {fields: {a: \"1\", \"b c\": \"x: y # z\"}}\n",
	    BASE "groups: {g: [a, b], h: []}\n"
	        "access:\n"
	        " - {user: \"\", repository: \"**\", actions: [pull]}\n"
	        " - {user: \"*\", group: g, network: 10.0.0.0/8,\n"
	        "    service: \"r*\", actions: [push, pull]}\n"
	        " - {user: x, registry: catalog, actions: [\"*\"]}\n"
	        " - {actions: []}\n" };
	struct authd_conf	*conf;
	char			*once, *twice;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_non_null(conf = parse(cases[i], NULL));
		once = print(conf);
		conf_free(conf);
		assert_non_null(conf = parse(once, NULL));
		twice = print(conf);
		conf_free(conf);
		assert_string_equal(once, twice);
		free(once);
		free(twice);
	}
}

static void
test_conf_values_go_over_a_channel(void **state)
{
	static const char	 yaml[] = BASE
	    "realm: \"a \\\"realm\\\"\"\n"
	    "limits: {connections: 7, body: 9KiB, check_timeout: 1500ms}\n"
	    "log: {accesslog: false, level: warn, format: json}\n";
	struct authd_conf	*conf = parse(yaml, NULL), *copy;
	char			*value, *again;
	size_t			 i;

	(void)state;
	assert_non_null(conf);
	copy = conf_new();
	for (i = 0; i < conf_nvalues(); i++) {
		if ((value = conf_get_value(conf, i)) == NULL)
			continue;
		assert_int_equal(conf_set_value(copy, i, value), 0);
		again = conf_get_value(copy, i);
		assert_string_equal(value, again);
		free(value);
		free(again);
	}
	assert_int_equal(copy->http.max_connections, 7);
	assert_int_equal(copy->check_timeout_ms, 1500);
	assert_string_equal(copy->services.items[0], "registry.test");
	assert_int_equal(conf_set_value(copy, conf_nvalues(), "1"), -1);
	conf_free(copy);
	conf_free(conf);
}

static void
test_conf_refuses_bad_values(void **state)
{
	struct authd_conf	*conf = conf_new();
	size_t			 i;

	(void)state;
	for (i = 0; i < conf_nvalues(); i++) {
		switch (conf_keys[i].type) {
		case CONF_COUNT:
		case CONF_SIZE:
		case CONF_DURATION:
		case CONF_LEVEL:
		case CONF_FORMAT:
		case CONF_LIST:
		case CONF_SERVICES:
		case CONF_PAIRS:
			assert_int_equal(conf_set_value(conf, i, "x"), -1);
			break;
		case CONF_STRING:
		case CONF_BOOL:
			break;
		}
	}
	conf_free(conf);
}

/* What a role need not know, it is not told. */
static void
test_conf_tells_roles_little(void **state)
{
	static const struct {
		const char	*path;
		unsigned	 role;
		bool		 told;
	}		 cases[] = {
		{ "realm", ROLE_WORKER, true },
		{ "services", ROLE_BROKER, true },
		{ "services", ROLE_WORKER, false },
		{ "htpasswd", ROLE_WORKER, false },
		{ "htpasswd", ROLE_BROKER, false },
		{ "token.key", ROLE_WORKER, false },
		{ "token.key", ROLE_SIGNER, false },
		{ "token.lifetime", ROLE_BROKER, false },
		{ "limits.check_timeout", ROLE_VERIFIER, true },
		{ "limits.cache", ROLE_WORKER, false }
	};
	size_t		 c, i;

	(void)state;
	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		for (i = 0; i < conf_nvalues(); i++)
			if (strcmp(conf_keys[i].path, cases[c].path) == 0)
				break;
		assert_true(i < conf_nvalues());
		assert_int_equal(conf_value_is_for(i, cases[c].role),
		    cases[c].told);
	}
}

static void
test_conf_makes_rules(void **state)
{
	static const char	*const none[1] = { NULL };
	struct authd_conf	*conf;
	struct acl		*acl;
	struct acl_subject	 subject = { "alice", none, 0, "::1", "s" };
	struct scope		 scope;
	char			 error[128];
	int			 rule;

	(void)state;
	conf = parse(BASE "groups: {dev: [alice]}\n"
	    "access:\n"
	    "  - {user: mallory, actions: []}\n"
	    "  - {group: dev, repository: \"team/**\", actions: [pull]}\n",
	    NULL);
	assert_non_null(conf);
	assert_int_equal(conf->rules[1].line, 7);
	assert_non_null(acl = conf_acl(conf, error, sizeof(error)));
	assert_int_equal(acl_nrules(acl), 2);
	assert_int_equal(scope_parse(&scope, "repository:team/x:pull,push",
	    27), 0);
	assert_int_equal(acl_decide(acl, &subject, &scope, &rule),
	    ACTION_PULL);
	assert_int_equal(rule, 1);
	subject.user = "bob";
	assert_int_equal(acl_decide(acl, &subject, &scope, &rule), 0);
	acl_free(acl);
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_conf_has_defaults),
		cmocka_unit_test(test_conf_finds_every_error),
		cmocka_unit_test(test_conf_prints_what_it_reads),
		cmocka_unit_test(test_conf_values_go_over_a_channel),
		cmocka_unit_test(test_conf_refuses_bad_values),
		cmocka_unit_test(test_conf_tells_roles_little),
		cmocka_unit_test(test_conf_makes_rules)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
