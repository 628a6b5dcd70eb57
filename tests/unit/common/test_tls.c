/* SPDX-License-Identifier: ISC */
/*
 * Unit tests of common/tls.c and tls_context.c: certificates made here, an
 * OpenSSL client on the other end of a socket pair.
 */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <signal.h>
#include <unistd.h>

#include "cert_maker.h"
#include "tls.h"

static struct identity server_id, authority, user_id, stranger;

static int
setup_group(void **state)
{
	(void)state;
	identity_new(&server_id, "server", NULL);
	identity_new(&authority, "authority", NULL);
	identity_new(&user_id, "user", &authority);
	identity_new(&stranger, "stranger", NULL);
	return 0;
}

static int
teardown_group(void **state)
{
	(void)state;
	identity_done(&server_id);
	identity_done(&authority);
	identity_done(&user_id);
	identity_done(&stranger);
	return 0;
}

static struct tls_conf
basic_conf(void)
{
	struct tls_conf conf;

	memset(&conf, 0, sizeof(conf));
	conf.certificate = server_id.cert_pem;
	conf.certificate_len = server_id.cert_len;
	conf.key = server_id.key_pem;
	conf.key_len = server_id.key_len;
	memset(conf.ticket_key, 0x5a, sizeof(conf.ticket_key));
	return conf;
}

static struct tls_context *
context_of(const struct tls_conf *conf)
{
	struct tls_context *context;
	char error[256] = "";

	context = tls_context_new(conf, error, sizeof(error));
	assert_string_equal(error, "");
	assert_non_null(context);
	return context;
}

/* Both ends of one connection. */
struct pair {
	int		 fds[2];	/* server, client */
	struct tls_conn	*server;
	SSL		*client;
	enum tls_result	 result;	/* of the server's handshake */
	bool		 client_ok;
};

static void
pair_new(struct pair *p, struct tls_context *context, SSL_CTX *client)
{
	memset(p, 0, sizeof(*p));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    p->fds), 0);
	assert_non_null(p->server = tls_accept(context, p->fds[0]));
	assert_non_null(p->client = SSL_new(client));
	assert_int_equal(SSL_set_fd(p->client, p->fds[1]), 1);
	SSL_set_connect_state(p->client);
}

static void
pair_shake(struct pair *p)
{
	unsigned i;
	int r = 0;

	p->result = TLS_WANT_READ;
	for (i = 0; i < 20; i++) {
		if (r != 1)
			r = SSL_do_handshake(p->client);
		if (p->result == TLS_WANT_READ || p->result == TLS_WANT_WRITE)
			p->result = tls_handshake(p->server);
	}
	p->client_ok = r == 1;
	ERR_clear_error();
}

static void
pair_done(struct pair *p)
{
	tls_conn_free(p->server);
	SSL_free(p->client);
	close(p->fds[0]);
	close(p->fds[1]);
}

static SSL_CTX *
client_context(const struct identity *id)
{
	SSL_CTX *ctx;

	assert_non_null(ctx = SSL_CTX_new(TLS_client_method()));
	if (id != NULL) {
		assert_int_equal(SSL_CTX_use_certificate(ctx, id->cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, id->key), 1);
	}
	return ctx;
}

