/* SPDX-License-Identifier: ISC */
/*
 * The signer as a process: the test plays the parent and the broker, a
 * forked child is the signer.  What it refuses it refuses whatever the
 * broker says, and nonsense cuts the broker off.
 */
#include "signer.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "jws.h"
#include "log.h"
#include "loop.h"
#include "msg.h"

#include "claims.h"
#include "messages.h"
#include "token_request.h"

#include "../common/token_maker.h"

#define LIFETIME	300
#define BACKDATE	10

struct answer {
	bool		 ok;
	uint64_t	 id;
	char		*jwt, jti[CLAIMS_JTI_SIZE];
	uint32_t	 expires_in;
	uint64_t	 issued_at;
};

static struct loop	*loop;
static struct loop_timer *watchdog;
static struct msg_chan	*child, *broker;	/* the ends of the test */
static pid_t		 pid;
static bool		 ready, broker_closed, child_closed;
static unsigned		 accused;
static struct answer	 last;
static EVP_PKEY		*rsa, *ec;
static struct jwks	*trusted;
static int		 keyfd = -1, chainfd = -1;
static int		 eckeyfd = -1, ecchainfd = -1;

static int
on_ready(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	(void)arg;
	ready = true;
	loop_stop(loop);
	return msg_end(msg);
}

static int
on_signed(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	(void)arg;
	last.id = msg->id;
	last.ok = msg_get_bool(msg);
	last.jwt = msg_get_strdup(msg, 49152);
	msg_get_str(msg, last.jti, sizeof(last.jti));
	last.expires_in = msg_get_u32(msg);
	last.issued_at = msg_get_u64(msg);
	loop_stop(loop);
	return msg_end(msg);
}

/* The signer wants its broker replaced. */
static int
on_peer_bad(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	(void)arg;
	accused += msg_get_u32(msg) == ROLE_BROKER && msg_get_u32(msg) == 0;
	return msg_end(msg);
}

static const struct msg_rule rules[] = {
	{ MSG_PEER_BAD, ROLE_SIGNER, 8, 8, 0, on_peer_bad, "PEER_BAD" },
	{ MSG_READY, ROLE_SIGNER, 0, 0, 0, on_ready, "READY" },
	{ MSG_SIGNED, ROLE_BROKER, 17, 65536, 0, on_signed, "SIGNED" },
};

#define NRULES	(sizeof(rules) / sizeof(rules[0]))

static void
on_child_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)chan;
	(void)why;
	(void)arg;
	child_closed = true;
	loop_stop(loop);
}

static void
on_broker_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)chan;
	(void)why;
	(void)arg;
	broker_closed = true;
	loop_stop(loop);
}

static void
on_watchdog(void *arg)
{
	(void)arg;
	fprintf(stderr, "the signer does not answer\n");
	abort();
}

/* Until a callback stops the loop. */
static void
turn(void)
{
	loop_timer_start(watchdog, 20000);
	assert_int_equal(loop_run(loop), 0);
	loop_timer_stop(watchdog);
}

static int
file_of(char *text)
{
	FILE	*file = tmpfile();
	int	 fd;

	MUST(file != NULL && fputs(text, file) >= 0 && fflush(file) == 0);
	fd = dup(fileno(file));
	fclose(file);
	free(text);
	return fd;
}

static void
spawn(void)
{
	struct proc_args args = { .role = "signer" };
	int		 pair[2], fd;

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    pair) == 0);
	fflush(stdout);
	pid = fork();
	MUST(pid != -1);
	if (pid == 0) {
		MUST(dup2(pair[1], PROC_CHANNEL_FD) == PROC_CHANNEL_FD);
		/* exec is what closes the rest in earnest. */
		for (fd = PROC_CHANNEL_FD + 1; fd < 64; fd++)
			close(fd);
		_exit(signer_main(&args));
	}
	close(pair[1]);
	loop = loop_new();
	watchdog = loop_timer_new(loop, on_watchdog, NULL);
	child = msg_chan_new(loop, pair[0], ROLE_SIGNER, 0, rules, NRULES,
	    on_child_closed, NULL);
	MUST(child != NULL);
	ready = broker_closed = child_closed = false;
	broker = NULL;
	accused = 0;
}

