/* SPDX-License-Identifier: ISC */
/*
 * What is a request and what is not.  Each input is parsed in one piece, cut
 * in two at every byte, and byte by byte; all must give the same record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../common/http_parse.h"
#include "buf.h"
#include "http.h"

static const struct http_strict_limits limits = {
	.head = 1024, .headers = 8, .target = 64
};

struct run {
	struct http_parser	 parser;
	struct buf		 record;
	bool			 in_body;
	bool			 stopped;
};

/* Feed one piece; the record tells what was understood. */
static void
feed(struct run *run, const char *data, size_t len)
{
	struct http_request req;
	const char *reason = NULL;
	size_t used, body;
	bool keep;
	int r;

	while (!run->stopped) {
		if (run->in_body && http_parser_ended(&run->parser)) {
			buf_addstr(&run->record, " end");
			http_parser_reset(&run->parser);
			run->in_body = false;
		}
		if (len == 0)
			return;
		if (run->in_body) {
			r = http_parser_body(&run->parser, data, len, &used,
			    &body);
			if (r == -1) {
				buf_addstr(&run->record, " bad");
				run->stopped = true;
				return;
			}
			assert_true(used + body <= len);
			assert_true(used + body > 0);
			buf_add(&run->record, data + used, body);
			data += used + body;
			len -= used + body;
			continue;
		}
		r = http_parser_head(&run->parser, data, len, &used, &req,
		    &keep, &reason);
		assert_true(used <= len);
		data += used;
		len -= used;
		if (r == 0) {
			assert_int_equal(len, 0);
			return;
		}
		if (r != 200) {
			assert_non_null(reason);
			buf_addf(&run->record, "[%d]", r);
			run->stopped = true;
			return;
		}
		buf_addf(&run->record, "[%s %s 1.%u%s%s%s:", req.method_name,
		    req.target, req.minor, keep ? "" : " close",
		    req.chunked ? " chunked" : "",
		    req.expect_continue ? " expect" : "");
		buf_addf(&run->record, "%zu]", req.nheaders);
		http_request_done(&req);
		run->in_body = true;
	}
}

static void
run_init(struct run *run)
{
	memset(run, 0, sizeof(*run));
	assert_int_equal(http_parser_init(&run->parser, &limits), 0);
	buf_init(&run->record, 65536);
}

static void
run_done(struct run *run)
{
	http_parser_done(&run->parser);
	buf_done(&run->record);
}

static void
check(const char *in, size_t len, const char *want)
{
	struct run run;
	size_t cut, i;

	for (cut = 0; cut <= len; cut++) {
		run_init(&run);
		feed(&run, in, cut);
		feed(&run, in + cut, len - cut);
		if (strcmp(buf_str(&run.record), want) != 0)
			print_message("cut at %zu of <<%s>>\n", cut, in);
		assert_string_equal(buf_str(&run.record), want);
		run_done(&run);
	}
	run_init(&run);
	for (i = 0; i < len; i++)
		feed(&run, in + i, 1);
	assert_string_equal(buf_str(&run.record), want);
	run_done(&run);
}

struct test_case {
	const char	*in;
	const char	*want;
	size_t		 len;		/* when in has a NUL */
};

static void
check_all(const struct test_case *cases, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		check(cases[i].in, cases[i].len != 0 ? cases[i].len :
		    strlen(cases[i].in), cases[i].want);
}

#define CHECK_ALL(cases) \
	check_all(cases, sizeof(cases) / sizeof((cases)[0]))

#define GET	"GET / HTTP/1.1\r\nHost: a\r\n"
#define POST	"POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED	POST "Transfer-Encoding: chunked\r\n\r\n"
#define OK	"[GET / 1.1:1] end"
#define POSTED	"[POST / 1.1 chunked:2]"

