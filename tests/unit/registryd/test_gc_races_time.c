/* SPDX-License-Identifier: ISC */
/*
 * gc and expiry against those who take their time, each race by its name:
 * clocks that jump (r18), pulls under way (r21), uploads that are slow (r23).
 */
#include "gc_meet.h"

#include <time.h>

#define YEAR_S		(365 * 24 * 3600)

/* ---- r18: a clock that jumps ---- */

/* What the file system takes for now, in a run that asks it twice. */
static struct {
	struct tmp_store *t;
	time_t		 first, second;	/* off from the real time */
	unsigned	 asked;
	bool		 written;
} turned;

/* The run touches this file to learn the time, and then looks at it. */
static int
on_clock(const struct sysfs_call *call, void *arg)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };

	(void)arg;
	if (call->kind == SYSFS_RENAME && call->to_name != NULL &&
	    strcmp(call->to_name, "clock") == 0)
		turned.written = true;
	if (call->kind != SYSFS_STAT || call->name == NULL ||
	    strcmp(call->name, "clock") != 0 || !turned.written)
		return 0;
	turned.written = false;
	turned.asked++;
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &times[1]), 0);
	times[1].tv_sec += turned.asked == 1 ? turned.first : turned.second;
	assert_int_equal(utimensat(AT_FDCWD, tmp_path(turned.t,
	    LAYOUT_CLOCK), times, 0), 0);
	return 0;
}

static enum store_result
collect_turned(struct tmp_store *t, time_t first, time_t second,
    struct gc_report *report)
{
	enum store_result r;

	turned.t = t;
	turned.first = first;
	turned.second = second;
	turned.asked = 0;
	turned.written = false;
	sysfs_set_hook(on_clock, NULL);
	r = tree_collect_with(t, &tree_options, report);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(turned.asked, 2);
	return r;
}

/* While a run marks: it ends, and not a name has changed. */
static void
test_r18_jump_within_a_run(void **state)
{
	static const time_t jumps[] = { 11 * 60, -11 * 60, 3600, -3600,
	    20 * YEAR_S, -20 * YEAR_S };
	struct gc_report report;
	struct tmp_store t;
	uint64_t before;
	size_t i;

	(void)state;
	tree_prepare(&t);
	before = tree_hash(&t);
	for (i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		assert_int_equal(collect_turned(&t, 0, jumps[i], &report),
		    STORE_MISMATCH);
		assert_string_equal(report.path, LAYOUT_CLOCK);
		assert_true(tree_hash(&t) == before);
	}
	/* A minute is what clocks are put right by. */
	assert_int_equal(collect_turned(&t, 0, 60, &report), STORE_OK);
	tree_check(&t);
	tmp_close(&t);
}

/*
 * Between two runs.  A clock that is ahead makes leases end early, so that
 * more is condemned; but nothing that is referred to goes, and when it is
 * right again what was condemned in the future comes back first.
 */
static void
test_r18_jump_between_runs(void **state)
{
	static const time_t offs[] = { YEAR_S, -YEAR_S, 3 * 3600, -3 * 3600 };
	struct gc_report report;
	struct tmp_store t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
		tree_prepare(&t);
		assert_int_equal(collect_turned(&t, offs[i], offs[i],
		    &report), STORE_OK);
		tree_check(&t);
		/* From behind, all is of the future, and left alone. */
		assert_int_equal(report.counts[GC_BLOBS].condemned,
		    offs[i] > 0);
		assert_int_equal(report.counts[GC_BLOBS].deleted, offs[i] > 0);
		assert_int_equal(collect_turned(&t, 0, 0, &report), STORE_OK);
		/* "unused" has the name of a run that has not been yet. */
		assert_int_equal(report.counts[GC_BLOBS].restored,
		    offs[i] > 0);
		assert_int_equal(report.counts[GC_BLOBS].deleted, 0);
		tree_check(&t);
		tree_collect_times(&t, &tree_options, 3);
		assert_int_equal(tree_names(&t, "unused"), 0);
		assert_int_equal(tree_names(&t, "condemned"), 0);
		tree_check(&t);
		tmp_close(&t);
	}
}

/* ---- r21: a pull while its blob goes ---- */

#define LAYER_SIZE	100000

static char layer[LAYER_SIZE + 1];
static struct digest layer_digest;

