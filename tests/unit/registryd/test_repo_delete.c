/* SPDX-License-Identifier: ISC */
/*
 * Deletions a slice at a time: what others do between two slices, and what
 * other clients of a keeper see of a long one.
 */
#include "keeper_pair.h"

#include "layout.h"
#include "repo_delete.h"
#include "repo_put.h"
#include "sysfs.h"
#include "tag.h"

#define BLOB		"a blob"
#define MANIFESTS	120
#define TAGS		120
/* So that a few calls are a slice. */
#define PAUSE_US	1000

static int
on_slow_open(const struct sysfs_call *call, void *arg)
{
	(void)arg;
	if (call->kind == SYSFS_OPEN)
		usleep(PAUSE_US);
	return 0;
}

static void
slow(void)
{
	sysfs_set_hook(on_slow_open, NULL);
}

static void
quick(void)
{
	sysfs_set_hook(NULL, NULL);
}

/* A manifest of text, with a tag or none, that refers to the blob or not. */
static enum store_result
put(struct tmp_store *t, const char *text, const char *tag, bool refers)
{
	struct digest blob = tmp_digest(BLOB), *missing;
	char data[256];
	struct manifest_put m = { .repo = "a", .data = data,
	    .artifact_type = "", .tags = &tag, .ntags = tag != NULL,
	    .refs = &blob, .nrefs = refers };
	char name[DIGEST_STR_SIZE];
	enum store_result r;
	size_t n;

	snprintf(data, sizeof(data), "{\"%s\":\"%s\"}", text, refers ?
	    digest_format(name, &blob) : "");
	m.len = strlen(data);
	m.digest = tmp_digest(data);
	r = repo_put_manifest(t->store, &m, &missing, &n);
	free(missing);
	return r;
}

static struct digest
digest_of_text(const char *text)
{
	char data[256];

	snprintf(data, sizeof(data), "{\"%s\":\"\"}", text);
	return tmp_digest(data);
}

static void
put_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);
	char path[LAYOUT_PATH_SIZE];

	tmp_write(t, layout_blob(path, &d), BLOB);
	assert_int_equal(repo_link_blob(t->store, "a", &d), STORE_OK);
}

/* Tags of the manifest "one", and as many of another. */
static void
put_tags(struct tmp_store *t)
{
	struct digest d = digest_of_text("one");
	char name[32];
	int i;

	for (i = 0; i < TAGS; i++) {
		snprintf(name, sizeof(name), "%c%03d", 'a' + i % 2, i);
		if (i < 2)
			assert_int_equal(put(t, i == 0 ? "one" : "other", name,
			    false), STORE_OK);
		d = digest_of_text(i % 2 == 0 ? "one" : "other");
		assert_int_equal(tag_put(t->store, "a", name, &d), STORE_OK);
	}
}

static void
put_manifests(struct tmp_store *t)
{
	char name[32];
	int i;

	for (i = 0; i < MANIFESTS; i++) {
		snprintf(name, sizeof(name), "m%03d", i);
		assert_int_equal(put(t, name, NULL, false), STORE_OK);
	}
}

static void
assert_gone(struct tmp_store *t)
{
	struct digest one = digest_of_text("one"), d;
	char **tags;
	size_t i, n;
	bool more;

	assert_int_equal(repo_stat_manifest(t->store, "a", &one, NULL),
	    STORE_NOTFOUND);
	assert_int_equal(tag_list(t->store, "a", NULL, 1000, &tags, &n,
	    &more), STORE_OK);
	for (i = 0; i < n; i++) {
		assert_int_equal(tag_get(t->store, "a", tags[i], &d),
		    STORE_OK);
		assert_false(digest_equal(&d, &one));
	}
	store_names_free(tags, n);
}

/* ---- manifests ---- */

/*
 * "between" runs between the first two slices of a deletion of "one", which
 * then goes on to its end; how many slices it had.
 */
static int
delete_one(struct tmp_store *t, void (*between)(struct tmp_store *))
{
	struct digest d = digest_of_text("one");
	struct manifest_delete *m;
	enum store_result r;
	int slices = 0;

	assert_non_null(m = manifest_delete_new(t->store, "a", &d));
	slow();
	while ((r = manifest_delete_step(m)) == STORE_MORE)
		if (slices++ == 0 && between != NULL) {
			quick();
			between(t);
			slow();
		}
	quick();
	assert_int_equal(r, STORE_OK);
	manifest_delete_free(m);
	return slices;
}