static void
test_bytes_go_both_ways(void **state)
{
	struct tls_conf conf = basic_conf();
	struct tls_context *context = context_of(&conf);
	SSL_CTX *ctx = client_context(NULL);
	char data[64];
	struct pair p;
	size_t n;

	(void)state;
	pair_new(&p, context, ctx);
	assert_int_equal(tls_handshake(p.server), TLS_WANT_READ);
	pair_shake(&p);
	assert_int_equal(p.result, TLS_OK);
	assert_true(p.client_ok);
	assert_string_equal(tls_version(p.server), "TLSv1.3");
	assert_int_equal(tls_read(p.server, data, sizeof(data), &n),
	    TLS_WANT_READ);
	assert_int_equal(SSL_write(p.client, "question", 8), 8);
	assert_int_equal(tls_read(p.server, data, 3, &n), TLS_OK);
	assert_int_equal(n, 3);
	assert_true(tls_pending(p.server));
	assert_int_equal(tls_read(p.server, data + 3, 60, &n), TLS_OK);
	assert_int_equal(n, 5);
	assert_false(tls_pending(p.server));
	assert_memory_equal(data, "question", 8);
	assert_int_equal(tls_write(p.server, "answer", 6, &n), TLS_OK);
	assert_int_equal(n, 6);
	assert_int_equal(SSL_read(p.client, data, sizeof(data)), 6);
	assert_memory_equal(data, "answer", 6);
	tls_shutdown(p.server);
	assert_int_equal(SSL_read(p.client, data, sizeof(data)), 0);
	assert_int_equal(SSL_get_error(p.client, 0), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(SSL_shutdown(p.client), 1);
	assert_int_equal(tls_read(p.server, data, sizeof(data), &n),
	    TLS_CLOSED);
	pair_done(&p);
	SSL_CTX_free(ctx);
	tls_context_free(context);
}

/* Half a record is nothing to read again for. */
static void
test_half_a_record_is_not_pending(void **state)
{
	struct tls_conf conf = basic_conf();
	struct tls_context *context = context_of(&conf);
	SSL_CTX *ctx = client_context(NULL);
	char data[64], *record;
	struct pair p;
	BIO *bio;
	size_t n;
	long len;

	(void)state;
	pair_new(&p, context, ctx);
	pair_shake(&p);
	assert_int_equal(p.result, TLS_OK);
	assert_non_null(bio = BIO_new(BIO_s_mem()));
	SSL_set0_wbio(p.client, bio);
	assert_int_equal(SSL_write(p.client, "question", 8), 8);
	len = BIO_get_mem_data(bio, &record);
	assert_true(len > 10);
	assert_int_equal(write(p.fds[1], record, 3), 3);
	assert_int_equal(tls_read(p.server, data, sizeof(data), &n),
	    TLS_WANT_READ);
	assert_false(tls_pending(p.server));
	assert_int_equal(write(p.fds[1], record + 3, 7), 7);
	assert_int_equal(tls_read(p.server, data, sizeof(data), &n),
	    TLS_WANT_READ);
	assert_false(tls_pending(p.server));
	assert_int_equal(write(p.fds[1], record + 10, (size_t)len - 10),
	    len - 10);
	assert_int_equal(tls_read(p.server, data, sizeof(data), &n), TLS_OK);
	assert_int_equal(n, 8);
	pair_done(&p);
	SSL_CTX_free(ctx);
	tls_context_free(context);
}

static void
test_full_socket_is_want_write(void **state)
{
	struct tls_conf conf = basic_conf();
	struct tls_context *context = context_of(&conf);
	SSL_CTX *ctx = client_context(NULL);
	static char data[65536], got[65536];
	enum tls_result r;
	size_t n, sent = 0, received = 0;
	struct pair p;
	int k;

	(void)state;
	pair_new(&p, context, ctx);
	pair_shake(&p);
	while ((r = tls_write(p.server, data, sizeof(data), &n)) == TLS_OK)
		sent += n;
	assert_int_equal(r, TLS_WANT_WRITE);
	assert_true(sent > 0);
	while ((k = SSL_read(p.client, got, sizeof(got))) > 0)
		received += (size_t)k;
	/* The record that did not fit is finished by the next write. */
	assert_int_equal(tls_write(p.server, data, sizeof(data), &n), TLS_OK);
	sent += n;
	while ((k = SSL_read(p.client, got, sizeof(got))) > 0)
		received += (size_t)k;
	assert_int_equal(sent, received);
	close(p.fds[1]);
	p.fds[1] = -1;
	while ((r = tls_write(p.server, data, sizeof(data), &n)) == TLS_OK)
		continue;
	assert_int_equal(r, TLS_ERROR);
	pair_done(&p);
	SSL_CTX_free(ctx);
	tls_context_free(context);
}

static void
test_knows_plain_http(void **state)
{
	static const struct {
		const char	*in;
		enum tls_result	 want;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n", TLS_HTTP },
		{ "PATCH / HTTP/1.1\r\n", TLS_HTTP },
		{ "D", TLS_HTTP },
		{ "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b", TLS_ERROR },
		{ "", TLS_CLOSED },
	};
	struct tls_conf conf = basic_conf();
	struct tls_context *context = context_of(&conf);
	SSL_CTX *ctx = client_context(NULL);
	struct pair p;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = strlen(cases[i].in);
		pair_new(&p, context, ctx);
		assert_int_equal(write(p.fds[1], cases[i].in, len), len);
		if (len == 0)
			shutdown(p.fds[1], SHUT_WR);
		assert_int_equal(tls_handshake(p.server), cases[i].want);
		tls_shutdown(p.server);
		pair_done(&p);
	}
	SSL_CTX_free(ctx);
	tls_context_free(context);
}

