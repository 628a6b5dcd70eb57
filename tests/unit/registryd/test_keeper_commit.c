/* SPDX-License-Identifier: ISC */
/*
 * keeper_commit: what a barrier costs and whom it serves, and what happens
 * to those who wait for one that fails.
 */
#include "keeper_pair.h"

#include "keeper_commit.h"
#include "layout.h"
#include "repo.h"
#include "sysfs.h"
#include "tag.h"
#include "upload.h"

#define CLIENTS	24

static struct digest
text_of(char text[16], int i)
{
	snprintf(text, 16, "blob %d", i);
	return tmp_digest(text);
}

/* One POST with its body for each client, all at the same time. */
static void
push_all(struct fixture *f, struct answer a[CLIENTS])
{
	static int turn;
	char id[64], text[16];
	struct digest d;
	int i;

	turn++;
	for (i = 0; i < CLIENTS; i++) {
		memset(&a[i], 0, sizeof(a[i]));
		a[i].f = f;
		snprintf(id, sizeof(id), "session-%d-%d", turn, i);
		d = text_of(text, i);
		a[i].call = keeper_upload_finish(f->keepers, "a", id, true, 0,
		    strlen(text), &d, on_room, on_done, &a[i]);
		assert_non_null(a[i].call);
		assert_int_equal(keeper_call_write(a[i].call, text,
		    strlen(text)), strlen(text));
		keeper_call_end(a[i].call);
	}
}

static void
test_commit_one_barrier_serves_many(void **state)
{
	uint64_t barriers = sysfs_count(SYSFS_SYNCFS);
	uint64_t syncs = sysfs_count(SYSFS_SYNC);
	struct fixture *f = *state;
	struct answer a[CLIENTS];
	char text[16];
	struct digest d;
	int i;

	push_all(f, a);
	for (i = 0; i < CLIENTS; i++)
		assert_int_equal(await(&a[i]), STORE_OK);
	/* Alone each would have had three of its own. */
	assert_in_range(sysfs_count(SYSFS_SYNCFS) - barriers, 3, CLIENTS);
	assert_int_equal(sysfs_count(SYSFS_SYNC), syncs);
	for (i = 0; i < CLIENTS; i++) {
		d = text_of(text, i);
		assert_int_equal(repo_stat_blob(f->tmp.store, "a", &d, NULL),
		    STORE_OK);
	}
}

static uint64_t
barriers_since(uint64_t *last)
{
	uint64_t n = sysfs_count(SYSFS_SYNCFS) - *last;

	*last += n;
	return n;
}

/* What one client waits for when it is alone. */
static void
test_commit_costs_of_one_client(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a, e = a, g = a, h = a;
	struct digest d = tmp_digest("x"), blob = d;
	const char *tag = "t";
	struct manifest_put m = { .repo = "a", .data = "{}", .len = 2,
	    .digest = tmp_digest("{}"), .refs = &blob, .nrefs = 1,
	    .artifact_type = "", .tags = &tag, .ntags = 1 };
	uint64_t last = sysfs_count(SYSFS_SYNCFS);
	uint64_t syncs = sysfs_count(SYSFS_SYNC);

	/* bytes, blob, link */
	assert_int_equal(finish(&a, true, 0, 1, &d, "x", 1), STORE_OK);
	assert_int_equal(barriers_since(&last), 3);
	/* The same in parts: the bytes with the PATCH, then the names. */
	assert_int_equal(start(f, ID), STORE_OK);
	assert_int_equal(barriers_since(&last), 0);
	d = tmp_digest("yz");
	assert_int_equal(append(&b, 0, 2, "yz", 2), STORE_OK);
	assert_int_equal(barriers_since(&last), 1);
	assert_int_equal(finish(&c, false, 2, 0, &d, "", 0), STORE_OK);
	assert_int_equal(barriers_since(&last), 2);
	/* bytes of all, blob, link, entry of the tag, tag */
	assert_non_null(keeper_manifest_put(f->keepers, &m, on_done, &e));
	assert_int_equal(await(&e), STORE_OK);
	assert_int_equal(barriers_since(&last), 5);
	/* the link's bytes, the link */
	assert_non_null(keeper_blob_mount(f->keepers, "b", "a", &blob,
	    on_done, &g));
	assert_int_equal(await(&g), STORE_OK);
	assert_int_equal(barriers_since(&last), 2);
	assert_non_null(keeper_tag_delete(f->keepers, "a", "t", on_done,
	    &h));
	assert_int_equal(await(&h), STORE_OK);
	assert_int_equal(barriers_since(&last), 1);
	assert_int_equal(sysfs_count(SYSFS_SYNC), syncs);
}

