/* SPDX-License-Identifier: ISC */
/*
 * The rules of collection and of durability that other tests meet only where
 * two processes do, each alone: what counts as named, what may be removed,
 * what is synced first, and what an error leaves behind.
 */
#include "gc_tree.h"

#include <time.h>

#include "sysfs.h"
#include "upload.h"

#define RUN_LONG_AGO	1000000000000000000u	/* ns */

/* Rename X to what an earlier run would have made of it. */
static void
condemn(struct tmp_store *t, const char *path)
{
	char from[2048], to[LAYOUT_PATH_SIZE];

	snprintf(from, sizeof(from), "%s", tmp_path(t, path));
	layout_condemned(to, path, RUN_LONG_AGO, 1);
	assert_int_equal(rename(from, tmp_path(t, to)), 0);
}

static bool
is_condemned(struct tmp_store *t, const char *path)
{
	char to[LAYOUT_PATH_SIZE];

	return tmp_exists(t, layout_condemned(to, path, RUN_LONG_AGO, 1));
}

/* ---- what is named ---- */

static void
test_gc_pending_manifest_names_its_blobs(void **state)
{
	const char *const blobs[] = { "layer", NULL };
	char path[LAYOUT_PATH_SIZE], body[512], text[DIGEST_STR_SIZE];
	struct tmp_store *t = *state;
	struct digest d;

	tree_blob(t, "a", "layer");
	tree_body(body, sizeof(body), blobs, NULL);
	d = tmp_digest(body);
	tmp_write(t, layout_blob(path, &d), body);
	tree_age(t, HOUR);
	tmp_write(t, layout_pending(path, "a", &d, 7),
	    digest_format(text, &d));
	tree_collect(t);
	assert_true(tree_has_blob(t, "layer"));
	assert_true(tree_has_blob(t, body));
}

static void
test_gc_condemned_manifest_names_its_blobs(void **state)
{
	struct gc_options o = tree_options;
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE];
	struct gc_report report;
	struct digest d;

	o.untagged_ms = GRACE_MS;
	d = tmp_digest(tree_image(t, "a", "layer", NULL));
	condemn(t, layout_revision(path, "a", &d));
	tree_age(t, HOUR);
	assert_int_equal(tree_collect_with(t, &o, &report), STORE_OK);
	/* Its last name went; what it named had to wait for that. */
	assert_int_equal(report.counts[GC_REVISIONS].deleted, 1);
	assert_int_equal(report.counts[GC_BLOBS].condemned, 0);
	assert_int_equal(report.counts[GC_LAYERS].condemned, 0);
	assert_true(tree_has_blob(t, "layer"));
}

static void
test_gc_reads_condemned_bytes_and_restores(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE];
	struct gc_report report;
	struct digest d;

	d = tmp_digest(tree_image(t, "a", "layer", "v1"));
	condemn(t, layout_blob(path, &d));
	tree_age(t, HOUR);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.damaged, 0);
	assert_int_equal(report.counts[GC_BLOBS].restored, 1);
	assert_int_equal(report.counts[GC_BLOBS].condemned, 0);
	assert_true(tmp_exists(t, layout_blob(path, &d)));
}

/* ---- what may be removed ---- */

/* Condemned while marking was under way: the next run's, however old. */
static void
test_gc_removes_only_what_was_listed(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest("late");
	bool done = false, renamed = false;
	struct gc *gc;

	tree_image(t, "a", "layer", "v1");
	tmp_write(t, layout_blob(path, &d), "late");
	tree_age(t, HOUR);
	assert_non_null(gc = gc_new(t->store, &tree_options));
	while (!done) {
		assert_int_equal(gc_step(gc, 0, &done), STORE_OK);
		if (renamed || strcmp(gc_report(gc)->phase, "marking") != 0)
			continue;
		condemn(t, layout_blob(path, &d));
		renamed = true;
	}
	gc_free(gc);
	assert_true(renamed);
	assert_true(is_condemned(t, layout_blob(path, &d)));
	tree_collect(t);
	assert_false(is_condemned(t, layout_blob(path, &d)));
}

static void
test_gc_young_is_not_condemned(void **state)
{
	struct tmp_store *t = *state;
	struct gc_report report;

	tree_image(t, "a", "layer", "v1");
	tree_blob(t, "a", "young");
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.counts[GC_BLOBS].condemned, 0);
	assert_int_equal(report.counts[GC_LAYERS].condemned, 0);
	assert_true(tree_has_blob(t, "young"));
}