static void
test_accepts_heads(void **state)
{
	static const struct test_case cases[] = {
		{ GET "\r\n", OK, 0 },
		{ "\r\n" GET "\r\n", OK, 0 },
		{ GET "\r\n" GET "\r\n", OK OK, 0 },
		{ "HEAD /a HTTP/1.1\r\nHOST: a:1\r\n\r\n",
		    "[HEAD /a 1.1:1] end", 0 },
		{ "GET / HTTP/1.0\r\n\r\n", "[GET / 1.0 close:0] end", 0 },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		    "[GET / 1.0:1] end", 0 },
		{ GET "Connection: close\r\n\r\n", "[GET / 1.1 close:2] end",
		    0 },
		{ GET "Connection: a, Close\r\n\r\n",
		    "[GET / 1.1 close:2] end", 0 },
		{ GET "Empty:\r\nSpace: \t \r\nLatin: \xe9\r\n\r\n",
		    "[GET / 1.1:4] end", 0 },
		{ GET "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n" GET "\r\n",
		    "[GET / 1.1:3] end" OK, 0 },
		{ "PATCH /p?a=b&c=%20 HTTP/1.1\r\nHost: a\r\n\r\n",
		    "[PATCH /p?a=b&c=%20 1.1:1] end", 0 },
		{ "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n",
		    "[PROPFIND / 1.1:1] end", 0 },
		{ "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		    "[OPTIONS * 1.1:1] end", 0 },
		{ "GET / HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n", OK, 0 },
		{ "GET http://a/b?c HTTP/1.1\r\nHost: A\r\n\r\n",
		    "[GET /b?c 1.1:1] end", 0 },
		{ "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", OK, 0 },
		{ "GET https://a:1?q HTTP/1.1\r\nHost: a:1\r\n\r\n",
		    "[GET /?q 1.1:1] end", 0 },
		{ "GET //x/y HTTP/1.1\r\nHost: a\r\n\r\n",
		    "[GET //x/y 1.1:1] end", 0 },
	};

	(void)state;
	CHECK_ALL(cases);
}

static void
test_accepts_bodies(void **state)
{
	static const struct test_case cases[] = {
		{ POST "Content-Length: 5\r\n\r\nhello" GET "\r\n",
		    "[POST / 1.1:2]hello end" OK, 0 },
		{ POST "Content-Length: 0\r\n\r\n" GET "\r\n",
		    "[POST / 1.1:2] end" OK, 0 },
		{ POST "Content-Length: 005 \r\n\r\nhello",
		    "[POST / 1.1:2]hello end", 0 },
		{ POST "Content-Length: 5\r\n\r\nhel", "[POST / 1.1:2]hel",
		    0 },
		{ POST "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\nabc",
		    "[POST / 1.1 expect:3]abc end", 0 },
		{ GET "Content-Length: 2\r\n\r\nhi", "[GET / 1.1:2]hi end",
		    0 },
		{ CHUNKED "5\r\nhello\r\n0\r\n\r\n" GET "\r\n",
		    POSTED "hello end" OK, 0 },
		{ CHUNKED "1\r\na\r\n00000000000000aA\r\n",
		    POSTED "a", 0 },
		{ CHUNKED "2;x;y=z\r\n\r\n\r\n0;end\r\n\r\n",
		    POSTED "\r\n end", 0 },
		{ CHUNKED "0\r\nX: y\r\nHost: b\r\n\r\n" GET "\r\n",
		    POSTED " end" OK, 0 },
		{ CHUNKED "3\r\n0\r\n\r\n0\r\n\r\n", POSTED "0\r\n end", 0 },
	};

	(void)state;
	CHECK_ALL(cases);
}

static void
test_refuses_ambiguous_framing(void **state)
{
	static const struct test_case cases[] = {
		{ POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
		    "\r\n0\r\n\r\n", "[400]", 0 },
		{ POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"
		    "\r\n0\r\n\r\n", "[400]", 0 },
		{ POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		    "[400]", 0 },
		{ POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		    "[400]", 0 },
		{ POST "Content-Length: +5\r\n\r\nhello", "[400]", 0 },
		{ POST "Content-Length: -5\r\n\r\nhello", "[400]", 0 },
		{ POST "Content-Length: 5 5\r\n\r\nhello", "[400]", 0 },
		{ POST "Content-Length: 5,5\r\n\r\nhello", "[400]", 0 },
		{ POST "Content-Length: 0x5\r\n\r\nhello", "[400]", 0 },
		{ POST "Content-Length: 5a\r\n\r\nhello", "[400]", 0 },
		{ POST "Content-Length: 5.0\r\n\r\nhello", "[400]", 0 },
		{ POST "Content-Length:\r\n\r\n", "[400]", 0 },
		{ POST "Content-Length: \r\n\r\n", "[400]", 0 },
		{ POST "Content-Length: 9223372036854775808\r\n\r\n",
		    "[400]", 0 },
		{ POST "Content-Length: 18446744073709551616\r\n\r\n",
		    "[400]", 0 },
		{ POST "Content-Length: 00000000000000000005\r\n\r\nhello",
		    "[400]", 0 },
		{ POST "Transfer-Encoding: gzip\r\n\r\n", "[400]", 0 },
		{ POST "Transfer-Encoding: identity\r\n\r\n", "[400]", 0 },
		{ POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "[400]",
		    0 },
		{ POST "Transfer-Encoding: chunked, chunked\r\n\r\n", "[400]",
		    0 },
		{ POST "Transfer-Encoding: chunked, identity\r\n\r\n",
		    "[400]", 0 },
		{ POST "Transfer-Encoding: chunked;q=1\r\n\r\n", "[400]", 0 },
		{ POST "Transfer-Encoding: xchunked\r\n\r\n", "[400]", 0 },
		{ POST "Transfer-Encoding: \"chunked\"\r\n\r\n", "[400]", 0 },
		{ POST "Transfer-Encoding: Chunked\r\n\r\n", "[400]", 0 },
		{ POST "Transfer-Encoding: chunked\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n", "[400]", 0 },
		{ POST "Transfer-Encoding: chunked\r\n"
		    "Transfer-Encoding: identity\r\n\r\n", "[400]", 0 },
		{ POST "Transfer-Encoding:\r\n\r\n", "[400]", 0 },
		{ POST "Transfer-Encoding: \x0b" "chunked\r\n\r\n", "[400]",
		    0 },
		{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
		    "[400]", 0 },
		{ POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na",
		    "[417]", 0 },
	};

	(void)state;
	CHECK_ALL(cases);
}