static void
send_key(int key, int chain)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_CONF_SIGNER_KEY, 0);
	msg_put_fd(&out, key);
	msg_put_fd(&out, chain);
	assert_int_equal(msg_send(child, &out), 0);
}

static void
send_service(const char *name, uint32_t key, const char *kid, bool x5c,
    uint32_t lifetime)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_CONF_SERVICE, 0);
	msg_put_str(&out, name);
	msg_put_u32(&out, key);
	msg_put_str(&out, kid);
	msg_put_bool(&out, x5c);
	msg_put_u32(&out, lifetime);
	msg_put_u32(&out, BACKDATE);
	assert_int_equal(msg_send(child, &out), 0);
}

static void
send_conf(uint32_t lifetime)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_CONF_BEGIN, 0);
	msg_put_u8(&out, LOG_LEVEL_ERROR);
	msg_put_u8(&out, LOG_FORMAT_TEXT);
	msg_put_u32(&out, 0);
	assert_int_equal(msg_send(child, &out), 0);
	msg_begin(&out, MSG_CONF_SIGNER, 0);
	msg_put_str(&out, "our-issuer");
	assert_int_equal(msg_send(child, &out), 0);
	send_key(keyfd, chainfd);
	send_key(eckeyfd, ecchainfd);
	send_service("one.example.com", 0, "rfc7638", true, lifetime);
	send_service("two.example.com", 0, "rfc7638", true, lifetime);
	send_service("ec.example.com", 1, "libtrust", false, 60);
}

/* Give the signer its end of a channel to a broker. */
static void
send_end(int fd)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_PEER, 0);
	msg_put_u32(&out, ROLE_BROKER);
	msg_put_u32(&out, 0);
	msg_put_fd(&out, fd);
	assert_int_equal(msg_send(child, &out), 0);
	close(fd);
}

/* A channel to the signer, as the broker has one. */
static void
send_broker(void)
{
	int	 pair[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    pair) == 0);
	send_end(pair[1]);
	msg_chan_free(broker);
	broker = msg_chan_new(loop, pair[0], ROLE_BROKER, 0, rules, NRULES,
	    on_broker_closed, NULL);
	MUST(broker != NULL);
}

static void
start(void)
{
	spawn();
	send_conf(LIFETIME);
	send_broker();
	assert_int_equal(msg_send_empty(child, MSG_CONF_END, 0), 0);
	turn();
	assert_true(ready);
}

