/* SPDX-License-Identifier: ISC */
/*
 * supervise: this program executes itself again as the children.  Each
 * child reports to the parent what it found and what happens to it.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "supervise.h"
#include "supervise_children.h"

struct report {
	unsigned	 role, instance;
	uint32_t	 type;
	pid_t		 pid;
	uint64_t	 at;
	char		 what[128];
};

struct fixture {
	struct loop		*loop;
	struct loop_timer	*timer;
	struct supervise	*sup;
	struct report		 reports[64];
	int			 nreports;
	int			 ready, empty, freed;
	uint64_t		 deadline;
	bool			(*until)(void);
};

static struct fixture fix;
static const char *self;

static int
on_report(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct report *r;

	assert_ptr_equal(arg, &fix);
	assert_true(fix.nreports < 64);
	r = &fix.reports[fix.nreports++];
	memset(r, 0, sizeof(*r));
	r->role = msg_chan_role(chan);
	r->instance = msg_chan_instance(chan);
	r->type = msg->type;
	r->at = clock_monotonic_ms();
	r->pid = (pid_t)msg_get_u32(msg);
	if (r->type == TYPE_STARTED)
		msg_get_str(msg, r->what, sizeof(r->what));
	if (r->type == TYPE_LINKED)
		msg_get_u32(msg);
	return msg_end(msg);
}

static const struct msg_rule parent_rules[] = {
	{ TYPE_STARTED, ROLE_FRONT, 8, 200, 0, on_report, "started" },
	{ TYPE_STARTED, ROLE_BACK, 8, 200, 0, on_report, "started" },
	{ TYPE_LINKED, ROLE_FRONT, 8, 8, 0, on_report, "linked" },
	{ TYPE_DRAINED, ROLE_FRONT, 4, 4, 0, on_report, "drained" },
	{ TYPE_DRAINED, ROLE_BACK, 4, 4, 0, on_report, "drained" },
};

static struct supervise_role roles[] = {
	{ .role = ROLE_FRONT, .name = "front", .count = 2, .drain_order = 0 },
	{ .role = ROLE_BACK, .name = "back", .count = 1, .drain_order = 1 },
};

static const struct supervise_link links[] = {
	{ ROLE_FRONT, ROLE_BACK, ROLE_BACK }
};

static int
configure(struct msg_chan *chan, unsigned role, unsigned instance, void *arg)
{
	struct msg_out out;

	(void)role;
	(void)instance;
	msg_begin(&out, TYPE_MODE, 0);
	msg_put_str(&out, arg);
	return msg_send(chan, &out);
}

static void
on_conf_free(void *arg)
{
	(void)arg;
	fix.freed++;
}

static void
on_ready(void *arg)
{
	assert_ptr_equal(arg, &fix);
	fix.ready++;
}

static void
on_empty(void *arg)
{
	assert_ptr_equal(arg, &fix);
	fix.empty++;
}

static void
on_tick(void *arg)
{
	(void)arg;
	if ((fix.until != NULL && fix.until()) ||
	    clock_monotonic_ms() >= fix.deadline)
		loop_stop(fix.loop);
	else
		loop_timer_start(fix.timer, 5);
}

/* Run until the condition holds; false when it did not in time. */
static bool
run_until(bool (*until)(void), uint64_t ms)
{
	fix.until = until;
	fix.deadline = clock_monotonic_ms() + ms;
	loop_timer_start(fix.timer, 1);
	assert_int_equal(loop_run(fix.loop), 0);
	return until != NULL && until();
}