static void
prepare_layer(struct tmp_store *t)
{
	size_t i;

	for (i = 0; i < LAYER_SIZE; i++)
		layer[i] = (char)('a' + i % 23);
	layer_digest = tmp_digest(layer);
	tree_blob(t, "a", layer);
}

/*
 * As a worker does it: the blob is asked for, opened, and sent in pieces.
 * Either it is told that there is none, or all bytes are right.
 */
static enum store_result
act_pull(struct tmp_store *t)
{
	static char have[LAYER_SIZE];
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;
	size_t n, done = 0;
	int fd;

	if ((r = repo_acquire_blob(t->store, "a", &layer_digest,
	    0)) != STORE_OK)
		return r;
	r = store_open(t->store, layout_blob(path, &layer_digest), &fd, &st);
	if (r != STORE_OK)
		return r;
	assert_int_equal(st.size, LAYER_SIZE);
	while (done < LAYER_SIZE) {
		assert_int_equal(store_pread(t->store, fd, have + done,
		    LAYER_SIZE / 10, done, &n), STORE_OK);
		assert_true(n > 0);
		done += n;
	}
	store_close(t->store, fd);
	assert_memory_equal(have, layer, LAYER_SIZE);
	return STORE_OK;
}

static void
check_pull(struct tmp_store *t, enum store_result r)
{
	(void)t;
	/* Condemned again between the lease and the look, there is none. */
	assert_true(r == STORE_OK || r == STORE_NOTFOUND);
}

static void
test_r21_pull_while_it_is_reclaimed(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_layer, .act = act_pull,
		.check = check_pull
	};

	(void)state;
	meet_everywhere(&scene);
}

/* An open one is whole to its end, however much is collected meanwhile. */
static void
test_r21_open_blob_stays_whole(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE], have[100];
	struct store_stat st;
	uint64_t offset;
	size_t n;
	int fd;

	prepare_layer(t);
	assert_int_equal(store_open(t->store, layout_blob(path,
	    &layer_digest), &fd, &st), STORE_OK);
	for (offset = 0; offset < LAYER_SIZE; offset += 20000) {
		assert_int_equal(store_pread(t->store, fd, have,
		    sizeof(have), offset, &n), STORE_OK);
		assert_int_equal(n, sizeof(have));
		assert_memory_equal(have, layer + offset, sizeof(have));
		tree_age(t, HOUR);
		tree_collect(t);
	}
	store_close(t->store, fd);
	assert_int_equal(tree_names(t, layer), 0);
}

/* ---- r23: an upload that is slow, and expiry ---- */

#define SESSION	REPOS "a/_uploads/id1"
#define EXPIRY_AGE	(24 * HOUR)

static const char *const parts[] = { "one ", "two ", "three" };
#define WHOLE	"one two three"

static enum store_result
expire(struct tmp_store *t)
{
	struct store *outside = t->store;
	enum store_result r;

	t->store = tmp_reopen(t->dir, true, STORE_FULL);
	r = upload_expire(t->store, "a", "id1", time(NULL) - EXPIRY_AGE,
	    false);
	store_free(t->store);
	t->store = outside;
	return r;
}

/* One part, as a PATCH of its own. */
static enum store_result
patch(struct tmp_store *t, const char *part, size_t *offset)
{
	struct upload *u;
	enum store_result r;

	r = upload_open(t->store, "a", "id1", &u);
	if (r != STORE_OK)
		return r;
	assert_int_equal(upload_offset(u), *offset);
	r = upload_append(u, part, strlen(part));
	if (r == STORE_OK)
		r = upload_save(u);
	if (r == STORE_OK)
		*offset += strlen(part);
	upload_close(u);
	return r;
}

static enum store_result
begin(struct tmp_store *t)
{
	struct upload *u;
	enum store_result r;

	r = upload_start(t->store, "a", "id1", DIGEST_SHA256, &u);
	upload_close(r == STORE_OK ? u : NULL);
	return r;
}

/* Days from the first part to the last, but never one without any. */
static void
test_r23_slow_upload_is_not_expired(void **state)
{
	struct digest d = tmp_digest(WHOLE);
	struct tmp_store *t = *state;
	struct upload *u;
	size_t i, offset = 0;

	assert_int_equal(begin(t), STORE_OK);
	for (i = 0; i < 3; i++) {
		assert_int_equal(patch(t, parts[i], &offset), STORE_OK);
		tree_age(t, EXPIRY_AGE - HOUR);
		assert_int_equal(expire(t), STORE_MISMATCH);
		tree_collect(t);
	}
	assert_int_equal(upload_open(t->store, "a", "id1", &u),
	    STORE_OK);
	assert_int_equal(upload_finish(u, &d), STORE_OK);
	upload_close(u);
	assert_true(tree_has_blob(t, WHOLE));
	assert_int_equal(expire(t), STORE_NOTFOUND);
}