static void
test_manifest_delete_in_slices(void **state)
{
	struct tmp_store *t = *state;

	put_tags(t);
	assert_in_range(delete_one(t, NULL), 3, TAGS);
	assert_gone(t);
	assert_int_equal(tmp_count(t, "docker/registry/v2/repositories/a/"
	    "_manifests/tags"), TAGS / 2);
}

/* A tag where the deletion has already been, by one acknowledged before. */
static void
put_early_tag(struct tmp_store *t)
{
	assert_int_equal(put(t, "one", "A", false), STORE_OK);
}

static void
test_manifest_tagged_between_slices(void **state)
{
	struct tmp_store *t = *state;

	put_tags(t);
	delete_one(t, put_early_tag);
	assert_gone(t);
}

/* The same, by a request that had put its link before the deletion began. */
static struct manifest_commit *slow_put;

static void
end_slow_put(struct tmp_store *t)
{
	enum store_result r;

	(void)t;
	while ((r = manifest_commit_step(slow_put)) == STORE_AGAIN)
		continue;
	assert_int_equal(r, STORE_OK);
}

static void
test_manifest_put_that_began_before(void **state)
{
	struct tmp_store *t = *state;
	const char *tag = "A";
	struct manifest_put m = { .repo = "a", .data = "{\"one\":\"\"}",
	    .len = 10, .digest = digest_of_text("one"), .artifact_type = "",
	    .tags = &tag, .ntags = 1 };
	struct store *full = t->store;
	int i;

	put_tags(t);
	t->store = tmp_reopen(t->dir, true, STORE_BATCH);
	assert_non_null(slow_put = manifest_commit_new(t->store, &m, 0));
	/* Acquired, bytes, link, shown: its tag comes next. */
	for (i = 0; i < 4; i++)
		assert_int_equal(manifest_commit_step(slow_put), STORE_AGAIN);
	delete_one(t, end_slow_put);
	manifest_commit_free(slow_put);
	assert_gone(t);
	store_free(t->store);
	t->store = full;
}

static void
touch_by_lease(struct tmp_store *t)
{
	struct digest d = digest_of_text("one");

	/* So young a link gets no lease, unless leases are very short. */
	assert_int_equal(repo_acquire_manifest(t->store, "a", &d, 0),
	    STORE_OK);
}

static void
test_manifest_leased_between_slices(void **state)
{
	struct tmp_store *t = *state;

	put_tags(t);
	delete_one(t, touch_by_lease);
	assert_gone(t);
}

static void
delete_between(struct tmp_store *t)
{
	struct digest d = digest_of_text("one");

	assert_int_equal(repo_delete_manifest(t->store, "a", &d), STORE_OK);
}

static void
test_manifest_deleted_by_two(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = digest_of_text("one");
	struct manifest_delete *m;
	enum store_result r;

	put_tags(t);
	assert_non_null(m = manifest_delete_new(t->store, "a", &d));
	slow();
	assert_int_equal(manifest_delete_step(m), STORE_MORE);
	quick();
	delete_between(t);
	while ((r = manifest_delete_step(m)) == STORE_MORE)
		continue;
	assert_int_equal(r, STORE_NOTFOUND);
	manifest_delete_free(m);
	assert_gone(t);
}

/* ---- blobs ---- */

static struct blob_delete *
begin_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);
	struct blob_delete *b;

	put_blob(t);
	put_manifests(t);
	assert_non_null(b = blob_delete_new(t->store, "a", &d));
	slow();
	assert_int_equal(blob_delete_step(b), STORE_MORE);
	quick();
	return b;
}

static enum store_result
end_blob(struct blob_delete *b)
{
	enum store_result r;

	while ((r = blob_delete_step(b)) == STORE_MORE)
		continue;
	blob_delete_free(b);
	return r;
}

static enum store_result
stat_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_stat_blob(t->store, "a", &d, NULL);
}

static void
test_blob_delete_in_slices(void **state)
{
	struct tmp_store *t = *state;
	struct blob_delete *b = begin_blob(t);

	assert_int_equal(end_blob(b), STORE_OK);
	assert_int_equal(stat_blob(t), STORE_NOTFOUND);
}

/* A manifest where the deletion has been, or where it comes yet. */
static void
test_blob_wanted_between_slices(void **state)
{
	struct tmp_store *t = *state;
	struct blob_delete *b = begin_blob(t);

	assert_int_equal(put(t, "wants it", "v", true), STORE_OK);
	assert_int_equal(end_blob(b), STORE_EXISTS);
	assert_int_equal(stat_blob(t), STORE_OK);
}