static int
on_barrier_wait(const struct sysfs_call *call, void *arg)
{
	(void)arg;
	if (call->kind == SYSFS_SYNCFS)
		usleep(8000);
	return 0;
}

static void
push_alone(struct fixture *f, const char *id, const char *text)
{
	struct digest d = tmp_digest(text);
	struct answer a = { .f = f };

	a.data = text;
	a.len = strlen(text);
	a.call = keeper_upload_finish(f->keepers, "a", id, true, 0, a.len, &d,
	    on_room, on_done, &a);
	assert_non_null(a.call);
	feed(&a);
	assert_int_equal(await(&a), STORE_OK);
}

/*
 * A sync of all waits for what others have written: one client that is alone
 * does not, and many still go together.
 */
static void
test_commit_is_not_slower_than_its_own_syncs(void **state)
{
	struct fixture *f = *state;
	struct answer a[CLIENTS];
	uint64_t barriers, syncs;
	int i;

	sysfs_set_hook(on_barrier_wait, NULL);
	push_alone(f, "first", "this one shows it");
	barriers = sysfs_count(SYSFS_SYNCFS);
	syncs = sysfs_count(SYSFS_SYNC);
	push_alone(f, "second", "alone");
	assert_int_equal(sysfs_count(SYSFS_SYNCFS), barriers);
	assert_in_range(sysfs_count(SYSFS_SYNC) - syncs, 4, 16);
	push_all(f, a);
	for (i = 0; i < CLIENTS; i++)
		assert_int_equal(await(&a[i]), STORE_OK);
	sysfs_set_hook(NULL, NULL);
}

static int
on_barrier_fail(const struct sysfs_call *call, void *arg)
{
	int *left = arg;

	return call->kind == SYSFS_SYNCFS && --*left == 0 ? EIO : 0;
}

static void
on_keeper_failed(void *arg)
{
	++*(int *)arg;
}

/*
 * Those who wait for it learn that nothing is known of what they sent, and
 * this process is of no more use for writing.
 */
static void
test_commit_failed_barrier_fails_all_who_wait(void **state)
{
	struct fixture *f = *state;
	struct answer a[CLIENTS], late = { .f = f };
	int i, left, failed, told;

	for (left = 1; left <= 3; left++) {
		int n = left;

		told = failed = 0;
		f->keeper.failed = false;
		f->keeper.on_failed = on_keeper_failed;
		f->keeper.arg = &told;
		sysfs_set_hook(on_barrier_fail, &n);
		push_all(f, a);
		for (i = 0; i < CLIENTS; i++) {
			enum store_result r = await(&a[i]);

			assert_true(r == STORE_OK || r == STORE_READONLY);
			failed += r == STORE_READONLY;
		}
		sysfs_set_hook(NULL, NULL);
		assert_true(failed > 0);
		assert_int_equal(told, 1);
		assert_int_equal(store_failure(f->tmp.store), EIO);
		memset(&late, 0, sizeof(late));
		late.f = f;
		assert_non_null(keeper_tag_delete(f->keepers, "a", "t",
		    on_done, &late));
		assert_int_equal(await(&late), STORE_READONLY);
		/* Another process in its place. */
		keeper_worker_cut_all(&f->keeper);
		store_free(f->tmp.store);
		f->tmp.store = tmp_reopen(f->tmp.dir, true, STORE_BATCH);
		f->keeper.store = f->tmp.store;
		f->keeper.on_failed = NULL;
		connect_worker(f);
	}
	push_all(f, a);
	for (i = 0; i < CLIENTS; i++)
		await(&a[i]);
}