/* Resume a session of "from" at "to"; true when it was resumed. */
static bool
resumes(struct tls_context *from, struct tls_context *to, int version)
{
	SSL_CTX *ctx = client_context(NULL);
	SSL_SESSION *session;
	struct pair p;
	char c;
	size_t n;
	bool resumed;

	SSL_CTX_set_max_proto_version(ctx, version);
	pair_new(&p, from, ctx);
	pair_shake(&p);
	assert_true(p.client_ok);
	assert_int_equal(SSL_session_reused(p.client), 0);
	/* The ticket of TLS 1.3 comes with the first bytes. */
	assert_int_equal(tls_write(p.server, "x", 1, &n), TLS_OK);
	assert_int_equal(SSL_read(p.client, &c, 1), 1);
	assert_non_null(session = SSL_get1_session(p.client));
	assert_true(SSL_SESSION_has_ticket(session));
	/* The session of a connection that was cut would not be used. */
	SSL_set_shutdown(p.client, SSL_SENT_SHUTDOWN);
	pair_done(&p);

	pair_new(&p, to, ctx);
	assert_int_equal(SSL_set_session(p.client, session), 1);
	pair_shake(&p);
	assert_true(p.client_ok);
	assert_int_equal(p.result, TLS_OK);
	resumed = SSL_session_reused(p.client) == 1;
	pair_done(&p);
	SSL_SESSION_free(session);
	SSL_CTX_free(ctx);
	return resumed;
}

static void
test_tickets_resume_on_another_worker(void **state)
{
	struct tls_conf conf = basic_conf(), other = basic_conf();
	struct tls_context *one, *two, *three;

	(void)state;
	other.ticket_key[0] ^= 1;
	one = context_of(&conf);
	two = context_of(&conf);
	three = context_of(&other);
	assert_true(resumes(one, two, TLS1_3_VERSION));
	assert_true(resumes(one, two, TLS1_2_VERSION));
	assert_false(resumes(one, three, TLS1_3_VERSION));
	assert_false(resumes(one, three, TLS1_2_VERSION));
	tls_context_free(one);
	tls_context_free(two);
	tls_context_free(three);

	/* The same name, but a key that does not fit. */
	other = conf;
	other.ticket_key[20] ^= 1;
	one = context_of(&conf);
	two = context_of(&other);
	assert_false(resumes(one, two, TLS1_3_VERSION));
	tls_context_free(one);
	tls_context_free(two);
}

static bool
connects(const struct tls_conf *conf, SSL_CTX *ctx)
{
	struct tls_context *context = context_of(conf);
	struct pair p;
	char c;
	size_t n;
	bool ok;

	pair_new(&p, context, ctx);
	pair_shake(&p);
	/* In TLS 1.3 a client learns only now that it was refused. */
	ok = p.client_ok && p.result == TLS_OK;
	if (ok) {
		assert_int_equal(tls_write(p.server, "x", 1, &n), TLS_OK);
		ok = SSL_read(p.client, &c, 1) == 1;
	}
	ERR_clear_error();
	pair_done(&p);
	tls_context_free(context);
	return ok;
}

