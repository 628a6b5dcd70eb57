/* SPDX-License-Identifier: ISC */
/*
 * The pools of verifiers: this test holds their end of the channels and
 * answers, is silent, lies or goes away.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "msg.h"
#include "verifiers.h"

#define NCHECKS	8

enum { ROLE_BROKER = 1, ROLE_VERIFIER, ROLE_VERIFIER_LDAP };
enum { MSG_VERIFY = 100, MSG_VERDICT, MSG_LOOKUP };

struct fixture {
	struct loop		*loop;
	struct loop_timer	*end;		/* ends a turn that waits */
	struct verifiers	*verifiers;
	struct msg_chan		*near[2];	/* the broker's ends */
	struct msg_chan		*far[2];	/* the verifiers' ends */
	uint64_t		 asked[2];	/* last id that each was sent */
	unsigned		 nasked[2], nlooked;
	char			 user[2][32];	/* and its user */
	int			 verdicts[NCHECKS];	/* -1: none yet */
	int			 handled;	/* of the last verdict */
};

static struct fixture	*fixture;		/* for msg handlers */
static int		 checks[NCHECKS];

static int
on_verify(struct msg_chan *chan, struct msg *msg, void *arg)
{
	unsigned	 i = msg_chan_instance(chan);
	char		 peer[64];
	size_t		 len;

	(void)arg;
	msg_get_str(msg, fixture->user[i], sizeof(fixture->user[i]));
	assert_memory_equal(msg_get_bytes(msg, 100, &len), "secret", 6);
	msg_get_str(msg, peer, sizeof(peer));
	fixture->asked[i] = msg->id;
	fixture->nasked[i]++;
	return msg_end(msg);
}

static int
on_lookup(struct msg_chan *chan, struct msg *msg, void *arg)
{
	unsigned	 i = msg_chan_instance(chan);
	char		 peer[64];

	(void)arg;
	msg_get_str(msg, fixture->user[i], sizeof(fixture->user[i]));
	msg_get_str(msg, peer, sizeof(peer));
	assert_string_equal(peer, "::1");
	fixture->asked[i] = msg->id;
	fixture->nlooked++;
	return msg_end(msg);
}

static int
on_verdict(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)arg;
	fixture->handled = verifiers_on_verdict(fixture->verifiers,
	    chan, msg);
	return fixture->handled;
}

static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	unsigned	 i = msg_chan_instance(chan);

	(void)why;
	(void)arg;
	if (fixture->near[i] == chan) {
		fixture->near[i] = NULL;
		verifiers_set(fixture->verifiers,
		    msg_chan_role(chan), i, NULL);
	} else {
		fixture->far[i] = NULL;
	}
	msg_chan_free(chan);
}

static const struct msg_rule	 rules[] = {
	{ MSG_VERIFY, ROLE_BROKER, 1, 1024, 0, on_verify, "VERIFY" },
	{ MSG_LOOKUP, ROLE_BROKER, 1, 1024, 0, on_lookup, "LOOKUP" },
	{ MSG_VERDICT, ROLE_VERIFIER, 1, 1024, 0, on_verdict, "VERDICT" },
	{ MSG_VERDICT, ROLE_VERIFIER_LDAP, 1, 1024, 0, on_verdict, "VERDICT" }
};
#define NRULES	(sizeof(rules) / sizeof(rules[0]))

/* In the order in which they are asked. */
static const unsigned		 order[] = {
	ROLE_VERIFIER_LDAP, ROLE_VERIFIER
};

static void
on_end(void *arg)
{
	loop_stop(((struct fixture *)arg)->loop);
}

static void
connect_role(struct fixture *f, unsigned i, unsigned role)
{
	int	 fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	f->near[i] = msg_chan_new(f->loop, fds[0], role, i, rules, NRULES,
	    on_closed, f);
	f->far[i] = msg_chan_new(f->loop, fds[1], ROLE_BROKER, i, rules,
	    NRULES, on_closed, f);
	assert_non_null(f->near[i]);
	assert_non_null(f->far[i]);
	verifiers_set(f->verifiers, role, i, f->near[i]);
}

