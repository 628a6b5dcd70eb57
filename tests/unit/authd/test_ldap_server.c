/* SPDX-License-Identifier: ISC */
/*
 * Addresses of servers, and which one is asked next.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ldap_server.h"

#define T0	UINT64_C(1000000)

static void
test_ldap_uri_parse(void **state)
{
	static const struct {
		const char	*text;
		bool		 ldaps;
		const char	*host, *port;	/* host NULL: refused */
	} cases[] = {
		{ "ldap://a.test", false, "a.test", "389" },
		{ "ldaps://a.test", true, "a.test", "636" },
		{ "ldap://a.test:1389", false, "a.test", "1389" },
		{ "ldaps://[2001:db8::1]:7636", true, "2001:db8::1", "7636" },
		{ "ldap://192.0.2.1", false, "192.0.2.1", "389" },
		{ "ldap://", false, NULL, NULL },
		{ "ldap://a/", false, NULL, NULL },
		{ "ldap://a/dc=test", false, NULL, NULL },
		{ "ldap://a b", false, NULL, NULL },
		{ "ldap://a ldap://b", false, NULL, NULL },
		{ "ldap://a:", false, NULL, NULL },
		{ "ldap://a:0", false, NULL, NULL },
		{ "ldap://a:65536", false, NULL, NULL },
		{ "ldap://a:3x", false, NULL, NULL },
		{ "ldap://[::1", false, NULL, NULL },
		{ "ldap://u@a", false, NULL, NULL },
		{ "ldapi:///", false, NULL, NULL },
		{ "a.test", false, NULL, NULL },
		{ "", false, NULL, NULL },
	};
	struct ldap_uri	 uri;
	size_t		 i;
	int		 error;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		error = ldap_uri_parse(cases[i].text, &uri);
		if ((error == 0) != (cases[i].host != NULL))
			fail_msg("%s", cases[i].text);
		if (error == -1)
			continue;
		assert_int_equal(uri.ldaps, cases[i].ldaps);
		assert_string_equal(uri.host, cases[i].host);
		assert_string_equal(uri.port, cases[i].port);
	}
}

static void
start(struct ldap_servers *servers)
{
	char	 a[] = "ldap://a", b[] = "ldap://b", c[] = "ldap://[::1]:1";
	char	*uris[] = { a, b, c };

	assert_int_equal(ldap_servers_init(servers, uris, 3), 0);
	assert_string_equal(servers->all[0].url, "ldap://a:389");
	assert_string_equal(servers->all[2].url, "ldap://[::1]:1");
}

/* "abc": the servers in the order of a walk. */
static void
expect(struct ldap_servers *servers, struct ldap_server *first, uint64_t now,
    const char *want)
{
	struct ldap_walk	 walk;
	struct ldap_server	*server;
	char			 got[8] = "";
	size_t			 n = 0;

	ldap_walk_start(&walk, servers, first, now);
	while ((server = ldap_walk_next(&walk)) != NULL && n < 7)
		got[n++] = (char)('a' + (server - servers->all));
	got[n] = '\0';
	assert_string_equal(got, want);
}

static void
test_ldap_walk(void **state)
{
	struct ldap_servers	 s;

	(void)state;
	start(&s);
	expect(&s, NULL, T0, "abc");
	expect(&s, &s.all[1], T0, "bac");
	ldap_server_set_down(&s.all[0], "test", T0);
	/* Just failed: not at all.  Then last, then in its place again. */
	expect(&s, NULL, T0 + 999, "bc");
	expect(&s, &s.all[0], T0 + 999, "bc");
	expect(&s, NULL, T0 + 1000, "bca");
	expect(&s, &s.all[0], T0 + 1000, "bca");
	expect(&s, NULL, T0 + 29999, "bca");
	expect(&s, NULL, T0 + 30000, "abc");
	ldap_server_set_down(&s.all[1], "test", T0);
	ldap_server_set_down(&s.all[2], "test", T0);
	expect(&s, NULL, T0 + 999, "");
	expect(&s, NULL, T0 + 1000, "abc");
	ldap_server_set_up(&s.all[1]);
	expect(&s, NULL, T0 + 1000, "bac");
	ldap_servers_done(&s);
}

static void
test_ldap_servers_refuse(void **state)
{
	struct ldap_servers	 s;
	char			 good[] = "ldap://a", bad[] = "http://a";
	char			*uris[LDAP_MAX_SERVERS + 1];
	size_t			 i;

	(void)state;
	for (i = 0; i <= LDAP_MAX_SERVERS; i++)
		uris[i] = good;
	assert_int_equal(ldap_servers_init(&s, uris, LDAP_MAX_SERVERS), 0);
	assert_int_equal(ldap_servers_init(&s, uris, LDAP_MAX_SERVERS + 1),
	    -1);
	assert_int_equal(ldap_servers_init(&s, uris, 0), -1);
	uris[1] = bad;
	assert_int_equal(ldap_servers_init(&s, uris, 2), -1);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_ldap_uri_parse),
		cmocka_unit_test(test_ldap_walk),
		cmocka_unit_test(test_ldap_servers_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
