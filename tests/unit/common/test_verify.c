/* SPDX-License-Identifier: ISC */
/*
 * The verifier's end of a check: every question has an answer, also where
 * the driver's is too much for a message.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "verify.h"

#define NGROUPS		400
#define GROUP_SIZE	200		/* 400 of them are above 64 KiB */

enum { ROLE_ASKER = 1, ROLE_CHECKER };
enum { MSG_ASK = 100, MSG_ANSWER };

struct fixture {
	struct loop		*loop;
	struct msg_chan		*asker, *checker;
	unsigned		 nanswers, ncalls;
	uint64_t		 id;		/* of the last answer */
	enum cred_verdict	 verdict;
	struct cred_answer	 answer;
};

static void
add_groups(struct cred_answer *answer)
{
	size_t	 i;

	answer->groups = calloc(NGROUPS, sizeof(*answer->groups));
	assert_non_null(answer->groups);
	for (i = 0; i < NGROUPS; i++) {
		answer->groups[i] = malloc(GROUP_SIZE + 1);
		assert_non_null(answer->groups[i]);
		memset(answer->groups[i], 'g', GROUP_SIZE);
		answer->groups[i][GROUP_SIZE] = '\0';
		answer->ngroups++;
	}
}

static enum cred_verdict
verify(void *state, const char *user, const char *password, size_t len,
    const char *peer, struct cred_answer *answer)
{
	struct fixture	*f = state;

	(void)peer;
	f->ncalls++;
	if (len != 6 || memcmp(password, "secret", 6) != 0)
		return CRED_BAD;
	strcpy(answer->user, user);
	if (strcmp(user, "many") == 0)
		add_groups(answer);
	return CRED_OK;
}

static int
on_ask(struct msg_chan *chan, struct msg *msg, void *arg)
{
	return verify_serve(chan, msg, MSG_ANSWER, 5000, verify, arg);
}

static int
on_answer(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct fixture	*f = arg;

	(void)chan;
	f->nanswers++;
	f->id = msg->id;
	assert_int_equal(cred_answer_get(msg, &f->verdict, &f->answer), 0);
	loop_stop(f->loop);
	return 0;
}

static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)chan;
	(void)arg;
	fail_msg("closed: %s", why == NULL ? "by the peer" : why);
}

static const struct msg_rule	 rules[] = {
	{ MSG_ASK, ROLE_ASKER, 12, MSG_MAX_SIZE, 0, on_ask, "ASK" },
	{ MSG_ANSWER, ROLE_CHECKER, 13, MSG_MAX_SIZE, 0, on_answer, "ANSWER" }
};
#define NRULES	(sizeof(rules) / sizeof(rules[0]))

/* One that never comes ends the test. */
static void
on_late(void *arg)
{
	loop_stop(((struct fixture *)arg)->loop);
}

static void
ask(struct fixture *f, uint64_t id, const char *user, const void *password,
    size_t len)
{
	struct loop_timer	*late;
	struct msg_out		 out;

	cred_answer_done(&f->answer);
	msg_begin(&out, MSG_ASK, id);
	msg_put_str(&out, user);
	msg_put_bytes(&out, password, len);
	msg_put_str(&out, "192.0.2.1");
	assert_int_equal(msg_send(f->checker, &out), 0);
	assert_non_null(late = loop_timer_new(f->loop, on_late, f));
	loop_timer_start(late, 3000);
	assert_int_equal(loop_run(f->loop), 0);
	loop_timer_free(late);
}

static void
test_every_question_is_answered(void **state)
{
	struct fixture	 f;
	int		 fds[2];

	(void)state;
	memset(&f, 0, sizeof(f));
	assert_non_null(f.loop = loop_new());
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	f.asker = msg_chan_new(f.loop, fds[0], ROLE_ASKER, 0, rules, NRULES,
	    on_closed, &f);
	f.checker = msg_chan_new(f.loop, fds[1], ROLE_CHECKER, 0, rules,
	    NRULES, on_closed, &f);
	assert_non_null(f.asker);
	assert_non_null(f.checker);

	ask(&f, 7, "many", "secret", 6);
	assert_int_equal(f.nanswers, 1);
	assert_int_equal(f.id, 7);
	assert_int_equal(f.verdict, CRED_UNAVAILABLE);
	assert_int_equal(f.answer.ngroups, 0);
	assert_string_equal(f.answer.user, "");
	ask(&f, 8, "alice", "secret", 6);
	assert_int_equal(f.nanswers, 2);
	assert_int_equal(f.id, 8);
	assert_int_equal(f.verdict, CRED_OK);
	assert_string_equal(f.answer.user, "alice");
	ask(&f, 9, "alice", "wrong", 5);
	assert_int_equal(f.verdict, CRED_BAD);
	assert_int_equal(f.ncalls, 3);
	/* What no driver may see. */
	ask(&f, 10, "alice", "", 0);
	assert_int_equal(f.verdict, CRED_BAD);
	ask(&f, 11, "alice", "secret\0x", 8);
	assert_int_equal(f.verdict, CRED_BAD);
	assert_int_equal(f.nanswers, 5);
	assert_int_equal(f.ncalls, 3);

	cred_answer_done(&f.answer);
	msg_chan_free(f.asker);
	msg_chan_free(f.checker);
	loop_free(f.loop);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_every_question_is_answered)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
