/* SPDX-License-Identifier: ISC */
/*
 * HTTP connections over TLS: large bodies in both directions, a client that
 * closes, and one that speaks plain HTTP to a TLS port.
 */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <unistd.h>

#include "cert_maker.h"
#include "http.h"
#include "loop.h"
#include "tls.h"

#define BIG	(5 * 1024 * 1024 + 123)

struct fixture {
	struct loop		*loop;
	struct loop_timer	*stop;
	struct http_server	*server;
	struct tls_context	*context;
	SSL_CTX			*client_ctx;
	SSL			*client;
	int			 fd;
	int			 file;
	uint64_t		 sum;		/* of the body received */
	unsigned		 done;
	unsigned		 completed;
};

static void
on_stop(void *arg)
{
	loop_stop(arg);
}

static void
turn(struct fixture *f, uint64_t ms)
{
	unsigned i;

	/* At least some turns, however late the timer comes. */
	for (i = 0; i < 8; i++) {
		assert_int_equal(loop_timer_start(f->stop, i == 0 ? ms : 0),
		    0);
		assert_int_equal(loop_run(f->loop), 0);
	}
}

static uint64_t
sum_of(uint64_t sum, const unsigned char *p, size_t len)
{
	while (len-- > 0)
		sum = sum * 31 + *p++;
	return sum;
}

static unsigned char
pattern(size_t i)
{
	return (unsigned char)(i * 7 + i / 253);
}

static ssize_t
on_body(struct http_exchange *ex, const void *data, size_t len, bool end,
    void *arg)
{
	struct fixture *f = arg;
	struct http_response r;

	if (data == NULL)
		return 0;
	f->sum = sum_of(f->sum, data, len);
	if (end) {
		http_response_init(&r, 201);
		http_respond(ex, &r);
	}
	return (ssize_t)len;
}

static int
produce(struct http_exchange *ex, struct buf *b, void *arg)
{
	uint64_t left = BIG - http_body_received(ex) - *(uint64_t *)arg;
	char *p;
	size_t n, i;

	n = left < 20000 ? (size_t)left : 20000;
	assert_non_null(p = buf_reserve(b, n));
	for (i = 0; i < n; i++)
		p[i] = (char)pattern(*(uint64_t *)arg + i);
	buf_commit(b, n);
	*(uint64_t *)arg += n;
	return n < left ? 1 : 0;
}

static void
on_request(struct http_exchange *ex, void *arg)
{
	static uint64_t produced;
	const char *target = http_request(ex)->target;
	struct fixture *f = arg;
	struct http_response r;

	assert_true(http_request(ex)->tls);
	http_response_init(&r, 200);
	if (http_request(ex)->method == HTTP_PUT) {
		http_response_done(&r);
		http_body_read(ex, on_body, f);
	} else if (strcmp(target, "/stream") == 0) {
		produced = 0;
		http_respond_stream(ex, &r, produce, &produced);
	} else if (strcmp(target, "/file") == 0) {
		http_response_file(&r, dup(f->file), 0, BIG);
		http_respond(ex, &r);
	} else {
		http_response_body(&r, "hello", 5);
		http_respond(ex, &r);
	}
}

static void
on_done(struct http_exchange *ex, void *arg)
{
	struct fixture *f = arg;

	f->done++;
	f->completed += http_completed(ex);
}

static const struct http_server_ops ops = { on_request, on_done, NULL };

static void
make_file(struct fixture *f)
{
	char name[] = "/tmp/test_http_tls.XXXXXX";
	unsigned char *data;
	size_t i;

	assert_int_not_equal(f->file = mkstemp(name), -1);
	unlink(name);
	assert_non_null(data = malloc(BIG));
	for (i = 0; i < BIG; i++)
		data[i] = pattern(i);
	assert_int_equal(write(f->file, data, BIG), BIG);
	free(data);
}