static void
test_refuses_line_grammar(void **state)
{
	static const struct test_case cases[] = {
		{ GET "A: b\n\r\n", "[400]", 0 },
		{ GET "A: b\r\r\n\r\n", "[400]", 0 },
		{ GET "A: b\rC: d\r\n\r\n", "[400]", 0 },
		{ GET "A: b\nC: d\r\n\r\n", "[400]", 0 },
		{ GET "\n", "[400]", 0 },
		{ GET "\r\r\n", "[400]", 0 },
		{ "GET / HTTP/1.1\nHost: a\n\n", "[400]", 0 },
		{ "GET / HTTP/1.1\rHost: a\r\r", "[400]", 0 },
		{ "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ GET "A: b\r\n c\r\n\r\n", "[400]", 0 },
		{ GET "A: b\r\n\tc\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "[400]", 0 },
		{ GET "A : b\r\n\r\n", "[400]", 0 },
		{ GET "A\t: b\r\n\r\n", "[400]", 0 },
		{ GET "A B: c\r\n\r\n", "[400]", 0 },
		{ GET ": b\r\n\r\n", "[400]", 0 },
		{ GET "A\r\n\r\n", "[400]", 0 },
		{ GET "A(b): c\r\n\r\n", "[400]", 0 },
		{ GET "\xc3\xa9: c\r\n\r\n", "[400]", 0 },
		{ GET "A: b\x01\r\n\r\n", "[400]", 0 },
		{ GET "A: b\x7f\r\n\r\n", "[400]", 0 },
		{ GET "A: b\0c\r\n\r\n", "[400]",
		    sizeof(GET "A: b\0c\r\n\r\n") - 1 },
		{ GET "A\0: b\r\n\r\n", "[400]",
		    sizeof(GET "A\0: b\r\n\r\n") - 1 },
		{ "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", "[400]",
		    sizeof("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n") - 1 },
	};

	(void)state;
	CHECK_ALL(cases);
}

static void
test_refuses_request_lines(void **state)
{
	static const struct test_case cases[] = {
		{ "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET / a HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET /\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET / http/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/11\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET / RTSP/1.0\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "[505]", 0 },
		{ "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "[505]", 0 },
		{ "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "[505]", 0 },
		{ "GET / HTTP/3.0\r\nHost: a\r\n\r\n", "[505]", 0 },
		{ "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "[501]", 0 },
		{ "get / HTTP/1.1\r\nHost: a\r\n\r\n", "[501]", 0 },
		{ "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "[501]", 0 },
		{ "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "\x16\x03\x01\x02", "[400]", 0 },
	};

	(void)state;
	CHECK_ALL(cases);
}

static void
test_refuses_hosts(void **state)
{
	static const struct test_case cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "[400]", 0 },
		{ "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "[400]", 0 },
		{ "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET http://a.b/ HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
		{ "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "[400]", 0 },
	};

	(void)state;
	CHECK_ALL(cases);
}

static void
test_refuses_chunks(void **state)
{
	static const struct test_case cases[] = {
		{ CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "+5\r\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "-5\r\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "5_0\r\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED " 5\r\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "5 \r\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "5\t\r\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "2;x=y;5\r\nab\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "g\r\n", POSTED " bad", 0 },
		{ CHUNKED "\r\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED ";a=b\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "00000000000000005\r\nhello\r\n", POSTED " bad",
		    0 },
		{ CHUNKED "10000000000000000\r\nhello\r\n", POSTED " bad",
		    0 },
		{ CHUNKED "ffffffffffffffff\r\nhello\r\n", POSTED " bad",
		    0 },
		{ CHUNKED "8000000000000000\r\nhello\r\n", POSTED " bad",
		    0 },
		{ CHUNKED "5\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "5\rhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "5;a\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "5\r\nhello\n0\r\n\r\n", POSTED "hello bad", 0 },
		{ CHUNKED "5\r\nhello0\r\n\r\n", POSTED "hello bad", 0 },
		{ CHUNKED "5\r\nhelloX\r\n0\r\n\r\n", POSTED "hello bad", 0 },
		{ CHUNKED "0\r\n\n", POSTED " bad", 0 },
		{ CHUNKED "0\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "0\r\nA : b\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "0\r\n a: b\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "0\r\nA: b\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "0\r\nGET / HTTP/1.1\r\n\r\n", POSTED " bad", 0 },
		{ CHUNKED "0\r\n1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:"
		    "\r\n9:\r\n\r\n", POSTED " bad", 0 },
	};

	(void)state;
	CHECK_ALL(cases);
}

static void
check_long(const char *before, size_t n, const char *after, const char *want)
{
	struct buf b;

	buf_init(&b, 65536);
	buf_addstr(&b, before);
	while (n-- > 0)
		buf_addc(&b, 'a');
	buf_addstr(&b, after);
	assert_false(buf_failed(&b));
	check(b.data, b.len, want);
	buf_done(&b);
}

/* Exactly the limit passes, one more does not. */
static void
test_limits_are_exact(void **state)
{
	char want[128];

	(void)state;
	(void)snprintf(want, sizeof(want), "[GET /%.63s 1.1:1] end",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	check_long("GET /", 63, " HTTP/1.1\r\nHost: a\r\n\r\n", want);
	check_long("GET /", 64, " HTTP/1.1\r\nHost: a\r\n\r\n", "[414]");
	check_long("GET /", 5000, "", "[414]");
	check_long(GET "A: ", 1024 - sizeof(GET "A: \r\n\r\n") + 1, "\r\n\r\n",
	    "[GET / 1.1:2] end");
	check_long(GET "A: ", 1025 - sizeof(GET "A: \r\n\r\n") + 1, "\r\n\r\n",
	    "[431]");
	check_long(GET, 5000, "", "[431]");
	check_long("", 32, " / HTTP/1.1\r\n", "[501]");
	check(GET "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n\r\n",
	    strlen(GET "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n\r\n"),
	    "[GET / 1.1:8] end");
	check(GET "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n\r\n",
	    strlen(GET "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n\r\n"),
	    "[431]");
	check_long(CHUNKED "0;", 256, "\r\n\r\n", POSTED " end");
	check_long(CHUNKED "0;", 257, "\r\n\r\n", POSTED " bad");
	check_long(CHUNKED "0\r\nA: ", 9000, "", POSTED " bad");
}

/* Many headers: the table of fields grows. */
static void
test_keeps_every_header(void **state)
{
	static const struct http_strict_limits wide = {
		.head = 65536, .headers = 100, .target = 64
	};
	struct http_parser parser;
	struct http_request req;
	const char *reason;
	struct buf b;
	size_t i, used;
	char text[16];
	bool keep;

	(void)state;
	buf_init(&b, 65536);
	buf_addstr(&b, GET);
	for (i = 1; i < 100; i++)
		buf_addf(&b, "N%zu: v%zu \r\n", i, i);
	buf_addstr(&b, "\r\n");
	assert_int_equal(http_parser_init(&parser, &wide), 0);
	assert_int_equal(http_parser_head(&parser, b.data, b.len, &used, &req,
	    &keep, &reason), 200);
	assert_int_equal(req.nheaders, 100);
	for (i = 1; i < 100; i++) {
		(void)snprintf(text, sizeof(text), "N%zu", i);
		assert_string_equal(req.headers[i].name, text);
		(void)snprintf(text, sizeof(text), "v%zu", i);
		assert_string_equal(req.headers[i].value, text);
	}
	http_request_done(&req);
	http_parser_done(&parser);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts_heads),
		cmocka_unit_test(test_accepts_bodies),
		cmocka_unit_test(test_refuses_ambiguous_framing),
		cmocka_unit_test(test_refuses_line_grammar),
		cmocka_unit_test(test_refuses_request_lines),
		cmocka_unit_test(test_refuses_hosts),
		cmocka_unit_test(test_refuses_chunks),
		cmocka_unit_test(test_limits_are_exact),
		cmocka_unit_test(test_keeps_every_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