/* ---- what is on the disk first ---- */

struct watch {
	unsigned	 syncs;		/* of everything */
	int		 before;	/* the first removal of a blob */
};

static int
on_removal(const struct sysfs_call *call, void *arg)
{
	/* So slow that what this process has written is synced alone. */
	static const struct timespec slow = { .tv_nsec = 8000000 };
	struct watch *w = arg;

	if (call->kind == SYSFS_SYNCFS) {
		w->syncs++;
		nanosleep(&slow, NULL);
	}
	if (call->kind == SYSFS_UNLINK && w->before == -1 &&
	    strncmp(call->name, "data.condemned.", 15) == 0)
		w->before = (int)w->syncs;
	return 0;
}

static void
test_gc_syncs_before_it_removes(void **state)
{
	struct tmp_store *t = *state, batch = *t;
	struct watch w = { .before = -1 };
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest("old");

	tree_image(t, "a", "layer", "v1");
	tree_age(t, HOUR);
	batch.store = tmp_reopen(t->dir, true, STORE_BATCH);
	sysfs_set_hook(on_removal, &w);
	tree_collect(&batch);
	assert_int_equal(store_barrier(batch.store), STORE_OK);
	w.syncs = 0;
	/* Again, and what is absent is another process's doing. */
	tmp_write(t, layout_blob(path, &d), "old");
	condemn(t, layout_blob(path, &d));
	tree_age(t, HOUR);
	tree_collect(&batch);
	sysfs_set_hook(NULL, NULL);
	store_free(batch.store);
	assert_false(is_condemned(t, layout_blob(path, &d)));
	assert_true(w.before >= 1);
}

/* ---- what an error leaves ---- */

/* The nth sync from here on. */
static int
fail_sync(const struct sysfs_call *call, void *arg)
{
	int *left = arg;

	return call->kind == SYSFS_SYNC && --*left == 0 ? EIO : 0;
}

static void
test_sync_of_a_directory_that_fails_ends_writing(void **state)
{
	struct tmp_store *t = *state;
	int left = 2;			/* the file, its directory */

	assert_int_equal(store_put(t->store, "x/first", "a", 1, 0), STORE_OK);
	sysfs_set_hook(fail_sync, &left);
	assert_int_equal(store_put(t->store, "x/second", "b", 1, 0),
	    STORE_READONLY);
	sysfs_set_hook(NULL, NULL);
	assert_true(left <= 0);
	assert_int_equal(store_failure(t->store), EIO);
	assert_int_equal(store_put(t->store, "x/third", "c", 1, 0),
	    STORE_READONLY);
	assert_false(tmp_exists(t, "x/third"));
	assert_int_equal(store_put(t->store, "x/first", "d", 1,
	    STORE_REPLACE), STORE_READONLY);
	assert_string_equal(tmp_read(t, "x/first"), "a");
}

/* The bytes of the link go first, then those of the upload. */
static void
test_sync_of_an_upload_that_fails_ends_it(void **state)
{
	static const char id[] = "11111111-2222-4333-8444-555555555555";
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest("bytes");
	enum store_result r;
	struct upload *u;
	int left, nth;

	for (nth = 1; nth <= 2; nth++) {
		left = nth;
		assert_int_equal(upload_start(t->store, "a", id,
		    DIGEST_SHA256, &u), STORE_OK);
		assert_int_equal(upload_append(u, "bytes", 5), STORE_OK);
		sysfs_set_hook(fail_sync, &left);
		r = upload_finish(u, &d);
		sysfs_set_hook(NULL, NULL);
		assert_int_equal(r, STORE_IO);
		assert_false(tmp_exists(t, layout_blob(path, &d)));
		if (nth == 2) {
			/* The kernel may have dropped what it held. */
			assert_int_equal(upload_finish(u, &d),
			    STORE_NOTFOUND);
			assert_false(tmp_exists(t, layout_upload(path, "a",
			    id)));
		}
		upload_close(u);
		if (nth == 1)
			assert_int_equal(upload_cancel(t->store, "a", id),
			    STORE_OK);
	}
}

/* ---- tags ---- */