static int
setup(void **state)
{
	static const struct peer peer = { "192.0.2.1", 1 };
	struct tls_conf conf;
	struct identity id;
	struct fixture *f;
	char error[256];
	int fds[2];

	assert_non_null(f = calloc(1, sizeof(*f)));
	make_file(f);
	identity_new(&id, "server", NULL);
	memset(&conf, 0, sizeof(conf));
	conf.certificate = id.cert_pem;
	conf.certificate_len = id.cert_len;
	conf.key = id.key_pem;
	conf.key_len = id.key_len;
	f->context = tls_context_new(&conf, error, sizeof(error));
	assert_non_null(f->context);
	identity_done(&id);
	assert_non_null(f->loop = loop_new());
	assert_non_null(f->stop = loop_timer_new(f->loop, on_stop, f->loop));
	f->server = http_server_new(f->loop, &http_limits_default, &ops, f);
	assert_non_null(f->server);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	f->fd = fds[1];
	assert_int_equal(http_server_add(f->server, fds[0], &peer,
	    f->context), 0);
	assert_non_null(f->client_ctx = SSL_CTX_new(TLS_client_method()));
	SSL_CTX_set_mode(f->client_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
	assert_non_null(f->client = SSL_new(f->client_ctx));
	SSL_set_fd(f->client, f->fd);
	SSL_set_connect_state(f->client);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	http_server_free(f->server);
	SSL_free(f->client);
	SSL_CTX_free(f->client_ctx);
	tls_context_free(f->context);
	close(f->fd);
	close(f->file);
	loop_timer_free(f->stop);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void
say(struct fixture *f, const void *data, size_t len)
{
	const char *p = data;
	unsigned tries = 0;
	int n;

	while (len > 0) {
		n = SSL_write(f->client, p, len < 30000 ? (int)len : 30000);
		if (n <= 0) {
			assert_true(tries++ < 10000);
			turn(f, 1);
			continue;
		}
		p += n;
		len -= (size_t)n;
	}
}

/* Read up to the end of a head, and return what came after it. */
static size_t
hear(struct fixture *f, unsigned char *data, size_t want, char *head)
{
	unsigned char *body = NULL;
	size_t len = 0;
	unsigned tries = 0;
	int n;

	while (body == NULL || len - (size_t)(body - data) < want) {
		n = SSL_read(f->client, data + len, 30000);
		if (n <= 0) {
			assert_true(tries++ < 10000);
			turn(f, 1);
			continue;
		}
		len += (size_t)n;
		data[len] = '\0';
		if (body == NULL &&
		    (body = (unsigned char *)strstr((char *)data,
		    "\r\n\r\n")) != NULL)
			body += 4;
	}
	memcpy(head, data, 15);
	head[15] = '\0';
	len -= (size_t)(body - data);
	memmove(data, body, len);
	return len;
}

static void
test_small_and_pipelined(void **state)
{
	static const char two[] = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
	    "GET /b HTTP/1.1\r\nHost: a\r\n\r\n";
	struct fixture *f = *state;
	static unsigned char data[65536];
	char head[16];

	say(f, two, sizeof(two) - 1);
	(void)hear(f, data, 10, head);
	assert_string_equal(head, "HTTP/1.1 200 OK");
	turn(f, 5);
	assert_int_equal(f->completed, 2);
}

static void
test_large_upload(void **state)
{
	static const char head_text[] = "PUT / HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: 5243003\r\n\r\n";
	struct fixture *f = *state;
	unsigned char *data;
	char head[16];
	size_t i;

	assert_int_equal(BIG, 5243003);
	assert_non_null(data = malloc(BIG));
	for (i = 0; i < BIG; i++)
		data[i] = pattern(i);
	say(f, head_text, sizeof(head_text) - 1);
	say(f, data, BIG);
	(void)hear(f, data, 0, head);
	assert_string_equal(head, "HTTP/1.1 201 Cr");
	for (i = 0; i < BIG; i++)
		data[i] = pattern(i);
	assert_true(f->sum == sum_of(0, data, BIG));
	free(data);
}

static void
test_large_file(void **state)
{
	static const char text[] = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";
	struct fixture *f = *state;
	unsigned char *data;
	char head[16];
	size_t i, len;

	assert_non_null(data = malloc(BIG + 65536));
	say(f, text, sizeof(text) - 1);
	len = hear(f, data, BIG, head);
	assert_string_equal(head, "HTTP/1.1 200 OK");
	assert_int_equal(len, BIG);
	for (i = 0; i < BIG && data[i] == pattern(i); i++)
		continue;
	assert_int_equal(i, BIG);
	turn(f, 5);
	assert_int_equal(f->completed, 1);
	free(data);
}

/* Closing is the end of the body to an old client. */
static void
test_stream_until_close(void **state)
{
	static const char text[] = "GET /stream HTTP/1.0\r\n\r\n";
	struct fixture *f = *state;
	unsigned char *data;
	char head[16];
	size_t i, len;
	int n;

	assert_non_null(data = malloc(BIG + 65536));
	say(f, text, sizeof(text) - 1);
	len = hear(f, data, BIG, head);
	assert_int_equal(len, BIG);
	for (i = 0; i < BIG && data[i] == pattern(i); i++)
		continue;
	assert_int_equal(i, BIG);
	turn(f, 5);
	n = SSL_read(f->client, data, 1);
	assert_int_equal(n, 0);
	assert_int_equal(SSL_get_error(f->client, n), SSL_ERROR_ZERO_RETURN);
	close(f->fd);
	f->fd = -1;
	turn(f, 5);
	assert_int_equal(http_server_connections(f->server), 0);
	free(data);
}

static void
test_client_goes_away(void **state)
{
	static const char text[] = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";
	struct fixture *f = *state;

	say(f, text, sizeof(text) - 1);
	turn(f, 5);
	assert_int_equal(f->done, 0);
	close(f->fd);
	f->fd = -1;
	turn(f, 5);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->completed, 0);
	assert_int_equal(http_server_connections(f->server), 0);
}

static void
test_plain_http_is_told(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct fixture *f = *state;
	char answer[512];
	ssize_t n;

	assert_int_equal(write(f->fd, text, sizeof(text) - 1),
	    sizeof(text) - 1);
	turn(f, 5);
	n = read(f->fd, answer, sizeof(answer) - 1);
	assert_true(n > 0);
	answer[n] = '\0';
	assert_memory_equal(answer, "HTTP/1.0 400 Bad Request\r\n", 26);
	assert_non_null(strstr(answer,
	    "\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"));
	assert_int_equal(read(f->fd, answer, 1), 0);
	assert_int_equal(f->done, 0);
}

int
main(void)
{
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_small_and_pipelined),
		TEST(test_large_upload),
		TEST(test_large_file),
		TEST(test_stream_until_close),
		TEST(test_client_goes_away),
		TEST(test_plain_http_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
