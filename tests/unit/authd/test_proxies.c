/* SPDX-License-Identifier: ISC */
/*
 * Who is taken for the client behind proxies, and who is not.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxies.h"

static char	*trusted[] = { (char []){ "10.0.0.0/8" },
		    (char []){ "2001:db8:f::/48" }, (char []){ "unix" } };

/* Who it is with up to two headers; "" is for an absent one. */
static const char *
client(const char *style, const char *peer, const char *first,
    const char *second, char dst[PEER_SIZE])
{
	struct authd_conf	 conf;
	struct http_request	 req;
	struct http_header	 headers[4];
	char			 name[32], values[2][256];
	char			 x[] = "X-Other", decoy[] = "1.1.1.1";
	struct proxies		*p;

	memset(&conf, 0, sizeof(conf));
	memset(&req, 0, sizeof(req));
	conf.proxies.items = trusted;
	conf.proxies.n = 3;
	conf.proxy_header = (char *)(uintptr_t)style;
	snprintf(name, sizeof(name), "%s", style);
	snprintf(values[0], sizeof(values[0]), "%s", first);
	snprintf(values[1], sizeof(values[1]), "%s", second);
	req.headers = headers;
	headers[req.nheaders++] = (struct http_header){ x, decoy };
	if (*first != '\0')
		headers[req.nheaders++] = (struct http_header){ name,
		    values[0] };
	if (*second != '\0')
		headers[req.nheaders++] = (struct http_header){ name,
		    values[1] };
	snprintf(req.peer.addr, sizeof(req.peer.addr), "%s", peer);
	p = proxies_new(&conf);
	assert_non_null(p);
	assert_ptr_equal(proxies_client(p, &req, dst), dst);
	proxies_free(p);
	return dst;
}

struct row {
	const char	*peer, *first, *second, *want;
};

static void
check_rows(const char *style, const struct row *rows, size_t n)
{
	char	 got[PEER_SIZE];
	size_t	 i;

	for (i = 0; i < n; i++) {
		client(style, rows[i].peer, rows[i].first, rows[i].second,
		    got);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: %s, %s, %s: want %s, got %s", style,
			    rows[i].peer, rows[i].first, rows[i].second,
			    rows[i].want, got);
	}
}

static void
test_x_forwarded_for(void **state)
{
	static const struct row	 rows[] = {
		/* Anybody can write a header. */
		{ "192.0.2.1", "198.51.100.7", "", "192.0.2.1" },
		{ "2001:db8::1", "198.51.100.7", "", "2001:db8::1" },
		{ "10.0.0.1", "198.51.100.7", "", "198.51.100.7" },
		{ "10.0.0.1", "", "", "10.0.0.1" },
		{ "::ffff:10.0.0.1", "198.51.100.7", "", "198.51.100.7" },
		{ "2001:db8:f::1", "198.51.100.7", "", "198.51.100.7" },
		{ "unix", "198.51.100.7", "", "198.51.100.7" },
		/* The last one that is no proxy's. */
		{ "10.0.0.1", "1.2.3.4, 198.51.100.7", "", "198.51.100.7" },
		{ "10.0.0.1", "1.2.3.4,198.51.100.7 , 10.0.0.2", "",
		    "198.51.100.7" },
		{ "10.0.0.1", "10.9.9.9, 10.0.0.2", "", "10.9.9.9" },
		{ "10.0.0.1", "1.2.3.4", "198.51.100.7", "198.51.100.7" },
		{ "10.0.0.1", "198.51.100.7", "10.0.0.3, 10.0.0.2",
		    "198.51.100.7" },
		/* As proxies write addresses. */
		{ "10.0.0.1", "198.51.100.7:4711", "", "198.51.100.7" },
		{ "10.0.0.1", "2001:DB8::7", "", "2001:db8::7" },
		{ "10.0.0.1", "[2001:db8::7]", "", "2001:db8::7" },
		{ "10.0.0.1", "[2001:db8::7]:4711", "", "2001:db8::7" },
		{ "10.0.0.1", "::ffff:198.51.100.7", "", "198.51.100.7" },
		{ "10.0.0.1", "198.51.100.7, ::ffff:10.0.0.9", "",
		    "198.51.100.7" },
		/* No address: not the proxy's, and not what is before. */
		{ "10.0.0.1", "unknown", "", "unknown" },
		{ "10.0.0.1", "198.51.100.7,", "", "unknown" },
		{ "10.0.0.1", "198.51.100.7, x", "", "unknown" },
		{ "10.0.0.1", "198.51.100.7.example", "", "unknown" },
		{ "10.0.0.1", "[198.51.100.7", "", "unknown" },
		{ "10.0.0.1", "[2001:db8::7]x", "", "unknown" },
		{ "10.0.0.1", "[]", "", "unknown" },
		{ "10.0.0.1", "x, 198.51.100.7", "", "198.51.100.7" },
		{ "10.0.0.1", "1111111111111111111111111111111111111111111111"
		    "11111111111111111111111111", "", "unknown" }
	};

	(void)state;
	check_rows("x-forwarded-for", rows, sizeof(rows) / sizeof(rows[0]));
}