static void
connect_verifier(struct fixture *f, unsigned i)
{
	connect_role(f, i, ROLE_VERIFIER);
}

static void
start_pools(struct fixture *f, uint64_t timeout_ms, size_t queue,
    const unsigned *roles, size_t nroles)
{
	size_t	 i;

	memset(f, 0, sizeof(*f));
	fixture = f;
	for (i = 0; i < NCHECKS; i++)
		f->verdicts[i] = -1;
	assert_non_null(f->loop = loop_new());
	f->end = loop_timer_new(f->loop, on_end, f);
	f->verifiers = verifiers_new(f->loop, MSG_VERIFY, roles, nroles,
	    timeout_ms, queue);
	assert_non_null(f->verifiers);
}

static void
start(struct fixture *f, uint64_t timeout_ms, size_t queue)
{
	start_pools(f, timeout_ms, queue, &order[1], 1);
}

static void
stop(struct fixture *f)
{
	verifiers_free(f->verifiers);
	msg_chan_free(f->near[0]);
	msg_chan_free(f->near[1]);
	msg_chan_free(f->far[0]);
	msg_chan_free(f->far[1]);
	loop_timer_free(f->end);
	loop_free(f->loop);
}

static void
run(struct fixture *f, uint64_t ms)
{
	loop_timer_start(f->end, ms);
	assert_int_equal(loop_run(f->loop), 0);
}

static void
on_checked(enum cred_verdict verdict, const struct cred_answer *answer,
    void *arg)
{
	size_t	 i = (size_t)((int *)arg - checks);

	assert_int_equal(fixture->verdicts[i], -1);
	if (verdict != CRED_UNAVAILABLE)
		assert_non_null(answer);
	if (answer != NULL)
		assert_string_equal(answer->stamp, "stamp");
	if (verdict == CRED_BAD)
		assert_string_equal(answer->reason, "wrong password");
	fixture->verdicts[i] = (int)verdict;
}

static int
check(struct fixture *f, unsigned i)
{
	struct secret	*secret = secret_new("secret", 6);
	char		 user[16];
	int		 error;

	snprintf(user, sizeof(user), "user%u", i);
	error = verifiers_check(f->verifiers, user, secret, "::1",
	    on_checked, &checks[i]);
	secret_free(secret);
	return error;
}

/* The same credential for several askers. */
static int
check_same(struct fixture *f, unsigned i, const char *password)
{
	struct secret	*secret = secret_new(password, strlen(password));
	int		 error;

	error = verifiers_check(f->verifiers, "same", secret, "::1",
	    on_checked, &checks[i]);
	secret_free(secret);
	return error;
}

static bool
is_asked(struct fixture *f, const char *password)
{
	struct secret	*secret = secret_new(password, strlen(password));
	bool		 asked;

	asked = verifiers_asked(f->verifiers, "same", secret, "::1");
	secret_free(secret);
	return asked;
}

static void
answer(struct fixture *f, unsigned i, uint64_t id, enum cred_verdict verdict,
    const char *user)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_VERDICT, id);
	msg_put_u8(&out, (uint8_t)verdict);
	msg_put_str(&out, user);
	msg_put_str(&out, verdict == CRED_BAD ? "wrong password" : "");
	msg_put_str(&out, "stamp");
	msg_put_u32(&out, 0);
	assert_int_equal(msg_send(f->far[i], &out), 0);
}

static void
test_one_check_for_each_verifier(void **state)
{
	struct fixture	 f;

	(void)state;
	start(&f, 10000, 8);
	connect_verifier(&f, 0);
	connect_verifier(&f, 1);
	assert_int_equal(check(&f, 0), 0);
	assert_int_equal(check(&f, 1), 0);
	assert_int_equal(check(&f, 2), 0);
	run(&f, 20);
	assert_int_equal(f.nasked[0], 1);
	assert_int_equal(f.nasked[1], 1);
	assert_string_equal(f.user[0], "user0");
	answer(&f, 1, f.asked[1], CRED_BAD, "");
	run(&f, 20);
	assert_int_equal(f.verdicts[1], CRED_BAD);
	assert_int_equal(f.nasked[1], 2);
	assert_string_equal(f.user[1], "user2");
	answer(&f, 1, f.asked[1], CRED_OK, "user2");
	answer(&f, 0, f.asked[0], CRED_OK, "user0");
	run(&f, 20);
	assert_int_equal(f.verdicts[0], CRED_OK);
	assert_int_equal(f.verdicts[2], CRED_OK);
	stop(&f);
}

