/* SPDX-License-Identifier: ISC */
/*
 * A keeper that finds a lock held by another process: others do not wait, the
 * request goes on when the lock is free, and gives up in time.
 */
#include "keeper_pair.h"

#include "clock.h"
#include "repo.h"
#include "tag.h"

#define QUICK_MS	2000		/* well below STORE_LOCK_MS */

struct held {				/* by another process, as it were */
	struct store	*store;
	struct store_lock lock;
};

static void
hold(struct fixture *f, struct held *h, const char *name)
{
	h->store = tmp_reopen(f->tmp.dir, true, STORE_FULL);
	assert_int_equal(store_lock(h->store, name, &h->lock), STORE_OK);
}

static void
release(struct held *h)
{
	store_unlock(h->store, &h->lock);
	store_free(h->store);
}

static void
put(struct fixture *f, struct answer *a, const struct manifest_put *m)
{
	a->f = f;
	assert_non_null(keeper_manifest_put(f->keepers, m, on_done, a));
}

/* Another client, who has nothing to do with the lock. */
static void
push_another(struct fixture *f, const char *text)
{
	struct digest d = tmp_digest(text);
	struct answer a = { .f = f };
	uint64_t begin = clock_monotonic_ms();

	assert_int_equal(finish(&a, true, 0, strlen(text), &d, text,
	    strlen(text)), STORE_OK);
	assert_in_range(clock_monotonic_ms() - begin, 0, QUICK_MS);
}

static struct manifest_put
manifest(const char *const *tags, size_t n)
{
	return (struct manifest_put){ .repo = "a", .data = "{}", .len = 2,
	    .digest = tmp_digest("{}"), .artifact_type = "", .tags = tags,
	    .ntags = n };
}

static void
test_lock_of_a_tag_holds_up_one(void **state)
{
	static const char *const tags[] = { "one", "two", "three" };
	struct manifest_put m = manifest(tags, 3);
	struct fixture *f = *state;
	struct answer a = { .f = NULL }, b = { .f = f };
	struct held h;
	struct digest d;
	size_t i;

	hold(f, &h, "a:two");
	put(f, &a, &m);
	push_another(f, "x");
	push_another(f, "y");
	assert_int_equal(a.times, 0);
	/* The same tag, deleted while it is to be set. */
	assert_non_null(keeper_tag_delete(f->keepers, "a", "two", on_done,
	    &b));
	push_another(f, "z");
	assert_int_equal(b.times, 0);
	release(&h);
	assert_int_equal(await(&a), STORE_OK);
	assert_in_range(await(&b), STORE_OK, STORE_NOTFOUND);
	for (i = 0; i < 3; i += 2) {
		assert_int_equal(tag_get(f->tmp.store, "a", tags[i], &d),
		    STORE_OK);
		assert_true(digest_equal(&d, &m.digest));
	}
}

static void
test_lock_of_a_manifest_holds_up_one(void **state)
{
	static const char *const tags[] = { "one" };
	struct manifest_put m = manifest(tags, 1);
	struct fixture *f = *state;
	struct answer a = { .f = NULL }, b = { .f = f }, c = { .f = NULL };
	char name[128], text[DIGEST_STR_SIZE];
	struct held h;

	snprintf(name, sizeof(name), "@a@%s", digest_format(text, &m.digest));
	put(f, &c, &m);
	assert_int_equal(await(&c), STORE_OK);
	hold(f, &h, name);
	put(f, &a, &m);
	assert_non_null(keeper_manifest_delete(f->keepers, "a", &m.digest,
	    on_done, &b));
	push_another(f, "x");
	push_another(f, "y");
	assert_int_equal(a.times + b.times, 0);
	release(&h);
	assert_int_equal(await(&a), STORE_OK);
	assert_int_equal(await(&b), STORE_OK);
}

/* A tag that was set goes away with the manifest before the next one is. */
static void
test_lock_met_between_two_tags(void **state)
{
	static const char *const tags[] = { "one", "two" };
	struct manifest_put m = manifest(tags, 2);
	struct fixture *f = *state;
	struct answer a = { .f = NULL };
	struct store *other;
	struct held h;
	struct digest d;
	size_t i;

	hold(f, &h, "a:two");
	put(f, &a, &m);
	while (tag_get(f->tmp.store, "a", "one", &d) != STORE_OK)
		spin(f, 5);
	other = tmp_reopen(f->tmp.dir, true, STORE_FULL);
	assert_int_equal(repo_delete_manifest(other, "a", &m.digest),
	    STORE_OK);
	store_free(other);
	assert_int_equal(a.times, 0);
	release(&h);
	/* The PUT comes after the DELETE, whole. */
	assert_int_equal(await(&a), STORE_OK);
	for (i = 0; i < 2; i++) {
		assert_int_equal(tag_get(f->tmp.store, "a", tags[i], &d),
		    STORE_OK);
		assert_true(digest_equal(&d, &m.digest));
	}
	assert_int_equal(repo_stat_manifest(f->tmp.store, "a", &m.digest,
	    NULL), STORE_OK);
}

static void
test_lock_that_stays_is_busy(void **state)
{
	static const char *const tags[] = { "one" };
	struct manifest_put m = manifest(tags, 1);
	uint64_t begin = clock_monotonic_ms();
	struct fixture *f = *state;
	struct answer a = { .f = NULL };
	struct held h;

	hold(f, &h, "a:one");
	put(f, &a, &m);
	assert_int_equal(await(&a), STORE_BUSY);
	assert_in_range(clock_monotonic_ms() - begin, STORE_LOCK_MS - 100,
	    3 * STORE_LOCK_MS);
	release(&h);
	a.times = 0;
	put(f, &a, &m);
	assert_int_equal(await(&a), STORE_OK);
}

/* Its worker goes while it waits. */
static void
test_lock_of_one_who_has_gone(void **state)
{
	static const char *const tags[] = { "one" };
	struct manifest_put m = manifest(tags, 1);
	struct fixture *f = *state;
	struct answer a = { .f = NULL }, b = { .f = f };
	struct held h;

	hold(f, &h, "a:one");
	put(f, &a, &m);
	assert_non_null(keeper_tag_delete(f->keepers, "a", "one", on_done,
	    &b));
	push_another(f, "x");
	keeper_worker_cut(LIST_FIRST(&f->keeper.workers), NULL);
	assert_false(LIST_EMPTY(&f->keeper.orphans));
	release(&h);
	keeper_worker_cut_all(&f->keeper);
	assert_true(LIST_EMPTY(&f->keeper.orphans));
	assert_int_equal(await(&a), STORE_GONE);
	assert_int_equal(await(&b), STORE_GONE);
	connect_worker(f);
	push_another(f, "y");
}

#define FULL(f)		{ #f, f, setup, teardown, NULL }
#define BATCH(f)	{ #f " in batch", f, setup_batch, teardown, NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		FULL(test_lock_of_a_tag_holds_up_one),
		BATCH(test_lock_of_a_tag_holds_up_one),
		FULL(test_lock_of_a_manifest_holds_up_one),
		BATCH(test_lock_of_a_manifest_holds_up_one),
		FULL(test_lock_met_between_two_tags),
		BATCH(test_lock_met_between_two_tags),
		FULL(test_lock_that_stays_is_busy),
		FULL(test_lock_of_one_who_has_gone),
		BATCH(test_lock_of_one_who_has_gone)
	};

	return cmocka_run_group_tests_name("keeper_lock", tests, NULL, NULL);
}