static void
test_forwarded(void **state)
{
	static const struct row	 rows[] = {
		{ "192.0.2.1", "for=198.51.100.7", "", "192.0.2.1" },
		{ "10.0.0.1", "for=198.51.100.7", "", "198.51.100.7" },
		{ "10.0.0.1", "For=\"198.51.100.7:80\"", "", "198.51.100.7" },
		{ "10.0.0.1", "for=\"[2001:db8::7]:80\";proto=https", "",
		    "2001:db8::7" },
		{ "10.0.0.1", "by=10.0.0.1; proto=http; for=198.51.100.7", "",
		    "198.51.100.7" },
		{ "10.0.0.1", "for=1.2.3.4, for=198.51.100.7;by=x", "",
		    "198.51.100.7" },
		{ "10.0.0.1", "for=198.51.100.7, for=10.0.0.2", "",
		    "198.51.100.7" },
		{ "10.0.0.1", "for=198.51.100.7", "for=10.0.0.2",
		    "198.51.100.7" },
		{ "10.0.0.1", "for=1.2.3.4;x=y, proto=http", "", "unknown" },
		/* What a proxy has quoted is not its own word. */
		{ "10.0.0.1", "for=198.51.100.7;host=\"a,for=1.2.3.4\"", "",
		    "unknown" },
		{ "10.0.0.1", "for=198.51.100.7;host=\"a,for=1.2.3.4;b=\"",
		    "", "unknown" },
		{ "10.0.0.1", "host=\"a;for=1.2.3.4;b\";for=198.51.100.7",
		    "", "unknown" },
		{ "10.0.0.1", "host=\"a\\\",for=1.2.3.4;b=\\\"\"", "",
		    "unknown" },
		{ "10.0.0.1", "host=\"a:80\";for=198.51.100.7", "",
		    "198.51.100.7" },
		{ "10.0.0.1", "for=unknown", "", "unknown" },
		{ "10.0.0.1", "for=_hidden", "", "unknown" },
		{ "10.0.0.1", "for=\"", "", "unknown" },
		{ "10.0.0.1", "for=", "", "unknown" },
		{ "10.0.0.1", ";;;", "", "unknown" }
	};

	(void)state;
	check_rows("forwarded", rows, sizeof(rows) / sizeof(rows[0]));
}

static void
test_networks(void **state)
{
	(void)state;
	assert_null(proxies_check("10.0.0.0/8"));
	assert_null(proxies_check("2001:db8::1"));
	assert_null(proxies_check("unix"));
	assert_non_null(proxies_check("10.0.0.1/8"));
	assert_non_null(proxies_check("proxy.example"));
	assert_non_null(proxies_check(""));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_x_forwarded_for),
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_networks)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