static int
on_flush_stop(const struct sysfs_call *call, void *arg)
{
	if (call->kind == SYSFS_FLUSH)
		loop_stop(arg);
	return 0;
}

/* Nobody is left to be told; what was promised before stays. */
static void
test_commit_worker_goes_while_it_waits(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a;
	uint64_t offset = 0;

	assert_int_equal(start(f, ID), STORE_OK);
	a.call = keeper_upload_append(f->keepers, "a", ID, 0, 3, on_room,
	    on_done, &a);
	assert_int_equal(keeper_call_write(a.call, "abc", 3), 3);
	keeper_call_end(a.call);
	/* Synced, and waiting for its barrier. */
	sysfs_set_hook(on_flush_stop, f->loop);
	assert_int_equal(loop_run(f->loop), 0);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(LIST_FIRST(&f->keeper.workers)->nbodies, 1);
	keeper_worker_cut_all(&f->keeper);
	assert_true(LIST_EMPTY(&f->keeper.orphans));
	assert_int_equal(await(&a), STORE_GONE);
	connect_worker(f);
	assert_int_equal(upload_status(f->tmp.store, "a", ID, &offset),
	    STORE_OK);
	assert_int_equal(offset, 3);
	assert_int_equal(append(&b, 3, 1, "d", 1), STORE_OK);
}

#define QUEUE	(3 * KEEPER_GROUP_JOBS)

struct queue {
	struct fixture	*f;
	useconds_t	 pause;		/* of each step */
	int		 begun, done;
	int		 most;		/* at a time */
	int		 early;		/* begun when the first was done */
	struct queued {
		struct queue	*queue;
		struct keeper_job job;
		int		 n, steps;
	}		 jobs[QUEUE];
};

static enum store_result
on_queued_step(void *arg)
{
	struct queued *job = arg;
	struct queue *q = job->queue;
	char path[32];

	usleep(q->pause);
	if (++job->steps > 1)
		return STORE_OK;
	if (++q->begun - q->done > q->most)
		q->most = q->begun - q->done;
	snprintf(path, sizeof(path), "queue/%d", job->n);
	assert_int_equal(store_put(q->f->tmp.store, path, "x", 1,
	    STORE_REPLACE | STORE_NOSYNC), STORE_OK);
	return STORE_AGAIN;
}

static void
on_queued_done(enum store_result r, void *arg)
{
	struct queued *job = arg;
	struct queue *q = job->queue;

	assert_int_equal(r, STORE_OK);
	assert_int_equal(job->steps, 2);
	if (q->done++ == 0)
		q->early = q->begun;
	if (q->done == QUEUE)
		loop_stop(q->f->loop);
}

static void
run_queue(struct fixture *f, struct queue *q, useconds_t pause)
{
	int i;

	memset(q, 0, sizeof(*q));
	q->f = f;
	q->pause = pause;
	for (i = 0; i < QUEUE; i++) {
		q->jobs[i].queue = q;
		q->jobs[i].n = i;
		q->jobs[i].job.step = on_queued_step;
		q->jobs[i].job.done = on_queued_done;
		q->jobs[i].job.arg = &q->jobs[i];
		keeper_commit_add(&f->keeper, &q->jobs[i].job);
	}
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(q->done, QUEUE);
}

/* Those who came first have their barriers before the last have begun. */
static void
test_commit_group_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct queue *q = calloc(1, sizeof(*q));

	assert_non_null(q);
	run_queue(f, q, 0);
	assert_in_range(q->most, 1, KEEPER_GROUP_JOBS);
	run_queue(f, q, 2000);
	assert_in_range(q->early, 1, KEEPER_GROUP_MS);
	free(q);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_batch, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_commit_one_barrier_serves_many),
		TEST(test_commit_costs_of_one_client),
		TEST(test_commit_is_not_slower_than_its_own_syncs),
		TEST(test_commit_failed_barrier_fails_all_who_wait),
		TEST(test_commit_worker_goes_while_it_waits),
		TEST(test_commit_group_is_bounded)
	};

	return cmocka_run_group_tests_name("keeper_commit", tests, NULL,
	    NULL);
}