static void
test_minimum_version(void **state)
{
	static const struct {
		const char	*minimum;
		int		 version;
		bool		 want;
	} cases[] = {
		{ NULL, TLS1_1_VERSION, false },
		{ NULL, TLS1_2_VERSION, true },
		{ NULL, TLS1_3_VERSION, true },
		{ "tls1.2", TLS1_2_VERSION, true },
		{ "tls1.3", TLS1_2_VERSION, false },
		{ "tls1.3", TLS1_3_VERSION, true },
	};
	struct tls_conf conf = basic_conf();
	SSL_CTX *ctx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conf.minimum = cases[i].minimum;
		ctx = client_context(NULL);
		SSL_CTX_set_min_proto_version(ctx, cases[i].version);
		SSL_CTX_set_max_proto_version(ctx, cases[i].version);
		assert_int_equal(connects(&conf, ctx), cases[i].want);
		SSL_CTX_free(ctx);
	}
}

static void
test_client_certificates(void **state)
{
	static const struct {
		enum tls_client_auth	 mode;
		const struct identity	*id;
		bool			 want;
	} cases[] = {
		{ TLS_CLIENT_NONE, NULL, true },
		{ TLS_CLIENT_NONE, &stranger, true },
		{ TLS_CLIENT_REQUEST, NULL, true },
		{ TLS_CLIENT_REQUEST, &stranger, true },
		{ TLS_CLIENT_REQUIRE_ANY, NULL, false },
		{ TLS_CLIENT_REQUIRE_ANY, &stranger, true },
		{ TLS_CLIENT_VERIFY_IF_GIVEN, NULL, true },
		{ TLS_CLIENT_VERIFY_IF_GIVEN, &stranger, false },
		{ TLS_CLIENT_VERIFY_IF_GIVEN, &user_id, true },
		{ TLS_CLIENT_REQUIRE, NULL, false },
		{ TLS_CLIENT_REQUIRE, &stranger, false },
		{ TLS_CLIENT_REQUIRE, &user_id, true },
	};
	struct tls_conf conf = basic_conf();
	SSL_CTX *ctx;
	size_t i;

	(void)state;
	conf.clientcas = authority.cert_pem;
	conf.clientcas_len = authority.cert_len;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conf.client_auth = cases[i].mode;
		ctx = client_context(cases[i].id);
		assert_int_equal(connects(&conf, ctx), cases[i].want);
		SSL_CTX_free(ctx);
	}
}

static void
test_ciphersuites(void **state)
{
	static const char *const tls12[] = {
		"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", NULL
	};
	static const char *const tls13[] = {
		"TLS_CHACHA20_POLY1305_SHA256", NULL
	};
	struct tls_conf conf = basic_conf();
	SSL_CTX *ctx = client_context(NULL);

	(void)state;
	conf.ciphersuites = tls12;
	assert_int_equal(SSL_CTX_set_cipher_list(ctx,
	    "ECDHE-ECDSA-AES128-GCM-SHA256"), 1);
	assert_true(connects(&conf, ctx));	/* by TLS 1.3 */
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	assert_false(connects(&conf, ctx));
	assert_int_equal(SSL_CTX_set_cipher_list(ctx,
	    "ECDHE-ECDSA-AES256-GCM-SHA384"), 1);
	assert_true(connects(&conf, ctx));
	SSL_CTX_free(ctx);

	conf.ciphersuites = tls13;
	ctx = client_context(NULL);
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	assert_int_equal(SSL_CTX_set_ciphersuites(ctx,
	    "TLS_AES_128_GCM_SHA256"), 1);
	assert_false(connects(&conf, ctx));
	SSL_CTX_free(ctx);
	assert_true(tls_ciphersuite_known("TLS_AES_128_GCM_SHA256"));
	assert_false(tls_ciphersuite_known("ECDHE-RSA-AES128-SHA"));
	assert_false(tls_ciphersuite_known(""));
}

