/* SPDX-License-Identifier: ISC */
/*
 * Questions that wait for their answers.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pending.h"

struct fixture {
	struct loop	*loop;
	struct pending	*pending;
	unsigned	 expired;	/* bits of the items */
	unsigned	 stop_at;	/* stop the loop then */
	int		*add_again;	/* when an item expires */
};

static int	 items[8];

static void
on_expired(void *item, void *arg)
{
	struct fixture	*f = arg;

	f->expired |= 1u << ((int *)item - items);
	if (f->add_again != NULL)
		assert_int_not_equal(pending_add(f->pending, f->add_again),
		    0);
	if (f->expired == f->stop_at)
		loop_stop(f->loop);
}

static void
start(struct fixture *f, size_t max, uint64_t timeout_ms)
{
	*f = (struct fixture){ .stop_at = ~0u };
	f->loop = loop_new();
	assert_non_null(f->loop);
	f->pending = pending_new(f->loop, max, timeout_ms, on_expired, f);
	assert_non_null(f->pending);
}

static void
stop(struct fixture *f)
{
	pending_free(f->pending);
	loop_free(f->loop);
}

static void
test_pending_takes_once(void **state)
{
	struct fixture	 f;
	uint64_t	 a, b;

	(void)state;
	start(&f, 8, 10000);
	a = pending_add(f.pending, &items[0]);
	b = pending_add(f.pending, &items[1]);
	assert_int_not_equal(a, 0);
	assert_int_not_equal(a, b);
	assert_ptr_equal(pending_take(f.pending, b), &items[1]);
	assert_null(pending_take(f.pending, b));
	assert_null(pending_take(f.pending, 999));
	assert_ptr_equal(pending_take(f.pending, a), &items[0]);
	assert_int_equal(pending_count(f.pending), 0);
	assert_int_equal(f.expired, 0);
	stop(&f);
}

static void
test_pending_is_bounded(void **state)
{
	struct fixture	 f;
	uint64_t	 a;

	(void)state;
	start(&f, 2, 10000);
	a = pending_add(f.pending, &items[0]);
	assert_int_not_equal(pending_add(f.pending, &items[1]), 0);
	assert_int_equal(pending_add(f.pending, &items[2]), 0);
	pending_take(f.pending, a);
	assert_int_not_equal(pending_add(f.pending, &items[2]), 0);
	stop(&f);
}

static void
test_pending_expires(void **state)
{
	struct fixture	 f;
	uint64_t	 taken;

	(void)state;
	start(&f, 8, 20);
	pending_add(f.pending, &items[0]);
	taken = pending_add(f.pending, &items[1]);
	pending_add(f.pending, &items[2]);
	pending_take(f.pending, taken);
	f.stop_at = 1u << 0 | 1u << 2;
	assert_int_equal(loop_run(f.loop), 0);
	assert_int_equal(f.expired, 1u << 0 | 1u << 2);
	assert_int_equal(pending_count(f.pending), 0);
	/* And again, after the table was empty. */
	pending_add(f.pending, &items[3]);
	f.stop_at |= 1u << 3;
	assert_int_equal(loop_run(f.loop), 0);
	assert_int_equal(pending_count(f.pending), 0);
	stop(&f);
}

static void
test_pending_fails_what_is_there(void **state)
{
	struct fixture	 f;

	(void)state;
	start(&f, 8, 10000);
	pending_add(f.pending, &items[0]);
	pending_add(f.pending, &items[1]);
	f.add_again = &items[2];
	pending_fail(f.pending);
	assert_int_equal(f.expired, 1u << 0 | 1u << 1);
	assert_int_equal(pending_count(f.pending), 2);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_pending_takes_once),
		cmocka_unit_test(test_pending_is_bounded),
		cmocka_unit_test(test_pending_expires),
		cmocka_unit_test(test_pending_fails_what_is_there)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