static void
test_blob_leased_between_slices(void **state)
{
	struct tmp_store *t = *state;
	struct blob_delete *b = begin_blob(t);
	struct digest d = tmp_digest(BLOB);

	assert_int_equal(repo_acquire_blob(t->store, "a", &d, 0), STORE_OK);
	assert_int_equal(stat_blob(t), STORE_OK);
	/* It was there for whoever asked, and goes when nobody refers to it. */
	assert_int_equal(end_blob(b), STORE_OK);
	assert_int_equal(stat_blob(t), STORE_NOTFOUND);
}

static void
test_blob_delete_given_up(void **state)
{
	struct tmp_store *t = *state;
	struct blob_delete *b = begin_blob(t);

	assert_int_equal(stat_blob(t), STORE_NOTFOUND);
	blob_delete_free(b);
	assert_int_equal(stat_blob(t), STORE_OK);
}

/* ---- in a keeper ---- */

/* How many leases others get while a deletion is under way. */
static int
serve_meanwhile(struct fixture *f, struct answer *a)
{
	struct digest d = digest_of_text("other");
	struct answer b;
	int served = 0;

	while (a->times == 0) {
		memset(&b, 0, sizeof(b));
		b.f = f;
		assert_non_null(keeper_lease(f->keepers, "a", &d,
		    KEEPER_LEASE_MANIFEST, on_done, &b));
		assert_int_equal(await(&b), STORE_OK);
		if (a->times == 0)
			served++;
	}
	assert_int_equal(a->result, STORE_OK);
	return served;
}

static void
test_keeper_serves_others_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a;
	struct digest d = digest_of_text("one"), blob = tmp_digest(BLOB);

	put_tags(&f->tmp);
	put_blob(&f->tmp);
	put_manifests(&f->tmp);
	slow();
	assert_non_null(keeper_manifest_delete(f->keepers, "a", &d, on_done,
	    &a));
	assert_in_range(serve_meanwhile(f, &a), 3, TAGS);
	assert_non_null(keeper_blob_delete(f->keepers, "a", &blob, on_done,
	    &b));
	assert_in_range(serve_meanwhile(f, &b), 3, MANIFESTS);
	quick();
	assert_gone(&f->tmp);
	assert_int_equal(stat_blob(&f->tmp), STORE_NOTFOUND);
}

/* Two long ones share the slices; the worker of one goes. */
static void
test_keeper_two_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a;
	struct digest d = digest_of_text("one"), blob = tmp_digest(BLOB);

	put_tags(&f->tmp);
	put_blob(&f->tmp);
	put_manifests(&f->tmp);
	slow();
	assert_non_null(keeper_manifest_delete(f->keepers, "a", &d, on_done,
	    &a));
	assert_non_null(keeper_blob_delete(f->keepers, "a", &blob, on_done,
	    &b));
	while (stat_blob(&f->tmp) == STORE_OK)
		spin(f, 1);
	keeper_worker_cut(LIST_FIRST(&f->keeper.workers), NULL);
	quick();
	/* What is given up in the middle has happened or it has not. */
	assert_int_equal(await(&a), STORE_GONE);
	assert_int_equal(await(&b), STORE_GONE);
	assert_int_equal(stat_blob(&f->tmp), STORE_OK);
	connect_worker(f);
	assert_non_null(keeper_manifest_delete(f->keepers, "a", &d, on_done,
	    &c));
	assert_int_equal(await(&c), STORE_OK);
	assert_gone(&f->tmp);
}

#define STORE(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, \
			    tmp_teardown)
#define FULL(f)		{ #f, f, setup, teardown, NULL }
#define BATCH(f)	{ #f " in batch", f, setup_batch, teardown, NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE(test_manifest_delete_in_slices),
		STORE(test_manifest_tagged_between_slices),
		STORE(test_manifest_put_that_began_before),
		STORE(test_manifest_leased_between_slices),
		STORE(test_manifest_deleted_by_two),
		STORE(test_blob_delete_in_slices),
		STORE(test_blob_wanted_between_slices),
		STORE(test_blob_leased_between_slices),
		STORE(test_blob_delete_given_up),
		FULL(test_keeper_serves_others_meanwhile),
		BATCH(test_keeper_serves_others_meanwhile),
		FULL(test_keeper_two_at_a_time),
		BATCH(test_keeper_two_at_a_time)
	};

	return cmocka_run_group_tests_name("repo_delete", tests, NULL, NULL);
}
