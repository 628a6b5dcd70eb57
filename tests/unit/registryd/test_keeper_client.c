/* SPDX-License-Identifier: ISC */
/*
 * keeper_client: a keeper that dies and comes back, seen from the worker.
 * The keeper here is the other end of the channel, without a process.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keeper_client.h"
#include "messages.h"

#define LEASE_MS	100

struct fixture {
	struct loop		*loop;
	struct loop_timer	*stop;
	struct keepers		*keepers;
	int			 keeper;	/* its end, or -1 */
	int			 done;
	enum store_result	 result;
};

static void
on_stop(void *arg)
{
	loop_stop(arg);
}

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.keeper = -1;
	assert_non_null(f.loop = loop_new());
	assert_non_null(f.stop = loop_timer_new(f.loop, on_stop, f.loop));
	assert_non_null(f.keepers = keepers_new(f.loop, 1, 10000,
	    LEASE_MS));
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	keepers_free(f->keepers);
	loop_timer_free(f->stop);
	loop_free(f->loop);
	if (f->keeper != -1)
		close(f->keeper);
	return 0;
}

static void
spin(struct fixture *f, uint64_t ms)
{
	assert_int_equal(loop_timer_start(f->stop, ms), 0);
	assert_int_equal(loop_run(f->loop), 0);
}

static void
keeper_comes(struct fixture *f)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(keepers_set_peer(f->keepers, 0, fds[0]), 0);
	f->keeper = fds[1];
}

static void
keeper_dies(struct fixture *f)
{
	close(f->keeper);
	f->keeper = -1;
	spin(f, 10);
}

static void
on_done(const struct keeper_reply *reply, void *arg)
{
	struct fixture *f = arg;

	f->done++;
	f->result = reply->result;
}

static struct keeper_call *
ask(struct fixture *f)
{
	return keeper_tag_delete(f->keepers, "a/b", "latest", on_done, f);
}

/* The type and id of the next message; 0 when there is none. */
static uint32_t
next_message(struct fixture *f, uint64_t *id)
{
	uint8_t frame[1024];
	struct msg msg;
	ssize_t n;

	n = recv(f->keeper, frame, sizeof(frame), MSG_DONTWAIT);
	if (n <= 0)
		return 0;
	assert_int_equal(msg_parse(&msg, frame, (size_t)n), 0);
	*id = msg.id;
	return msg.type;
}

static void
answer(struct fixture *f, uint64_t id)
{
	struct msg_out out;

	msg_begin(&out, KEEPER_REPLY, id);
	msg_put_u32(&out, STORE_OK);
	msg_put_u64(&out, 0);
	msg_put_u32(&out, 0);
	assert_int_equal(send(f->keeper, out.data, out.len, 0),
	    (ssize_t)out.len);
	msg_drop(&out);
	spin(f, 10);
}

static void
test_calls_under_way_fail_at_once(void **state)
{
	struct fixture *f = *state;

	keeper_comes(f);
	assert_non_null(ask(f));
	keeper_dies(f);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->result, STORE_GONE);
}

static void
test_calls_wait_for_a_keeper_that_comes_back(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	keeper_comes(f);
	keeper_dies(f);
	assert_non_null(ask(f));
	spin(f, 200);
	assert_int_equal(f->done, 0);
	keeper_comes(f);
	assert_int_equal(next_message(f, &id), KEEPER_TAG_DELETE);
	answer(f, id);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->result, STORE_OK);
}

static void
test_cancelled_while_away(void **state)
{
	struct fixture *f = *state;
	struct keeper_call *call;
	uint64_t id, again;

	keeper_comes(f);
	keeper_dies(f);
	assert_non_null(call = ask(f));
	keeper_call_cancel(call);
	keeper_comes(f);
	/* In order: the request, and that it is not wanted any more. */
	assert_int_equal(next_message(f, &id), KEEPER_TAG_DELETE);
	assert_int_equal(next_message(f, &again), KEEPER_BODY_ABORT);
	assert_int_equal(id, again);
	answer(f, id);
	assert_int_equal(f->done, 0);
}

static void
test_who_stays_away_is_not_waited_for(void **state)
{
	struct fixture *f = *state;

	keeper_comes(f);
	keeper_dies(f);
	assert_non_null(ask(f));
	spin(f, 1700);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->result, STORE_GONE);
	assert_null(ask(f));
	assert_int_equal(errno, EPIPE);
	keeper_comes(f);
	assert_non_null(ask(f));
}

static void
test_replaced_before_its_end_was_seen(void **state)
{
	struct fixture *f = *state;
	uint64_t id;
	int old;

	keeper_comes(f);
	old = f->keeper;
	assert_non_null(ask(f));
	keeper_comes(f);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->result, STORE_GONE);
	assert_int_equal(next_message(f, &id), 0);
	close(old);
}

/* A keeper that is slow, and what it sends meanwhile does not help it. */
static void
test_a_lease_has_its_own_bound(void **state)
{
	struct digest d = { .alg = DIGEST_SHA256 };
	struct fixture *f = *state;
	struct msg_out out;
	uint64_t id;
	int i;

	keeper_comes(f);
	assert_non_null(ask(f));
	assert_int_equal(next_message(f, &id), KEEPER_TAG_DELETE);
	assert_non_null(keeper_lease(f->keepers, "a/b", &d,
	    KEEPER_LEASE_BLOB, on_done, f));
	assert_int_equal(next_message(f, &id), KEEPER_LEASE);
	for (i = 0; i < 6; i++) {
		msg_begin(&out, KEEPER_PROGRESS, id);
		assert_int_equal(send(f->keeper, out.data, out.len, 0),
		    (ssize_t)out.len);
		msg_drop(&out);
		spin(f, LEASE_MS / 4);
	}
	assert_int_equal(f->done, 1);
	assert_int_equal(f->result, STORE_GONE);
}

/*
 * A keeper that speaks nonsense is not talked to again; its worker ends, and
 * the next one has new channels.
 */
static void
test_nonsense_ends_the_worker(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	keeper_comes(f);
	assert_int_equal(send(f->keeper, "nonsense", 8, 0), 8);
	fflush(stdout);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		spin(f, 5000);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_calls_under_way_fail_at_once),
		T(test_calls_wait_for_a_keeper_that_comes_back),
		T(test_cancelled_while_away),
		T(test_who_stays_away_is_not_waited_for),
		T(test_replaced_before_its_end_was_seen),
		T(test_a_lease_has_its_own_bound),
		T(test_nonsense_ends_the_worker),
	};

	return cmocka_run_group_tests_name("keeper_client", tests, NULL,
	    NULL);
}