static void
test_tag_deleted_while_it_is_set_keeps_its_history(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE];
	struct tag_staged staged;
	struct digest d = tmp_digest("manifest");

	assert_int_equal(tag_put(t->store, "a", "v", &d), STORE_OK);
	assert_int_equal(tag_stage(t->store, &d, &staged), STORE_OK);
	assert_int_equal(tag_publish_index(t->store, "a", "v", &d, &staged),
	    STORE_OK);
	assert_int_equal(tag_delete(t->store, "a", "v"), STORE_OK);
	assert_int_equal(tag_publish(t->store, "a", "v", &d, &staged),
	    STORE_OK);
	tag_unstage(t->store, &staged);
	assert_true(tmp_exists(t, layout_tag_index(path, "a", "v", &d)));
	assert_true(tmp_exists(t, layout_tag_current(path, "a", "v")));
}

/* ---- what comes in between ---- */

struct between {
	struct tmp_store *t;
	enum sysfs_kind	 kind;
	const char	*name;		/* of the call; NULL: any */
	void		(*act)(struct tmp_store *);
	bool		 locked;	/* a lock was asked for before */
	unsigned	 n;
	int		 error;
};

static int
on_between(const struct sysfs_call *call, void *arg)
{
	struct between *b = arg;

	if (call->kind == SYSFS_LOCK)
		b->locked = true;
	if (call->kind != b->kind || (b->name != NULL &&
	    (call->name == NULL || strstr(call->name, b->name) == NULL)))
		return 0;
	if (b->n++ == 0 && b->act != NULL)
		b->act(b->t);
	return b->error;
}

static void
touch_blob(struct tmp_store *t)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest("renewed");

	assert_int_equal(utimensat(AT_FDCWD, tmp_path(t, layout_blob(path,
	    &d)), NULL, 0), 0);
}

/* Renewed after it was looked at, before it was renamed. */
static void
test_gc_gives_back_what_was_renewed(void **state)
{
	struct tmp_store *t = *state;
	struct between b = { .t = t, .kind = SYSFS_RENAME, .name = "data",
	    .act = touch_blob };
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest("renewed");

	tree_image(t, "a", "layer", "v1");
	tmp_write(t, layout_blob(path, &d), "renewed");
	tree_age(t, HOUR);
	sysfs_set_hook(on_between, &b);
	tree_collect(t);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(b.n, 2);
	assert_true(tmp_exists(t, layout_blob(path, &d)));
}

/* Nobody knows what it names: that is no damage, but no run either. */
static void
test_gc_stops_at_bytes_that_cannot_be_opened(void **state)
{
	struct tmp_store *t = *state;
	struct between b = { .t = t, .kind = SYSFS_OPEN, .name = "/data",
	    .error = EIO };
	struct gc_report report;

	tree_image(t, "a", "layer", "v1");
	tree_blob(t, "b", "unused");
	tree_age(t, HOUR);
	sysfs_set_hook(on_between, &b);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_IO);
	sysfs_set_hook(NULL, NULL);
	assert_true(b.n > 0);
	assert_int_equal(report.damaged, 0);
	assert_true(tree_has_blob(t, "unused"));
}

static void
move_tag(struct tmp_store *t)
{
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE];
	struct digest d = tmp_digest("other");

	tmp_write(t, layout_tag_current(path, "a", "v"),
	    digest_format(text, &d));
}

static void
test_tag_moved_before_the_lock_is_spared(void **state)
{
	struct tmp_store *t = *state;
	struct between b = { .t = t, .kind = SYSFS_LOCK, .act = move_tag };
	struct digest d = tmp_digest("manifest"), now;

	assert_int_equal(tag_put(t->store, "a", "v", &d), STORE_OK);
	sysfs_set_hook(on_between, &b);
	assert_int_equal(tag_delete_if(t->store, "a", "v", &d),
	    STORE_MISMATCH);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(b.n, 1);
	assert_int_equal(tag_get(t->store, "a", "v", &now), STORE_OK);
	d = tmp_digest("other");
	assert_true(digest_equal(&now, &d));
}

static void
test_tag_changes_only_when_locked(void **state)
{
	struct tmp_store *t = *state;
	struct between put = { .t = t, .kind = SYSFS_RENAME },
	    removed = put;
	struct digest d = tmp_digest("manifest");

	assert_int_equal(tag_put(t->store, "a", "v", &d), STORE_OK);
	sysfs_set_hook(on_between, &put);
	assert_int_equal(tag_put(t->store, "a", "v", &d), STORE_OK);
	assert_true(put.n > 0 && put.locked);
	sysfs_set_hook(on_between, &removed);
	assert_int_equal(tag_delete(t->store, "a", "v"), STORE_OK);
	sysfs_set_hook(NULL, NULL);
	assert_true(removed.n > 0 && removed.locked);
}