static int
setup(void **state)
{
	(void)state;
	memset(&fix, 0, sizeof(fix));
	fix.loop = loop_new();
	fix.timer = loop_timer_new(fix.loop, on_tick, NULL);
	fix.sup = supervise_new(fix.loop, parent_rules,
	    sizeof(parent_rules) / sizeof(parent_rules[0]), on_ready,
	    on_empty, &fix);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	supervise_free(fix.sup);
	loop_timer_free(fix.timer);
	loop_free(fix.loop);
	/* No child of ours is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return 0;
}

static void
start(const char *mode)
{
	struct supervise_conf conf = {
		.program = self,
		.roles = roles,
		.nroles = 2,
		.links = links,
		.nlinks = 1,
		.ready_timeout_ms = 2000,
		.drain_timeout_ms = 500,
		.log_level = LOG_LEVEL_INFO,
		.log_format = LOG_FORMAT_TEXT,
		.configure = configure,
		.conf_free = on_conf_free,
	};

	memcpy(&conf.conf_arg, &mode, sizeof(conf.conf_arg));
	assert_int_equal(supervise_start(fix.sup, &conf), 0);
}

static int
count(uint32_t type, unsigned role)
{
	int i, n = 0;

	for (i = 0; i < fix.nreports; i++)
		if (fix.reports[i].type == type && fix.reports[i].role == role)
			n++;
	return n;
}

static const struct report *
last(uint32_t type, unsigned role)
{
	int i;

	for (i = fix.nreports - 1; i >= 0; i--)
		if (fix.reports[i].type == type && fix.reports[i].role == role)
			return &fix.reports[i];
	return NULL;
}

static bool
is_up(void)
{
	return fix.ready == 1 && count(TYPE_LINKED, ROLE_FRONT) >= 2;
}

static bool
is_empty(void)
{
	return fix.empty > 0;
}

static void
test_start_links_and_drain(void **state)
{
	char want[64];
	int i, d1, d2;

	(void)state;
	setenv("SUPERVISE_SECRET", "1", 1);
	unsetenv("TZ");
	start("ok");
	assert_true(run_until(is_up, 20000));
	assert_int_equal(count(TYPE_STARTED, ROLE_FRONT), 2);
	assert_int_equal(count(TYPE_STARTED, ROLE_BACK), 1);
	snprintf(want, sizeof(want), "uid=%u,fds=15,env=0,secret=no",
	    (unsigned)getuid());
	if (getenv("ASAN_OPTIONS") == NULL && getenv("LSAN_OPTIONS") == NULL &&
	    getenv("UBSAN_OPTIONS") == NULL)
		assert_string_equal(last(TYPE_STARTED, ROLE_BACK)->what, want);

	supervise_drain(fix.sup);
	assert_true(run_until(is_empty, 20000));
	assert_int_equal(fix.freed, 1);
	/* The front drains before the back. */
	d1 = d2 = -1;
	for (i = 0; i < fix.nreports; i++) {
		if (fix.reports[i].type != TYPE_DRAINED)
			continue;
		if (fix.reports[i].role == ROLE_FRONT)
			d1 = i;
		else
			d2 = i;
	}
	assert_int_equal(count(TYPE_DRAINED, ROLE_FRONT), 2);
	assert_int_equal(count(TYPE_DRAINED, ROLE_BACK), 1);
	assert_true(d1 < d2);
}

static bool
is_relinked(void)
{
	return count(TYPE_STARTED, ROLE_BACK) == 2 &&
	    count(TYPE_LINKED, ROLE_FRONT) == 4;
}

static bool
is_front_back(void)
{
	return count(TYPE_STARTED, ROLE_FRONT) == 3 &&
	    count(TYPE_LINKED, ROLE_FRONT) == 5;
}

static void
test_killed_child_comes_back_linked(void **state)
{
	uint64_t killed;
	pid_t old;

	(void)state;
	start("ok");
	assert_true(run_until(is_up, 20000));
	old = last(TYPE_STARTED, ROLE_BACK)->pid;
	killed = clock_monotonic_ms();
	assert_int_equal(kill(old, SIGKILL), 0);
	assert_true(run_until(is_relinked, 20000));
	assert_true(last(TYPE_STARTED, ROLE_BACK)->at - killed < 1000);
	assert_int_not_equal(last(TYPE_STARTED, ROLE_BACK)->pid, old);
	/* The other end of a link, too. */
	assert_int_equal(kill(last(TYPE_STARTED, ROLE_FRONT)->pid, SIGKILL),
	    0);
	assert_true(run_until(is_front_back, 20000));
	assert_int_equal(fix.ready, 1);
}

static int wanted_starts;

static bool
has_starts(void)
{
	return count(TYPE_STARTED, ROLE_BACK) >= wanted_starts;
}

static void
test_crash_loop_is_slowed_down(void **state)
{
	static const struct { uint64_t min, max; } delays[] = {
		{ 0, 900 }, { 950, 1900 }, { 1950, 3000 }
	};
	uint64_t killed, took;
	size_t i;

	(void)state;
	start("ok");
	assert_true(run_until(is_up, 20000));
	for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		killed = clock_monotonic_ms();
		kill(last(TYPE_STARTED, ROLE_BACK)->pid, SIGKILL);
		wanted_starts = (int)i + 2;
		assert_true(run_until(has_starts, 20000));
		took = last(TYPE_STARTED, ROLE_BACK)->at - killed;
		assert_true(took >= delays[i].min);
		assert_true(took <= delays[i].max);
	}
}

static bool
is_reloaded(void)
{
	return fix.ready == 2 && fix.freed == 1;
}

static void
test_reload_replaces_all(void **state)
{
	(void)state;
	start("ok");
	assert_true(run_until(is_up, 20000));
	start("ok");
	assert_true(run_until(is_reloaded, 20000));
	assert_int_equal(count(TYPE_DRAINED, ROLE_FRONT), 2);
	assert_int_equal(count(TYPE_DRAINED, ROLE_BACK), 1);
	assert_int_equal(count(TYPE_STARTED, ROLE_FRONT), 4);
	assert_int_equal(fix.empty, 0);
}

static bool
is_given_up(void)
{
	return fix.freed == 1;
}

