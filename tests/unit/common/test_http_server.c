/* SPDX-License-Identifier: ISC */
/*
 * What a server does with its connections over time: deadlines, clients that
 * go away, limits, draining.
 */
#include "http_fixture.h"

static void
test_client_goes_away(void **state)
{
	struct fixture *f = *state;

	say(f, PUT("/echo", "100") "part");
	turn(f, 5);
	close(f->client);
	f->client = -1;
	turn(f, 5);
	expect_record(f, "failed /echo 0 0 cut\n");
	assert_int_equal(http_server_connections(f->server), 0);

	assert_int_equal(ftruncate(f->file, 20 * 1024 * 1024), 0);
	connect_client(f);
	say(f, GET("/file/all"));
	turn(f, 5);
	close(f->client);
	f->client = -1;
	turn(f, 5);
	assert_int_equal(f->done, 2);
	assert_non_null(strstr(buf_str(&f->record), " cut\n"));
	assert_int_equal(http_server_connections(f->server), 0);
}

static void
test_timeouts(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = http_limits_default;

	limits.head_timeout_ms = limits.idle_timeout_ms = 20;
	limits.body_timeout_ms = limits.send_timeout_ms = 20;
	set_limits(f, &limits);
	turn(f, 60);
	expect_output(f, "");
	assert_true(f->eof);

	connect_client(f);
	say(f, "GET / HTTP/1.1\r\n");
	turn(f, 10);
	say(f, "Host: a\r\n");		/* does not move the deadline */
	turn(f, 60);
	expect_output(f, "HTTP/1.1 408 Request Timeout\r\n"
	    "Content-Type: text/x-bad\r\nCache-Control: no-store\r\n"
	    "Content-Length: 29\r\n"
	    "Connection: close\r\n\r\n408 the request took too long");
	expect_record(f, "bad 408\n");

	connect_client(f);
	say(f, PUT("/echo", "9") "part");
	turn(f, 60);
	expect_output(f, "HTTP/1.1 408 Request Timeout\r\n"
	    "Content-Type: text/x-bad\r\nCache-Control: no-store\r\n"
	    "Content-Length: 28\r\n"
	    "Connection: close\r\n\r\n408 the request body stalled");
	expect_record(f, "failed bad 408\n/echo 408 28 ok\n");

	assert_int_equal(ftruncate(f->file, 20 * 1024 * 1024), 0);
	connect_client(f);
	say(f, GET("/file/all"));
	turn(f, 60);
	assert_int_equal(f->done, 2);
	assert_non_null(strstr(buf_str(&f->record), " cut\n"));
}

static void
test_progress_moves_deadlines(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = http_limits_default;
	char piece[1024];
	unsigned i;

	limits.body_timeout_ms = limits.send_timeout_ms = 300;
	limits.idle_timeout_ms = 300;
	set_limits(f, &limits);
	memset(piece, 'x', sizeof(piece));
	say(f, PUT("/echo", "8192"));
	for (i = 0; i < 8; i++) {
		turn(f, 60);
		send_bytes(f, piece, sizeof(piece));
	}
	settle(f);
	expect_record(f, "/echo 200 8192 ok\n");
	say(f, GET("/never"));
	turn(f, 400);
	assert_non_null(f->pending);
	respond(f->pending, 200, "now\n");
	settle(f);
	expect_record(f, "/never 200 4 ok\n");

	/* Drops are no progress. */
	buf_reset(&f->output);
	say(f, PUT("/echo", "8192"));
	for (i = 0; i < 8; i++) {
		turn(f, 60);
		(void)send(f->client, "x", 1, MSG_NOSIGNAL);
	}
	settle(f);
	expect_record(f, "failed bad 408\n/echo 408 28 ok\n");
}

static void
count(void *arg)
{
	++*(unsigned *)arg;
}

static void
test_drains(void **state)
{
	static const char get[] = GET("/hello");
	struct fixture *f = *state;
	char answer[512];
	int idle;
	ssize_t n;

	add_client(f, &idle);
	assert_int_equal(write(idle, get, sizeof(get) - 1), sizeof(get) - 1);
	say(f, GET("/never"));
	turn(f, 5);
	assert_true(read(idle, answer, sizeof(answer)) > 0);
	assert_int_equal(http_server_connections(f->server), 2);
	http_server_drain(f->server, count, &f->empty);
	/* Who asks again in that moment is answered, once. */
	assert_int_equal(write(idle, get, sizeof(get) - 1), sizeof(get) - 1);
	turn(f, 5);
	n = read(idle, answer, sizeof(answer) - 1);
	assert_true(n > 0);
	answer[n] = '\0';
	assert_non_null(strstr(answer, "Connection: close"));
	close(idle);
	turn(f, 5);
	assert_int_equal(http_server_connections(f->server), 1);
	assert_int_equal(f->empty, 0);
	respond(f->pending, 200, "bye\n");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
	    "Connection: close\r\n\r\nbye\n");
	assert_true(f->eof);
	close(f->client);
	f->client = -1;
	turn(f, 5);
	assert_int_equal(f->empty, 1);
	assert_int_equal(http_server_connections(f->server), 0);
}

static void
test_drain_answers_fresh_connections(void **state)
{
	static const char get[] = GET("/hello");
	struct fixture *f = *state;
	char answer[512];
	int silent;
	ssize_t n;

	add_client(f, &silent);
	http_server_drain(f->server, count, &f->empty);
	turn(f, 5);
	assert_int_equal(http_server_connections(f->server), 2);
	assert_int_equal(write(f->client, get, sizeof(get) - 1),
	    sizeof(get) - 1);
	turn(f, 20);
	n = read(f->client, answer, sizeof(answer) - 1);
	assert_true(n > 0);
	answer[n] = '\0';
	assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
	assert_non_null(strstr(answer, "Connection: close"));
	close(f->client);
	f->client = -1;
	assert_int_equal(f->empty, 0);
	turn(f, 1200);
	assert_int_equal(f->empty, 1);
	assert_int_equal(read(silent, answer, 1), 0);
	close(silent);
}

static void
test_drains_when_empty(void **state)
{
	struct fixture *f = *state;

	close(f->client);
	f->client = -1;
	turn(f, 5);
	http_server_drain(f->server, count, &f->empty);
	assert_int_equal(f->empty, 0);
	turn(f, 5);
	assert_int_equal(f->empty, 1);
}

static void
test_says_when_there_is_room(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = http_limits_default;
	struct peer peer = { "192.0.2.1", 1 };
	int fds[2], other;

	limits.max_connections = 2;
	set_limits(f, &limits);
	http_server_on_room(f->server, count, &f->room);
	add_client(f, &other);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(http_server_add(f->server, fds[1], &peer, NULL), -1);
	assert_int_equal(read(fds[0], fds, 1), 0);
	close(fds[0]);
	turn(f, 5);
	assert_int_equal(f->room, 0);
	close(other);
	turn(f, 5);
	assert_int_equal(f->room, 1);
	assert_int_equal(http_server_connections(f->server), 1);
}

int
main(void)
{
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_client_goes_away),
		TEST(test_timeouts),
		TEST(test_progress_moves_deadlines),
		TEST(test_drains),
		TEST(test_drain_answers_fresh_connections),
		TEST(test_drains_when_empty),
		TEST(test_says_when_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
