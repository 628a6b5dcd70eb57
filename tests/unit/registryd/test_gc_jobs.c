/* SPDX-License-Identifier: ISC */
/*
 * gc as a job of the collector: on a disk that is full, and in a registry
 * that becomes read-only in the middle of it.
 */
#include "gc_tree.h"

#include "collector_job.h"
#include "sysfs.h"

#define RESERVE		(256u * 1024)
#define MAX_CALLS	4000
#define STRIDE		13

struct fixture {
	struct tmp_store t;
	struct loop	*loop;
	struct collector_jobs *jobs;
	struct registry_conf conf;
	enum store_result result;
};

static void
on_end(enum collector_job which, enum store_result r, void *arg)
{
	struct fixture *f = arg;

	assert_int_equal(which, COLLECTOR_COLLECT);
	f->result = r;
	loop_stop(f->loop);
}

static void
open_fixture(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	tree_prepare(&f->t);
	f->conf.collect_grace_ms = GRACE_MS;
	f->conf.collect_untagged_ms = GC_UNTAGGED_KEEP;
	assert_non_null(f->loop = loop_new());
	f->jobs = collector_jobs_new(f->loop, f->t.store, &f->conf);
	assert_non_null(f->jobs);
}

static void
close_fixture(struct fixture *f)
{
	collector_jobs_free(f->jobs);
	loop_free(f->loop);
	tmp_close(&f->t);
}

static enum store_result
collect(struct fixture *f)
{
	struct collector_options o = { .dryrun = false };

	assert_int_equal(collector_start(f->jobs, COLLECTOR_COLLECT, &o,
	    on_end, f), STORE_OK);
	loop_run(f->loop);
	return f->result;
}

/* ---- a full disk ---- */

static off_t
reserve_size(struct fixture *f)
{
	struct stat st;

	return stat(tmp_path(&f->t, LAYOUT_RESERVE), &st) == -1 ? -1 :
	    st.st_size;
}

static struct {
	unsigned long	 calls, from;
	unsigned	 refused;
	bool		 renames;	/* these too */
	bool		 for_ever;
} full;

/* What takes room is refused while nothing has been given out. */
static int
on_full(const struct sysfs_call *call, void *arg)
{
	struct fixture *f = arg;
	bool takes = call->kind == SYSFS_CREATE || call->kind ==
	    SYSFS_WRITE || call->kind == SYSFS_MKDIR ||
	    call->kind == SYSFS_ALLOCATE ||
	    (full.renames && call->kind == SYSFS_RENAME);

	if (++full.calls < full.from || !takes ||
	    (reserve_size(f) == 0 && !full.for_ever))
		return 0;
	full.refused++;
	return ENOSPC;
}

static enum store_result
collect_on_full_disk(struct fixture *f)
{
	enum store_result r;

	full.calls = 0;
	full.refused = 0;
	sysfs_set_hook(on_full, f);
	r = collect(f);
	sysfs_set_hook(NULL, NULL);
	return r;
}

/* From its first call on, or from any later one. */
static void
test_gc_full_disk_gives_out_the_reserve(void **state)
{
	struct fixture f;
	unsigned met = 0, renames;

	(void)state;
	full.for_ever = false;
	for (renames = 0; renames < 2; renames++)
		for (full.from = 1; full.from < MAX_CALLS;
		    full.from += STRIDE) {
			full.renames = renames > 0;
			open_fixture(&f);
			store_reserve(f.t.store, RESERVE);
			assert_int_equal(reserve_size(&f), RESERVE);
			assert_int_equal(collect_on_full_disk(&f), STORE_OK);
			assert_int_equal(reserve_size(&f), full.refused > 0 ?
			    0 : RESERVE);
			/* There is room again, and the reserve is whole. */
			assert_int_equal(tree_names(&f.t, "condemned"), 0);
			tree_check(&f.t);
			assert_int_equal(store_room(f.t.store, 0), STORE_OK);
			assert_int_equal(reserve_size(&f), RESERVE);
			assert_int_equal(collect(&f), STORE_OK);
			assert_int_equal(tree_names(&f.t, "unused"), 0);
			met += full.refused > 0;
			close_fixture(&f);
			if (full.refused == 0)
				break;
		}
	assert_true(met > 5);
}

static void
test_gc_full_disk_without_a_reserve(void **state)
{
	struct fixture f;
	uint64_t before;

	(void)state;
	full.from = 1;
	full.renames = full.for_ever = true;
	open_fixture(&f);
	before = tree_hash(&f.t);
	assert_int_equal(collect_on_full_disk(&f), STORE_NOSPACE);
	assert_true(full.refused > 0);
	assert_true(tree_hash(&f.t) == before);
	/* What it gave out was not enough: it ends all the same. */
	store_reserve(f.t.store, RESERVE);
	assert_int_equal(collect_on_full_disk(&f), STORE_NOSPACE);
	assert_int_equal(reserve_size(&f), 0);
	tree_check(&f.t);
	assert_int_equal(collect(&f), STORE_OK);
	assert_int_equal(tree_names(&f.t, "condemned"), 0);
	tree_check(&f.t);
	close_fixture(&f);
}

/* ---- read-only in the middle ---- */

static struct {
	unsigned long	 calls, at;
	unsigned	 changed;	/* names, afterwards */
} mark;

static int
on_marked(const struct sysfs_call *call, void *arg)
{
	struct fixture *f = arg;

	if (++mark.calls > mark.at && (call->kind == SYSFS_RENAME ||
	    call->kind == SYSFS_UNLINK || call->kind == SYSFS_RMDIR))
		mark.changed++;
	if (mark.calls != mark.at)
		return 0;
	tmp_write(&f->t, LAYOUT_READONLY, "");
	/* That is the end of this slice. */
	usleep(20000);
	return 0;
}

static void
test_gc_readonly_in_the_middle(void **state)
{
	unsigned stopped = 0, finished = 0;
	enum store_result r;
	struct fixture f;
	uint64_t after;

	(void)state;
	for (mark.at = 1;; mark.at += STRIDE) {
		open_fixture(&f);
		mark.calls = mark.changed = 0;
		sysfs_set_hook(on_marked, &f);
		r = collect(&f);
		sysfs_set_hook(NULL, NULL);
		if (mark.calls < mark.at) {
			close_fixture(&f);
			break;
		}
		assert_true(r == STORE_OK || r == STORE_READONLY);
		stopped += r == STORE_READONLY;
		finished += r == STORE_OK;
		/* No more than what one slice does before it looks again. */
		assert_true(mark.changed <= 8 * 4);
		tree_check(&f.t);
		/* Nothing moves until it may be written again. */
		after = tree_hash(&f.t);
		assert_int_equal(collect(&f), STORE_READONLY);
		assert_true(tree_hash(&f.t) == after);
		assert_int_equal(unlink(tmp_path(&f.t, LAYOUT_READONLY)), 0);
		assert_int_equal(collect(&f), STORE_OK);
		assert_int_equal(collect(&f), STORE_OK);
		assert_int_equal(tree_names(&f.t, "unused"), 0);
		assert_int_equal(tree_names(&f.t, "condemned"), 0);
		tree_check(&f.t);
		close_fixture(&f);
	}
	assert_true(stopped > 10);
	assert_true(finished < stopped);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gc_full_disk_gives_out_the_reserve),
		cmocka_unit_test(test_gc_full_disk_without_a_reserve),
		cmocka_unit_test(test_gc_readonly_in_the_middle)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