static void
test_reload_that_crashes_keeps_the_old(void **state)
{
	pid_t old;

	(void)state;
	start("ok");
	assert_true(run_until(is_up, 20000));
	old = last(TYPE_STARTED, ROLE_FRONT)->pid;
	start("crash");
	assert_true(run_until(is_given_up, 8000));
	assert_int_equal(fix.ready, 1);
	assert_int_equal(count(TYPE_DRAINED, ROLE_FRONT), 0);
	assert_int_equal(count(TYPE_DRAINED, ROLE_BACK), 0);
	assert_int_equal(kill(old, 0), 0);
	supervise_drain(fix.sup);
	assert_true(run_until(is_empty, 20000));
	assert_int_equal(fix.freed, 2);
}

static void
test_reload_overtakes_one_that_hangs(void **state)
{
	(void)state;
	start("ok");
	assert_true(run_until(is_up, 20000));
	start("silent");
	start("ok");
	fix.freed--;			/* the silent one goes as well */
	assert_true(run_until(is_reloaded, 20000));
}

static void
test_deaf_child_is_killed(void **state)
{
	uint64_t began;

	(void)state;
	start("deaf");
	assert_true(run_until(is_up, 20000));
	began = clock_monotonic_ms();
	supervise_drain(fix.sup);
	assert_true(run_until(is_empty, 20000));
	/* Two stages of 500 ms. */
	assert_true(clock_monotonic_ms() - began >= 900);
}

static void
test_second_drain_kills(void **state)
{
	uint64_t began;

	(void)state;
	start("deaf");
	assert_true(run_until(is_up, 20000));
	began = clock_monotonic_ms();
	supervise_drain(fix.sup);
	supervise_drain(fix.sup);	/* the same signal twice */
	assert_false(run_until(is_empty, 300));
	supervise_drain(fix.sup);
	assert_true(run_until(is_empty, 20000));
	assert_true(clock_monotonic_ms() - began < 480);
}

static bool
has_three_starts(void)
{
	return count(TYPE_STARTED, ROLE_FRONT) >= 4;
}

static void
test_bad_message_kills_the_child(void **state)
{
	(void)state;
	start("bad");
	assert_true(run_until(has_three_starts, 20000));
}

static bool
has_replaced_front(void)
{
	return count(TYPE_STARTED, ROLE_FRONT) == 3 &&
	    count(TYPE_LINKED, ROLE_FRONT) >= 2;
}

static void
test_bad_peer_is_replaced(void **state)
{
	(void)state;
	start("judge");
	assert_true(run_until(has_replaced_front, 20000));
	assert_int_equal(count(TYPE_STARTED, ROLE_BACK), 1);
	assert_false(run_until(NULL, 200));
	assert_int_equal(count(TYPE_STARTED, ROLE_FRONT), 3);
}

/* The less trusted side may not have the other one killed. */
static void
test_false_accuser_is_killed(void **state)
{
	(void)state;
	start("accuse");
	assert_true(run_until(has_three_starts, 20000));
	assert_int_equal(count(TYPE_STARTED, ROLE_BACK), 1);
}

/* The first configuration must work: else the process exits with 1. */
static void
first_start_fails(const char *mode)
{
	int status;
	pid_t pid;

	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		setup(NULL);
		roles[0].count = 1;
		start(mode);
		run_until(is_empty, 20000);
		_exit(7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void
test_first_start_that_fails_exits(void **state)
{
	(void)state;
	first_start_fails("crash");
}

static void
test_children_change_user(void **state)
{
	static const char want[] = "uid=54321,";

	(void)state;
	if (getuid() != 0)
		skip();
	roles[1].drop = true;
	roles[1].uid = 54321;
	roles[1].gids[0] = 54322;
	roles[1].gids[1] = 54323;
	roles[1].ngids = 2;
	start("ok");
	assert_true(run_until(is_up, 20000));
	assert_memory_equal(last(TYPE_STARTED, ROLE_BACK)->what, want,
	    sizeof(want) - 1);
	roles[1].drop = false;
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		T(test_start_links_and_drain),
		T(test_killed_child_comes_back_linked),
		T(test_crash_loop_is_slowed_down),
		T(test_reload_replaces_all),
		T(test_reload_that_crashes_keeps_the_old),
		T(test_reload_overtakes_one_that_hangs),
		T(test_deaf_child_is_killed),
		T(test_second_drain_kills),
		T(test_bad_message_kills_the_child),
		T(test_bad_peer_is_replaced),
		T(test_false_accuser_is_killed),
		cmocka_unit_test(test_first_start_that_fails_exits),
		T(test_children_change_user),
	};
	struct proc_args args = { 0 };
	int ch;

	while ((ch = getopt(argc, argv, PROC_GETOPT)) != -1)
		if (proc_getopt(&args, ch, optarg) == -1)
			return 2;
	if (args.role[0] != '\0')
		return child_main(&args);
	self = supervise_self(argv[0]);
	return cmocka_run_group_tests_name("supervise", tests, NULL, NULL);
}