static void
test_queue_is_bounded(void **state)
{
	struct fixture	 f;

	(void)state;
	start(&f, 10000, 2);
	assert_int_equal(check(&f, 0), 0);
	assert_int_equal(check(&f, 1), 0);
	assert_int_equal(check(&f, 2), -1);
	assert_int_equal(f.verdicts[2], -1);
	/* A verifier comes, and takes the first of them. */
	connect_verifier(&f, 0);
	assert_int_equal(check(&f, 3), 0);
	run(&f, 20);
	assert_string_equal(f.user[0], "user0");
	stop(&f);
}

/* One check serves all who ask for it meanwhile, running or waiting. */
static void
test_same_credential_is_checked_once(void **state)
{
	struct fixture	 f;

	(void)state;
	start(&f, 10000, 1);
	assert_int_equal(check_same(&f, 0, "secret"), 0);
	assert_int_equal(check_same(&f, 1, "secret"), 0);
	assert_int_equal(check_same(&f, 2, "secret2"), -1);
	assert_true(is_asked(&f, "secret"));
	assert_false(is_asked(&f, "secret2"));
	connect_verifier(&f, 0);
	run(&f, 20);
	assert_int_equal(check_same(&f, 3, "secret"), 0);
	answer(&f, 0, f.asked[0], CRED_OK, "same");
	run(&f, 20);
	assert_int_equal(f.nasked[0], 1);
	assert_int_equal(f.verdicts[0], CRED_OK);
	assert_int_equal(f.verdicts[1], CRED_OK);
	assert_int_equal(f.verdicts[3], CRED_OK);
	/* It is over: the next one is a check of its own. */
	assert_int_equal(check_same(&f, 4, "secret"), 0);
	assert_int_equal(check_same(&f, 5, "secret"), 0);
	run(&f, 20);
	assert_int_equal(f.nasked[0], 2);
	answer(&f, 0, f.asked[0], CRED_BAD, "");
	run(&f, 20);
	assert_int_equal(f.verdicts[4], CRED_BAD);
	assert_int_equal(f.verdicts[5], CRED_BAD);
	/* One who leaves takes nothing from the other. */
	assert_int_equal(check_same(&f, 6, "secret"), 0);
	assert_int_equal(check_same(&f, 7, "secret"), 0);
	verifiers_cancel(f.verifiers, &checks[6]);
	run(&f, 20);
	answer(&f, 0, f.asked[0], CRED_OK, "same");
	run(&f, 20);
	assert_int_equal(f.verdicts[6], -1);
	assert_int_equal(f.verdicts[7], CRED_OK);
	stop(&f);
}

static int
look_up(struct fixture *f, unsigned i, const char *user)
{
	return verifiers_look_up(f->verifiers, user, "::1", on_checked,
	    &checks[i]);
}

/* Without a password; one lookup serves all, but no check of a password. */
static void
test_lookup(void **state)
{
	struct fixture	 f;

	(void)state;
	start(&f, 10000, 4);
	verifiers_allow_lookup(f.verifiers, MSG_LOOKUP);
	connect_verifier(&f, 0);
	assert_int_equal(look_up(&f, 0, "same"), 0);
	assert_int_equal(look_up(&f, 1, "same"), 0);
	assert_int_equal(check_same(&f, 2, "secret"), 0);
	assert_int_equal(look_up(&f, 3, "other"), 0);
	run(&f, 20);
	assert_int_equal(f.nlooked, 1);
	assert_string_equal(f.user[0], "same");
	answer(&f, 0, f.asked[0], CRED_OK, "same");
	run(&f, 20);
	assert_int_equal(f.verdicts[0], CRED_OK);
	assert_int_equal(f.verdicts[1], CRED_OK);
	assert_int_equal(f.verdicts[2], -1);
	assert_int_equal(f.nasked[0], 1);
	answer(&f, 0, f.asked[0], CRED_BAD, "");
	run(&f, 20);
	assert_int_equal(f.verdicts[2], CRED_BAD);
	assert_int_equal(f.nlooked, 2);
	assert_string_equal(f.user[0], "other");
	answer(&f, 0, f.asked[0], CRED_UNKNOWN, "");
	run(&f, 20);
	assert_int_equal(f.verdicts[3], CRED_UNKNOWN);
	stop(&f);
}