/* Ends the child; its exit status. */
static int
stop(void)
{
	int	 status;

	if (!child_closed)
		msg_send_empty(child, MSG_DRAIN, 0);
	while (!child_closed)
		turn();
	MUST(waitpid(pid, &status, 0) == pid);
	msg_chan_free(child);
	msg_chan_free(broker);
	loop_timer_free(watchdog);
	loop_free(loop);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Ask for one token, of one scope or of none; false: refused. */
static bool
ask(uint64_t id, const char *service, const char *subject,
    const struct scope *scope)
{
	struct scope_set set = { NULL, 0 };
	struct scope	 copy;
	struct msg_out	 out;

	if (scope != NULL) {
		copy = *scope;
		set.items = &copy;
		set.n = 1;
	}
	msg_begin(&out, MSG_SIGN, id);
	msg_put_str(&out, service);
	msg_put_str(&out, subject);
	token_scopes_put(&out, &set);
	assert_int_equal(msg_send(broker, &out), 0);
	free(last.jwt);
	memset(&last, 0, sizeof(last));
	turn();
	assert_false(broker_closed);
	assert_int_equal(last.id, id);
	return last.ok;
}

static const struct scope pull = { "repository", "a/b", ACTION_PULL };

/* A file with the certificate of a key, which from now on is trusted. */
static int
trust(EVP_PKEY *pkey)
{
	static const struct maker_cert spec = { .cn = "signer" };
	char	 error[256], *pem;
	X509	*cert;

	cert = maker_certificate(pkey, NULL, pkey, &spec);
	pem = maker_certificate_pem(cert);
	MUST(jwks_add_pem(trusted, pem, strlen(pem), error,
	    sizeof(error)) == 1);
	X509_free(cert);
	return file_of(pem);
}

static int
setup(void **state)
{
	(void)state;
	trusted = jwks_new();
	rsa = maker_key("RSA2048");
	ec = maker_key("P-256");
	chainfd = trust(rsa);
	ecchainfd = trust(ec);
	keyfd = file_of(maker_private_pem(rsa));
	eckeyfd = file_of(maker_private_pem(ec));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close(keyfd);
	close(chainfd);
	close(eckeyfd);
	close(ecchainfd);
	jwks_free(trusted);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	free(last.jwt);
	return 0;
}

static void
test_signer_signs(void **state)
{
	static const char *const issuers[] = { "our-issuer", NULL };
	struct jws_expect expect = { .issuers = issuers,
			    .audience = "two.example.com",
			    .max_lifetime = LIFETIME + BACKDATE };
	int64_t		 expires;
	json_t		*claims;

	(void)state;
	start();
	assert_true(ask(42, "two.example.com", "bob", &pull));
	assert_int_equal(last.expires_in, LIFETIME);
	expect.now = clock_wall();
	assert_true(expect.now - (int64_t)last.issued_at <= 10);
	assert_int_equal(jws_verify(trusted, last.jwt, strlen(last.jwt),
	    &claims), JWS_OK);
	assert_null(jws_check_claims(claims, &expect, &expires));
	assert_int_equal(expires, (int64_t)last.issued_at + LIFETIME);
	assert_string_equal(json_string_value(json_object_get(claims,
	    "sub")), "bob");
	json_decref(claims);
	/* Nobody, with nothing. */
	assert_true(ask(43, "one.example.com", "", NULL));
	assert_int_equal(stop(), 0);
}

/* Key, form and lifetime are the service's. */
static void
test_signer_profiles(void **state)
{
	char		 kid[JWK_KID_SIZE], *dot;
	unsigned char	 bytes[1024];
	json_t		*header, *claims;
	ssize_t		 n;

	(void)state;
	start();
	assert_true(ask(1, "ec.example.com", "bob", &pull));
	assert_int_equal(last.expires_in, 60);
	assert_int_equal(jws_verify(trusted, last.jwt, strlen(last.jwt),
	    &claims), JWS_OK);
	assert_string_equal(json_string_value(json_object_get(claims,
	    "aud")), "ec.example.com");
	json_decref(claims);
	dot = strchr(last.jwt, '.');
	n = base64url_decode(bytes, last.jwt, (size_t)(dot - last.jwt));
	header = n <= 0 ? NULL : json_loadb((char *)bytes, (size_t)n, 0,
	    NULL);
	jwk_libtrust_id(ec, kid, sizeof(kid));
	assert_string_equal(json_string_value(json_object_get(header,
	    "kid")), kid);
	assert_string_equal(json_string_value(json_object_get(header,
	    "alg")), "ES256");
	assert_null(json_object_get(header, "x5c"));
	json_decref(header);
	assert_int_equal(stop(), 0);
}

/* The broker may be taken over: these it cannot get. */
static void
test_signer_refuses(void **state)
{
	static const struct {
		const char	*service;
		struct scope	 scope;
	} cases[] = {
		{ "three.example.com", { "repository", "a", ACTION_PULL } },
		{ "", { "repository", "a", ACTION_PULL } },
		{ "one.example.com.evil", { "repository", "a", ACTION_PULL } },
		{ "our-issuer", { "repository", "a", ACTION_PULL } },
		{ "one.example.com", { "repository", "A", ACTION_PULL } },
		{ "one.example.com", { "repository", "a/../b", ACTION_PULL } },
		{ "one.example.com", { "repository", "**", ACTION_PULL } },
		{ "one.example.com", { "repository", "", ACTION_PULL } },
		{ "one.example.com", { "registry", "other", ACTION_ALL } },
		{ "one.example.com", { "robot", "a", ACTION_PULL } },
		{ "one.example.com", { "repository", "a", 0x40 } },
	};
	size_t	 i;

	(void)state;
	start();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (ask(i, cases[i].service, "bob", &cases[i].scope))
			fail_msg("signed case %zu", i);
		assert_string_equal(last.jwt, "");
		assert_int_equal(last.expires_in, 0);
	}
	assert_false(ask(98, "one.example.com", "\xff\xfe", &pull));
	/* It goes on after that. */
	assert_true(ask(99, "one.example.com", "bob", &pull));
	assert_int_equal(stop(), 0);
}

