/* SPDX-License-Identifier: ISC */
/*
 * Connections: one request after the other, every kind of response, and the
 * ways in which it ends early.
 */
#include "http_fixture.h"

static void
test_keeps_alive_and_pipelines(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/hello"));
	expect_output(f, HELLO);
	say(f, GET("/hello") GET("/later") PUT("/echo", "3") "abc"
	    GET("/hello"));
	expect_output(f, HELLO
	    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlate\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" HELLO);
	expect_record(f, "/hello 200 6 ok\n/hello 200 6 ok\n/later 200 5 ok\n"
	    "/echo 200 3 ok\n/hello 200 6 ok\n");
	assert_false(f->eof);
}

static void
test_byte_by_byte(void **state)
{
	struct fixture *f = *state;
	const char *in = GET("/hello") PUTC("/echo")
	    "2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: u\r\n\r\n" GET("/hello");

	for (; *in != '\0'; in++) {
		send_bytes(f, in, 1);
		turn(f, 0);
	}
	expect_output(f, HELLO
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" HELLO);
}

static void
test_many_at_once(void **state)
{
	struct fixture *f = *state;
	unsigned i;

	for (i = 0; i < 300; i++)
		say(f, GET("/204"));
	say(f, PUTC("/echo"));
	for (i = 0; i < 1000; i++)
		say(f, "1\r\na\r\n");
	say(f, "0\r\n\r\n" GET("/hello"));
	settle(f);
	assert_int_equal(f->done, 302);
	drop_dates(&f->output);
	assert_memory_equal(f->output.data + f->output.len - strlen("a" HELLO),
	    "a" HELLO, strlen("a" HELLO));
	assert_non_null(strstr(buf_str(&f->record), "/echo 200 1000 ok\n"));
}

static void
test_connection_header(void **state)
{
	struct fixture *f = *state;

	say(f, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
	    "Connection: keep-alive\r\n\r\nhello\n");
	say(f, "GET /hello HTTP/1.0\r\n\r\n");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
	    "Connection: close\r\n\r\nhello\n");
	assert_true(f->eof);
	connect_client(f);
	say(f, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	    GET("/hello"));
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
	    "Connection: close\r\n\r\nhello\n");
	assert_true(f->eof);
	assert_int_equal(f->done, 3);
}

static void
test_responses_without_body(void **state)
{
	struct fixture *f = *state;

	say(f, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n"
	    "HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n"
	    "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n"
	    GET("/204") GET("/304") GET("/bad-header"));
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nX-Name: /file\r\nContent-Length: 5\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "HTTP/1.1 204 No Content\r\n\r\n"
	    "HTTP/1.1 304 Not Modified\r\n\r\n"
	    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
	expect_record(f, "/hello 200 0 ok\n/file 200 0 ok\n/stream 200 0 ok\n"
	    "/204 204 0 ok\n/304 304 0 ok\n/bad-header 500 0 ok\n");
}

/* As many as fit, then one more. */
static void
test_many_headers(void **state)
{
	static const char failed[] =
	    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
	struct fixture *f = *state;

	say(f, GET("/many-headers"));
	settle(f);
	drop_dates(&f->output);
	assert_int_equal(f->output.len, strlen("HTTP/1.1 204 No Content"
	    "\r\n\r\n") + HTTP_MAX_RESPONSE_HEAD);
	buf_reset(&f->output);
	say(f, GET("/too-many-headers"));
	expect_output(f, failed);
}