/* Deleted by another host when the tag is there, and not yet answered. */
static void
test_put_looks_at_its_link_at_the_end(void **state)
{
	static const char body[] = "{\"schemaVersion\":2}", *const tag = "v";
	struct manifest_put m = { .repo = "a", .data = body,
	    .len = sizeof(body) - 1, .artifact_type = "", .tags = &tag,
	    .ntags = 1 };
	struct tmp_store *t = *state;
	char link[LAYOUT_PATH_SIZE], current[LAYOUT_PATH_SIZE];
	struct manifest_commit *c;
	bool deleted = false;
	enum store_result r;
	struct store *s;

	s = tmp_reopen(t->dir, true, STORE_BATCH);
	m.digest = tmp_digest(body);
	layout_revision(link, "a", &m.digest);
	layout_tag_current(current, "a", tag);
	assert_non_null(c = manifest_commit_new(s, &m, 0));
	while ((r = manifest_commit_step(c)) == STORE_AGAIN) {
		assert_int_equal(store_barrier(s), STORE_OK);
		if (deleted || !tmp_exists(t, current))
			continue;
		assert_int_equal(unlink(tmp_path(t, link)), 0);
		deleted = true;
	}
	assert_int_equal(r, STORE_OK);
	manifest_commit_free(c);
	store_free(s);
	assert_true(deleted);
	assert_true(tmp_exists(t, link));
}

/* The repository is removed behind the tag, and cannot be put again. */
static void
test_put_that_is_refused_leaves_no_tag(void **state)
{
	static const char *const blobs[] = { "layer", NULL };
	const char *tag = "v";
	struct manifest_put m = { .repo = "a", .artifact_type = "",
	    .tags = &tag, .ntags = 1, .nrefs = 1 };
	struct digest d, ref = tmp_digest("layer");
	char current[LAYOUT_PATH_SIZE], body[512];
	struct tmp_store *t = *state;
	struct manifest_commit *c;
	bool removed = false;
	enum store_result r;
	struct store *s;

	tree_blob(t, "a", "layer");
	m.data = tree_body(body, sizeof(body), blobs, NULL);
	m.len = strlen(body);
	m.digest = tmp_digest(body);
	m.refs = &ref;
	s = tmp_reopen(t->dir, true, STORE_BATCH);
	layout_tag_current(current, "a", tag);
	assert_non_null(c = manifest_commit_new(s, &m, 0));
	while ((r = manifest_commit_step(c)) == STORE_AGAIN) {
		assert_int_equal(store_barrier(s), STORE_OK);
		if (removed || !tmp_exists(t, current))
			continue;
		assert_int_equal(store_remove_tree(t->store, REPOS
		    "a/_manifests/revisions", 0), STORE_OK);
		assert_int_equal(store_remove_tree(t->store, REPOS
		    "a/_layers", 0), STORE_OK);
		removed = true;
	}
	assert_true(removed);
	assert_int_equal(r, STORE_MISSING);
	assert_int_equal(tag_get(s, "a", tag, &d), STORE_NOTFOUND);
	manifest_commit_free(c);
	store_free(s);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_gc_pending_manifest_names_its_blobs),
		T(test_gc_condemned_manifest_names_its_blobs),
		T(test_gc_reads_condemned_bytes_and_restores),
		T(test_gc_removes_only_what_was_listed),
		T(test_gc_young_is_not_condemned),
		T(test_gc_syncs_before_it_removes),
		T(test_sync_of_a_directory_that_fails_ends_writing),
		T(test_sync_of_an_upload_that_fails_ends_it),
		T(test_tag_deleted_while_it_is_set_keeps_its_history),
		T(test_gc_gives_back_what_was_renewed),
		T(test_gc_stops_at_bytes_that_cannot_be_opened),
		T(test_tag_moved_before_the_lock_is_spared),
		T(test_tag_changes_only_when_locked),
		T(test_put_looks_at_its_link_at_the_end),
		T(test_put_that_is_refused_leaves_no_tag)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
