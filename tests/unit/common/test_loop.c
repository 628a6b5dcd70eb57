/* SPDX-License-Identifier: ISC */
/*
 * loop: descriptors, timers, signals, work put off to the end of a turn.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"

struct fixture {
	struct loop		*loop;
	struct loop_io		*io;
	struct loop_timer	*timer;
	char			 trace[64];
	unsigned		 events;
	int			 calls;
	uint64_t		 began;		/* ms */
};

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.loop = loop_new();
	assert_non_null(f.loop);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	loop_io_free(f->io);
	loop_timer_free(f->timer);
	loop_free(f->loop);
	return 0;
}

static void
trace(struct fixture *f, char c)
{
	size_t n = strlen(f->trace);

	assert_true(n + 1 < sizeof(f->trace));
	f->trace[n] = c;
}

static void
on_io_once(int fd, unsigned events, void *arg)
{
	struct fixture *f = arg;
	char c;

	f->events |= events;
	f->calls++;
	if ((events & LOOP_READ) != 0)
		assert_int_equal(read(fd, &c, 1), 1);
	/* A watch may be freed inside its own callback. */
	loop_io_free(f->io);
	f->io = NULL;
	loop_stop(f->loop);
}

static void
test_read_and_free_in_callback(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	f->io = loop_io_new(f->loop, fds[0], on_io_once, f);
	assert_int_equal(loop_io_want(f->io, LOOP_READ | LOOP_WRITE), 0);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->calls, 1);
	assert_int_not_equal(f->events, 0);
	close(fds[0]);
	close(fds[1]);
}

static void
on_io_count(int fd, unsigned events, void *arg)
{
	struct fixture *f = arg;

	(void)fd;
	f->calls++;
	f->events |= events;
}

static void
on_stop(void *arg)
{
	struct fixture *f = arg;

	loop_stop(f->loop);
}

static void
test_want_nothing_pauses(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	f->io = loop_io_new(f->loop, fds[0], on_io_count, f);
	assert_int_equal(loop_io_want(f->io, LOOP_READ), 0);
	assert_int_equal(loop_io_want(f->io, 0), 0);
	f->timer = loop_timer_new(f->loop, on_stop, f);
	assert_int_equal(loop_timer_start(f->timer, 20), 0);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->calls, 0);

	/* And level-triggered when wanted again. */
	assert_int_equal(loop_io_want(f->io, LOOP_READ), 0);
	assert_int_equal(loop_timer_start(f->timer, 20), 0);
	assert_int_equal(loop_run(f->loop), 0);
	assert_true(f->calls > 1);
	assert_int_equal(f->events, LOOP_READ);
	close(fds[0]);
	close(fds[1]);
}

static void
test_timer_restart_replaces_deadline(void **state)
{
	struct fixture *f = *state;
	uint64_t start = clock_monotonic_ms(), took;

	f->timer = loop_timer_new(f->loop, on_stop, f);
	assert_int_equal(loop_timer_start(f->timer, 10), 0);
	assert_int_equal(loop_timer_start(f->timer, 100), 0);
	assert_int_equal(loop_run(f->loop), 0);
	took = clock_monotonic_ms() - start;
	assert_true(took >= 90);
}

static void
defer_c(void *arg)
{
	struct fixture *f = arg;

	trace(f, 'c');
	loop_stop(f->loop);
}

static void
defer_a(void *arg)
{
	struct fixture *f = arg;

	trace(f, 'a');
	assert_int_equal(loop_defer(f->loop, defer_c, f), 0);
}

static void
defer_b(void *arg)
{
	trace(arg, 'b');
}

static void
test_defer_keeps_order(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_defer(f->loop, defer_a, f), 0);
	assert_int_equal(loop_defer(f->loop, defer_b, f), 0);
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->trace, "abc");
}

static void
test_defer_runs_at_free(void **state)
{
	struct fixture *f = *state;
	struct loop *loop;

	assert_non_null(loop = loop_new());
	assert_int_equal(loop_defer(loop, defer_b, f), 0);
	loop_free(loop);
	assert_string_equal(f->trace, "b");
}

static void
on_signal(int signo, void *arg)
{
	struct fixture *f = arg;

	assert_int_equal(signo, SIGUSR1);
	trace(f, 's');
	loop_stop(f->loop);
}

static void
test_signal(void **state)
{
	struct fixture *f = *state;
	struct loop_signal *sig;

	assert_non_null(sig = loop_signal_new(f->loop, SIGUSR1, on_signal, f));
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->trace, "s");
	loop_signal_free(sig);
}

static void
on_early_check(void *arg)
{
	loop_stop(((struct fixture *)arg)->loop);
}

/* Set late in a turn, a timer waits from then, not from the turn's begin. */
static void
start_late(void *arg)
{
	struct fixture *f = arg;

	usleep(80 * 1000);
	loop_timer_start(f->timer, 60);
	f->began = clock_monotonic_ms();
}

static void
test_timer_is_never_early(void **state)
{
	struct fixture		*f = *state;
	struct loop_timer	*first;

	f->timer = loop_timer_new(f->loop, on_early_check, f);
	first = loop_timer_new(f->loop, start_late, f);
	assert_non_null(f->timer);
	assert_non_null(first);
	assert_int_equal(loop_timer_start(first, 1), 0);
	assert_int_equal(loop_run(f->loop), 0);
	/* The clock of timers ticks in steps of up to 10 ms. */
	assert_true(clock_monotonic_ms() - f->began >= 50);
	loop_timer_free(first);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read_and_free_in_callback,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_want_nothing_pauses,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_timer_restart_replaces_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_defer_keeps_order,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_defer_runs_at_free,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer_is_never_early,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_signal, setup, teardown),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