static void
test_streams(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/stream") GET("/stream/empty-end") GET("/hello"));
	expect_output(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n4\r\none \r\n4\r\ntwo \r\n0\r\n\r\n" HELLO);
	expect_record(f, "/stream 200 13 ok\n/stream/empty-end 200 8 ok\n"
	    "/hello 200 6 ok\n");
	say(f, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	expect_output(f, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
	    "one two three");
	assert_true(f->eof);
}

static void
test_files(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/file") GET("/file/empty") GET("/file/all"));
	expect_output(f, "HTTP/1.1 200 OK\r\nX-Name: /file\r\n"
	    "Content-Length: 5\r\n\r\n23456"
	    "HTTP/1.1 200 OK\r\nX-Name: /file/empty\r\n"
	    "Content-Length: 0\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nX-Name: /file/all\r\n"
	    "Content-Length: 10\r\n\r\n0123456789");
	assert_false(f->eof);
	say(f, GET("/file/short"));
	expect_output(f, "HTTP/1.1 200 OK\r\nX-Name: /file/short\r\n"
	    "Content-Length: 1000\r\n\r\n0123456789");
	assert_true(f->eof);
	expect_record(f, "/file 200 5 ok\n/file/empty 200 0 ok\n"
	    "/file/all 200 10 ok\n/file/short 200 10 cut\n");
}

static void
test_large_file_to_a_slow_client(void **state)
{
	struct fixture *f = *state;
	size_t len = 5 * 1024 * 1024, i;

	for (i = 0; i < len; i += 8)
		assert_int_equal(dprintf(f->file, "%07zu\n", i), 8);
	say(f, GET("/file/all") GET("/hello"));
	turn(f, 20);
	assert_int_equal(f->done, 0);
	settle(f);
	assert_int_equal(f->done, 2);
	drop_dates(&f->output);
	assert_non_null(strstr(f->output.data, "\r\n\r\n0123456789" "0000000\n"
	    "0000008\n"));
	assert_non_null(strstr(f->output.data, "5242872\n" HELLO));
	assert_int_equal(f->output.len, len + 10 + strlen(HELLO) +
	    strlen("HTTP/1.1 200 OK\r\nX-Name: /file/all\r\n"
	    "Content-Length: 5242890\r\n\r\n"));
}

static void
test_refuses_with_an_answer(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/hello") "GET / HTTP/1.1\r\n\r\n" GET("/hello"));
	expect_output(f, HELLO "HTTP/1.1 400 Bad Request\r\n"
	    "Content-Type: text/x-bad\r\nCache-Control: no-store\r\n"
	    "Content-Length: 23\r\n"
	    "Connection: close\r\n\r\n400 missing Host header");
	assert_true(f->eof);
	expect_record(f, "/hello 200 6 ok\nbad 400\n");
	connect_client(f);
	say(f, "HEAD / HTTP/1.1\r\n\r\n");
	expect_output(f, "HTTP/1.1 400 Bad Request\r\n"
	    "Content-Type: text/x-bad\r\nCache-Control: no-store\r\n"
	    "Content-Length: 23\r\n"
	    "Connection: close\r\n\r\n");
	expect_record(f, "bad 400\n");
	connect_client(f);
	say(f, PUTC("/echo") "5\r\nhello\r\nxyz\r\n" GET("/hello"));
	expect_output(f, "HTTP/1.1 400 Bad Request\r\n"
	    "Content-Type: text/x-bad\r\nCache-Control: no-store\r\n"
	    "Content-Length: 26\r\n"
	    "Connection: close\r\n\r\n400 malformed chunked body");
	assert_true(f->eof);
	expect_record(f, "failed bad 400\n/echo 400 26 ok\n");
}

static void
test_callee_breaks_off(void **state)
{
	struct fixture *f = *state;

	say(f, PUT("/break-body", "5") "hello");
	expect_output(f, "");
	assert_true(f->eof);
	connect_client(f);
	say(f, GET("/abort"));
	expect_output(f, "");
	assert_true(f->eof);
	connect_client(f);
	say(f, GET("/break"));
	expect_output(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n4\r\none \r\n");
	assert_true(f->eof);
	expect_record(f, "/break-body 0 0 cut\n/abort 0 0 cut\n"
	    "/break 200 4 cut\n");
}

static void
test_late_answer_is_dropped(void **state)
{
	struct fixture *f = *state;

	say(f, PUTC("/hold") "5\r\nhello\r\n");
	turn(f, 5);
	assert_non_null(f->pending);
	http_abort(f->pending);
	respond(f->pending, 200, "late");
	expect_output(f, "");
	expect_record(f, "/hold 0 0 cut\n");
}

static void
test_half_closed_client(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/later"));
	shutdown(f->client, SHUT_WR);
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlate\n");
	assert_true(f->eof);
	connect_client(f);
	say(f, "GET /he");
	shutdown(f->client, SHUT_WR);
	expect_output(f, "");
	assert_true(f->eof);
	assert_int_equal(http_server_connections(f->server), 0);
}

static void
test_limits_requests_per_connection(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = http_limits_default;

	limits.max_requests = 2;
	set_limits(f, &limits);
	say(f, GET("/hello") GET("/hello") GET("/hello"));
	expect_output(f, HELLO "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
	    "Connection: close\r\n\r\nhello\n");
	assert_true(f->eof);
	assert_int_equal(f->started, 2);
}

int
main(void)
{
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_keeps_alive_and_pipelines),
		TEST(test_byte_by_byte),
		TEST(test_many_at_once),
		TEST(test_connection_header),
		TEST(test_responses_without_body),
		TEST(test_many_headers),
		TEST(test_streams),
		TEST(test_files),
		TEST(test_large_file_to_a_slow_client),
		TEST(test_refuses_with_an_answer),
		TEST(test_callee_breaks_off),
		TEST(test_late_answer_is_dropped),
		TEST(test_half_closed_client),
		TEST(test_limits_requests_per_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
