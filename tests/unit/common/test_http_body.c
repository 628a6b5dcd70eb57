/* SPDX-License-Identifier: ISC */
/*
 * Bodies of requests: waited for, taken in bits, too large, or not wanted.
 */
#include "http_fixture.h"

static void
test_continue(void **state)
{
	struct fixture *f = *state;

	say(f, "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
	    "Expect: 100-continue\r\n\r\n");
	expect_output(f, "HTTP/1.1 100 Continue\r\n\r\n");
	say(f, "ok");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	say(f, "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
	    "Expect: 100-continue\r\n\r\nok");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	say(f, "PUT /early HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
	    "Expect: 100-continue\r\n\r\n");
	expect_output(f, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n"
	    "Connection: close\r\n\r\nno\n");
	assert_true(f->eof);
}

static void
test_pauses_and_resumes(void **state)
{
	struct fixture *f = *state;

	say(f, PUT("/nibble", "20") "0123456789abcdefghij" GET("/hello"));
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
	    "0123456789abcdefghij" HELLO);
	say(f, PUTC("/nibble") "a\r\n0123456789\r\n5\r\nabcde\r\n0\r\n\r\n"
	    GET("/hello"));
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"
	    "0123456789abcde" HELLO);
}

static void
test_paused_body_is_not_read(void **state)
{
	struct fixture *f = *state;
	char data[65536];
	size_t sent = 0;
	ssize_t n = 0;
	unsigned i;

	memset(data, 'x', sizeof(data));
	say(f, PUT("/hold", "1000000000"));
	for (i = 0; i < 200; i++) {
		n = send(f->client, data, sizeof(data), MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		turn(f, 1);
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(sent < 2 * 1024 * 1024);
	assert_int_equal(f->done, 0);
	close(f->client);
	f->client = -1;
	http_body_resume(f->pending);
	turn(f, 5);
	assert_int_equal(f->done, 0);	/* paused again at once */
}

static void
test_large_body(void **state)
{
	struct fixture *f = *state;
	size_t i, len = 3 * 1024 * 1024;
	char *data;

	assert_non_null(data = malloc(len));
	for (i = 0; i < len; i++)
		data[i] = (char)(i * 7 + i / 251);
	say(f, PUT("/echo", "3145728"));
	send_bytes(f, data, len);
	settle(f);
	assert_true(f->output.len > len);
	assert_memory_equal(f->output.data + f->output.len - len, data, len);
	expect_record(f, "/echo 200 3145728 ok\n");
	free(data);
}

static void
test_unread_body_is_discarded(void **state)
{
	struct fixture *f = *state;

	/* The body looks like a request, and must not be taken for one. */
	assert_int_equal(strlen(GET("/hello")), 32);
	say(f, PUT("/early", "32") GET("/hello") GET("/hello"));
	expect_output(f, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n"
	    "\r\nno\n" HELLO);
	assert_int_equal(f->started, 2);
	say(f, PUTC("/refuse") "5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n"
	    GET("/hello"));
	expect_output(f, "HTTP/1.1 413 Content Too Large\r\n"
	    "Content-Length: 9\r\n\r\ntoo much\n" HELLO);
}

static void
test_early_answer_to_large_body(void **state)
{
	struct fixture *f = *state;
	static char data[65536];
	unsigned i;

	memset(data, 'G', sizeof(data));
	say(f, PUT("/early", "100000000"));
	for (i = 0; i < 100 && f->output.len == 0; i++) {
		(void)send(f->client, data, sizeof(data), MSG_NOSIGNAL);
		turn(f, 1);
		(void)receive(f);
	}
	expect_output(f, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n"
	    "Connection: close\r\n\r\nno\n");
	assert_true(f->eof);
	expect_record(f, "/early 401 3 ok\n");
	for (i = 0; i < 100; i++) {
		(void)send(f->client, data, sizeof(data), MSG_NOSIGNAL);
		turn(f, 0);
	}
	assert_int_equal(f->started, 1);
	shutdown(f->client, SHUT_RDWR);
	settle(f);
	assert_int_equal(http_server_connections(f->server), 1);
}

int
main(void)
{
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_continue),
		TEST(test_pauses_and_resumes),
		TEST(test_paused_body_is_not_read),
		TEST(test_large_body),
		TEST(test_unread_body_is_discarded),
		TEST(test_early_answer_to_large_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