static void
test_deadline(void **state)
{
	struct fixture	 f;

	(void)state;
	start(&f, 50, 8);
	connect_verifier(&f, 0);
	assert_int_equal(check(&f, 0), 0);
	assert_int_equal(check(&f, 1), 0);
	run(&f, 150);
	assert_int_equal(f.verdicts[0], CRED_UNAVAILABLE);
	assert_int_equal(f.verdicts[1], CRED_UNAVAILABLE);
	/* Still busy: nothing more is given to it until it answers. */
	assert_int_equal(check(&f, 2), 0);
	run(&f, 10);
	assert_int_equal(f.nasked[0], 1);
	answer(&f, 0, f.asked[0], CRED_OK, "user0");
	run(&f, 10);
	assert_int_equal(f.verdicts[0], CRED_UNAVAILABLE);
	assert_string_equal(f.user[0], "user2");
	stop(&f);
}

static void
test_verifier_dies(void **state)
{
	struct fixture	 f;

	(void)state;
	start(&f, 10000, 8);
	connect_verifier(&f, 0);
	assert_int_equal(check(&f, 0), 0);
	assert_int_equal(check(&f, 1), 0);
	run(&f, 20);
	msg_chan_free(f.far[0]);
	f.far[0] = NULL;
	run(&f, 20);
	/* What ran there has failed; what waits, waits for the next. */
	assert_int_equal(f.verdicts[0], CRED_UNAVAILABLE);
	assert_int_equal(f.verdicts[1], -1);
	connect_verifier(&f, 0);
	run(&f, 20);
	assert_string_equal(f.user[0], "user1");
	answer(&f, 0, f.asked[0], CRED_OK, "user1");
	run(&f, 20);
	assert_int_equal(f.verdicts[1], CRED_OK);
	stop(&f);
}

/* One that waits makes room; one that runs leaves its verifier busy. */
static void
test_cancel(void **state)
{
	struct fixture	 f;

	(void)state;
	start(&f, 10000, 2);
	connect_verifier(&f, 0);
	assert_int_equal(check(&f, 0), 0);
	assert_int_equal(check(&f, 1), 0);
	assert_int_equal(check(&f, 2), 0);
	assert_int_equal(check(&f, 3), -1);
	verifiers_cancel(f.verifiers, &checks[1]);
	verifiers_cancel(f.verifiers, &checks[0]);
	verifiers_cancel(f.verifiers, &checks[7]);
	assert_int_equal(check(&f, 3), 0);
	run(&f, 20);
	assert_int_equal(f.nasked[0], 1);
	answer(&f, 0, f.asked[0], CRED_OK, "user0");
	run(&f, 20);
	assert_int_equal(f.handled, 0);
	assert_string_equal(f.user[0], "user2");
	answer(&f, 0, f.asked[0], CRED_OK, "user2");
	run(&f, 20);
	assert_string_equal(f.user[0], "user3");
	assert_int_equal(f.verdicts[0], -1);
	assert_int_equal(f.verdicts[1], -1);
	assert_int_equal(f.verdicts[2], CRED_OK);
	stop(&f);
}