/* Its connection is open, though nothing has come for longer than that. */
static void
test_r23_open_session_is_not_expired(void **state)
{
	struct digest d = tmp_digest(WHOLE);
	struct tmp_store *t = *state;
	struct upload *u;

	assert_int_equal(upload_start(t->store, "a", "id1", DIGEST_SHA256,
	    &u), STORE_OK);
	assert_int_equal(upload_append(u, "one ", 4), STORE_OK);
	tree_age(t, 2 * EXPIRY_AGE);
	assert_int_equal(expire(t), STORE_BUSY);
	tree_collect(t);
	assert_int_equal(upload_append(u, "two three", 9), STORE_OK);
	assert_int_equal(upload_finish(u, &d), STORE_OK);
	upload_close(u);
	assert_true(tree_has_blob(t, WHOLE));
}

static struct {
	struct tmp_store *t;
	unsigned long	 calls, stop;
	enum store_result expired, patched;
	bool		 expire_inside, met;
	size_t		 offset;
} slow;

static int
on_slow(const struct sysfs_call *call, void *arg)
{
	struct store *outside = slow.t->store;

	(void)call;
	(void)arg;
	if (++slow.calls != slow.stop)
		return 0;
	sysfs_set_hook(NULL, NULL);
	slow.met = true;
	slow.t->store = tmp_reopen(slow.t->dir, true, STORE_FULL);
	if (slow.expire_inside)
		slow.expired = expire(slow.t);
	else
		slow.patched = patch(slow.t, parts[1], &slow.offset);
	store_free(slow.t->store);
	slow.t->store = outside;
	return 0;
}

/*
 * A part that is acknowledged is there: either the session lives and has it,
 * or the client is told that there is no session, or that it is in use.
 */
static void
check_slow(struct tmp_store *t)
{
	struct digest d = tmp_digest("one two ");
	struct upload *u;

	if (slow.patched == STORE_OK) {
		assert_int_not_equal(slow.expired, STORE_OK);
		assert_int_equal(upload_open(t->store, "a", "id1", &u),
		    STORE_OK);
		assert_int_equal(upload_finish(u, &d), STORE_OK);
		upload_close(u);
		assert_true(tree_has_blob(t, "one two "));
		return;
	}
	if (slow.patched != STORE_NOTFOUND && slow.patched != STORE_BUSY)
		fail_msg("patch: %s", store_result_text(slow.patched));
	if (slow.expired == STORE_OK)
		assert_false(tmp_exists(t, SESSION));
}

/* An old session that is about to expire when its next part comes. */
static bool
meet_slow(unsigned long stop, bool expire_inside)
{
	struct tmp_store t;

	tmp_open(&t);
	slow.t = &t;
	slow.offset = 0;
	slow.met = false;
	slow.calls = 0;
	slow.stop = stop;
	slow.expire_inside = expire_inside;
	assert_int_equal(begin(&t), STORE_OK);
	assert_int_equal(patch(&t, parts[0], &slow.offset), STORE_OK);
	tree_age(&t, 2 * EXPIRY_AGE);
	sysfs_set_hook(on_slow, NULL);
	if (expire_inside)
		slow.patched = patch(&t, parts[1], &slow.offset);
	else
		slow.expired = expire(&t);
	sysfs_set_hook(NULL, NULL);
	if (slow.met)
		check_slow(&t);
	tmp_close(&t);
	return slow.met;
}

static void
test_r23_part_while_it_expires(void **state)
{
	unsigned long stop;
	unsigned inside;

	(void)state;
	for (inside = 0; inside < 2; inside++) {
		for (stop = 1; meet_slow(stop, inside > 0); stop++)
			assert_true(stop < MAX_CALLS);
		assert_true(stop > 5);
	}
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_r18_jump_within_a_run),
		cmocka_unit_test(test_r18_jump_between_runs),
		cmocka_unit_test(test_r21_pull_while_it_is_reclaimed),
		T(test_r21_open_blob_stays_whole),
		T(test_r23_slow_upload_is_not_expired),
		T(test_r23_open_session_is_not_expired),
		cmocka_unit_test(test_r23_part_while_it_expires)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