static void
test_signer_cuts_off_nonsense(void **state)
{
	struct msg_out	 out;

	(void)state;
	start();
	/* More scopes announced than there are. */
	msg_begin(&out, MSG_SIGN, 1);
	msg_put_str(&out, "one.example.com");
	msg_put_str(&out, "bob");
	msg_put_u32(&out, 3);
	assert_int_equal(msg_send(broker, &out), 0);
	turn();
	assert_true(broker_closed);
	/* A configuration from the broker. */
	broker_closed = false;
	send_broker();
	assert_true(ask(2, "one.example.com", "bob", &pull));
	assert_int_equal(msg_send_empty(broker, MSG_DRAIN, 0), 0);
	turn();
	assert_true(broker_closed);
	/* The next broker is served. */
	broker_closed = false;
	send_broker();
	assert_true(ask(3, "one.example.com", "bob", &pull));
	assert_int_equal(stop(), 0);
	assert_int_equal(accused, 2);
}

/* Nobody is to blame when a broker dies with a question open. */
static void
test_signer_outlives_a_broker(void **state)
{
	struct scope_set none = { NULL, 0 };
	struct msg_out	 out;
	struct pollfd	 gone = { .fd = -1 };
	int		 pair[2];

	(void)state;
	start();
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    pair) == 0);
	msg_begin(&out, MSG_SIGN, 1);
	msg_put_str(&out, "one.example.com");
	msg_put_str(&out, "alice");
	token_scopes_put(&out, &none);
	MUST(send(pair[0], out.data, out.len, 0) == (ssize_t)out.len);
	msg_drop(&out);
	MUST(shutdown(pair[0], SHUT_RD) == 0);
	send_end(pair[1]);
	/* The signer finds that it cannot answer. */
	gone.fd = pair[0];
	assert_int_equal(poll(&gone, 1, 20000), 1);
	close(pair[0]);
	send_broker();
	assert_true(ask(2, "one.example.com", "alice", &pull));
	assert_int_equal(stop(), 0);
	assert_int_equal(accused, 0);
}

/* A parent that breaks its promises gets no signer. */
static void
test_signer_exits_on_bad_configuration(void **state)
{
	(void)state;
	spawn();
	assert_int_equal(msg_send_empty(child, MSG_CONF_END, 0), 0);
	while (!child_closed)
		turn();
	assert_int_equal(stop(), 1);
	spawn();
	send_conf(0);
	while (!child_closed)
		turn();
	assert_int_equal(stop(), 1);
	spawn();
	send_conf(2 * 86400);
	while (!child_closed)
		turn();
	assert_int_equal(stop(), 1);
	/* A service of a key that is not there. */
	spawn();
	send_conf(LIFETIME);
	send_service("three.example.com", 2, "rfc7638", true, LIFETIME);
	while (!child_closed)
		turn();
	assert_int_equal(stop(), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signer_signs),
		cmocka_unit_test(test_signer_profiles),
		cmocka_unit_test(test_signer_refuses),
		cmocka_unit_test(test_signer_cuts_off_nonsense),
		cmocka_unit_test(test_signer_outlives_a_broker),
		cmocka_unit_test(test_signer_exits_on_bad_configuration),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