static void
test_alpn(void **state)
{
	static const struct {
		const char	*offer;
		bool		 want;
	} cases[] = {
		{ "\x08http/1.1", true },
		{ "\x02h2\x08http/1.1", true },
		{ "\x02h2", false },
	};
	struct tls_conf conf = basic_conf();
	SSL_CTX *ctx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ctx = client_context(NULL);
		assert_int_equal(SSL_CTX_set_alpn_protos(ctx,
		    (const unsigned char *)cases[i].offer,
		    (unsigned)strlen(cases[i].offer)), 0);
		assert_int_equal(connects(&conf, ctx), cases[i].want);
		SSL_CTX_free(ctx);
	}
}

static void
expect_error(const struct tls_conf *conf, const char *start)
{
	char error[256] = "";

	assert_null(tls_context_new(conf, error, sizeof(error)));
	if (strncmp(error, start, strlen(start)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", error, start);
	assert_int_equal(ERR_peek_error(), 0);
}

/* Seconds from now; the certificate is signed anew. */
static const char *
warning_of(long from, long to)
{
	struct tls_conf conf = basic_conf();
	struct tls_context *context;
	const char *warning;
	struct identity id;
	BIO *bio;

	identity_new(&id, "dated", NULL);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), from);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), to);
	assert_true(X509_sign(id.cert, id.key, EVP_sha256()) > 0);
	assert_non_null(bio = BIO_new(BIO_s_mem()));
	assert_int_equal(PEM_write_bio_X509(bio, id.cert), 1);
	free(id.cert_pem);
	id.cert_pem = bio_steal(bio, &id.cert_len);
	conf.certificate = id.cert_pem;
	conf.certificate_len = id.cert_len;
	conf.key = id.key_pem;
	conf.key_len = id.key_len;
	context = context_of(&conf);
	warning = tls_context_warning(context);
	tls_context_free(context);
	identity_done(&id);
	return warning;
}

static void
test_warns_of_dates(void **state)
{
	(void)state;
	assert_null(warning_of(-3600, 3600));
	assert_non_null(strstr(warning_of(-3600, -60), "expired"));
	assert_non_null(strstr(warning_of(60, 3600), "not valid yet"));
}

static void
test_says_what_is_wrong(void **state)
{
	static const char *const unknown[] = { "TLS_NULL", NULL };
	struct tls_conf conf = basic_conf();

	(void)state;
	conf.key = stranger.key_pem;
	conf.key_len = stranger.key_len;
	expect_error(&conf, "key: cannot be used with the certificate");
	conf = basic_conf();
	conf.key = conf.certificate;
	conf.key_len = conf.certificate_len;
	expect_error(&conf, "key: no PEM private key");
	conf = basic_conf();
	conf.certificate = "nonsense";
	conf.certificate_len = 8;
	expect_error(&conf, "certificate: no PEM certificate");
	conf.certificate_len = 0;
	expect_error(&conf, "certificate: empty");
	conf = basic_conf();
	conf.certificate_len -= 40;
	expect_error(&conf, "certificate: no PEM certificate");
	conf = basic_conf();
	conf.minimum = "ssl3";
	expect_error(&conf, "minimum: unknown version \"ssl3\"");
	conf = basic_conf();
	conf.ciphersuites = unknown;
	expect_error(&conf, "ciphersuites: unknown name \"TLS_NULL\"");
	conf = basic_conf();
	conf.client_auth = TLS_CLIENT_REQUIRE;
	expect_error(&conf, "clientauth: needs clientcas");
	conf.clientcas = "x";
	conf.clientcas_len = 1;
	expect_error(&conf, "clientcas: no PEM certificate");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_go_both_ways),
		cmocka_unit_test(test_half_a_record_is_not_pending),
		cmocka_unit_test(test_full_socket_is_want_write),
		cmocka_unit_test(test_knows_plain_http),
		cmocka_unit_test(test_tickets_resume_on_another_worker),
		cmocka_unit_test(test_minimum_version),
		cmocka_unit_test(test_client_certificates),
		cmocka_unit_test(test_ciphersuites),
		cmocka_unit_test(test_alpn),
		cmocka_unit_test(test_warns_of_dates),
		cmocka_unit_test(test_says_what_is_wrong),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