/* Verdicts that nobody asked for cut the verifier off. */
static void
test_verifier_lies(void **state)
{
	static const struct {
		uint64_t	 add;		/* to the right id */
		int		 verdict;
		const char	*user;
	}		 cases[] = {
		{ 1, CRED_OK, "user0" },
		{ 0, CRED_OK, "" },
		{ 0, 99, "user0" }
	};
	struct fixture	 f;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(&f, 10000, 8);
		connect_verifier(&f, 0);
		assert_int_equal(check(&f, 0), 0);
		run(&f, 20);
		answer(&f, 0, f.asked[0] + cases[i].add,
		    (enum cred_verdict)cases[i].verdict, cases[i].user);
		run(&f, 20);
		assert_int_equal(f.handled, -1);
		assert_null(f.near[0]);
		assert_int_equal(f.verdicts[0], CRED_UNAVAILABLE);
		stop(&f);
	}
	/* Also when it is asked nothing at all. */
	start(&f, 10000, 8);
	connect_verifier(&f, 0);
	answer(&f, 0, 0, CRED_OK, "root");
	run(&f, 20);
	assert_int_equal(f.handled, -1);
	stop(&f);
}

/* Only a user that the first does not know goes to the second. */
static void
test_backends_in_turn(void **state)
{
	static const struct {
		enum cred_verdict	 first, second, result;
		bool			 asks_second;
	}		 cases[] = {
		{ CRED_OK, CRED_OK, CRED_OK, false },
		{ CRED_BAD, CRED_OK, CRED_BAD, false },
		{ CRED_UNKNOWN, CRED_OK, CRED_OK, true },
		{ CRED_UNKNOWN, CRED_BAD, CRED_BAD, true },
		{ CRED_UNKNOWN, CRED_UNKNOWN, CRED_UNKNOWN, true }
	};
	struct fixture	 f;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_pools(&f, 10000, 8, order, 2);
		connect_role(&f, 0, ROLE_VERIFIER_LDAP);
		connect_role(&f, 1, ROLE_VERIFIER);
		assert_int_equal(check(&f, 0), 0);
		run(&f, 10);
		assert_int_equal(f.nasked[0], 1);
		assert_int_equal(f.nasked[1], 0);
		answer(&f, 0, f.asked[0], cases[i].first, "user0");
		run(&f, 10);
		assert_int_equal(f.nasked[1], cases[i].asks_second ? 1 : 0);
		if (cases[i].asks_second) {
			assert_string_equal(f.user[1], "user0");
			assert_int_equal(f.verdicts[0], -1);
			answer(&f, 1, f.asked[1], cases[i].second, "user0");
			run(&f, 10);
		}
		assert_int_equal(f.verdicts[0], cases[i].result);
		stop(&f);
	}
}

/* A backend that is down is not passed over: somebody could be let in. */
static void
test_backend_is_down(void **state)
{
	struct fixture	 f;

	(void)state;
	start_pools(&f, 100, 1, order, 2);
	connect_role(&f, 1, ROLE_VERIFIER);
	assert_int_equal(check(&f, 0), 0);
	run(&f, 200);
	assert_int_equal(f.nasked[1], 0);
	assert_int_equal(f.verdicts[0], CRED_UNAVAILABLE);
	stop(&f);
	/* The second's queue is full: the check that comes on is refused. */
	start_pools(&f, 10000, 1, order, 2);
	connect_role(&f, 0, ROLE_VERIFIER_LDAP);
	assert_int_equal(check(&f, 0), 0);
	run(&f, 10);
	answer(&f, 0, f.asked[0], CRED_UNKNOWN, "");
	run(&f, 10);
	assert_int_equal(check(&f, 1), 0);
	run(&f, 10);
	answer(&f, 0, f.asked[0], CRED_UNKNOWN, "");
	run(&f, 10);
	assert_int_equal(f.verdicts[0], -1);
	assert_int_equal(f.verdicts[1], CRED_UNAVAILABLE);
	connect_role(&f, 1, ROLE_VERIFIER);
	run(&f, 10);
	answer(&f, 1, f.asked[1], CRED_OK, "user0");
	run(&f, 10);
	assert_int_equal(f.verdicts[0], CRED_OK);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_one_check_for_each_verifier),
		cmocka_unit_test(test_queue_is_bounded),
		cmocka_unit_test(test_same_credential_is_checked_once),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_verifier_dies),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_verifier_lies),
		cmocka_unit_test(test_backends_in_turn),
		cmocka_unit_test(test_backend_is_down)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
