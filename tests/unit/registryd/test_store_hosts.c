/* SPDX-License-Identifier: ISC */
/*
 * What is removed because something else was seen to be gone, while another
 * process or host may not have made that durable yet.
 */
#include "gc_tree.h"

#include "sysfs.h"

#define DELAY_MS	(3600 * 1000)

/* Of a manifest in repository "a"; malloc()ed. */
static char *
revision_path(const struct tmp_store *t, const char *body)
{
	struct digest d = tmp_digest(body);
	char path[LAYOUT_PATH_SIZE], *full;

	full = strdup(tmp_path(t, layout_revision(path, "a", &d)));
	assert_non_null(full);
	return full;
}

/* ---- another host: its deletion is undone by a cut ---- */

/*
 * Any number of runs that see a manifest gone, and then it is back: nothing
 * that it names has been removed, because no two of them are the delay apart.
 */
static void
test_hosts_deletion_comes_back_within_the_delay(void **state)
{
	struct tmp_store *t = *state;
	struct gc_options options = tree_options;
	const char *body;
	char *link, away[300];
	int i;

	options.delay_ms = DELAY_MS;
	body = tree_image(t, "a", "layer", NULL);
	tree_age(t, HOUR);
	link = revision_path(t, body);
	snprintf(away, sizeof(away), "%s/away", t->dir);
	assert_int_equal(rename(link, away), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(tree_collect_with(t, &options, NULL),
		    STORE_OK);
	assert_false(tree_has_blob(t, "layer"));
	assert_int_equal(tree_names(t, "layer"), 1);
	assert_int_equal(rename(away, link), 0);
	assert_int_equal(tree_collect_with(t, &options, NULL), STORE_OK);
	assert_true(tree_has_blob(t, "layer"));
	assert_true(tree_has_blob(t, body));
	free(link);
}

/* ---- another process of this host ---- */

struct watch {
	bool		 looked;	/* at the manifests */
	bool		 synced;	/* all, since then */
	unsigned	 early, late;	/* links unlinked */
};

static int
on_call(const struct sysfs_call *call, void *arg)
{
	struct watch *w = arg;

	if (call->kind == SYSFS_LIST)
		w->looked = true;
	if (call->kind == SYSFS_OPEN && call->name != NULL &&
	    strstr(call->name, "_manifests/revisions") != NULL)
		w->synced = false;
	if (call->kind == SYSFS_SYNCFS && w->looked)
		w->synced = true;
	if (call->kind == SYSFS_UNLINK && strncmp(call->name, "link.", 5) == 0)
		*(w->synced ? &w->late : &w->early) += 1;
	return 0;
}

/*
 * A keeper of the old configuration, say, has unlinked the manifest and not
 * synced it yet when the blob is to be deleted.
 */
static void
test_hosts_blob_goes_when_its_manifest_has(void **state)
{
	static const enum store_durability modes[] = {
		STORE_FULL, STORE_BATCH
	};
	struct digest layer = tmp_digest("layer");
	struct tmp_store *t = *state;
	struct watch w;
	const char *body;
	char *link;
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		store_free(t->store);
		t->store = tmp_reopen(t->dir, true, modes[i]);
		body = tree_image(t, "a", "layer", NULL);
		assert_int_equal(repo_delete_blob(t->store, "a", &layer),
		    STORE_EXISTS);
		link = revision_path(t, body);
		assert_int_equal(unlink(link), 0);
		free(link);
		memset(&w, 0, sizeof(w));
		sysfs_set_hook(on_call, &w);
		assert_int_equal(repo_delete_blob(t->store, "a", &layer),
		    STORE_OK);
		sysfs_set_hook(NULL, NULL);
		assert_int_equal(w.early, 0);
		assert_int_equal(w.late, 1);
	}
}

static int
on_syncfs_fail(const struct sysfs_call *call, void *arg)
{
	(void)arg;
	return call->kind == SYSFS_SYNCFS ? EIO : 0;
}

/* Nobody knows what is on the disk: the link comes back when it is wanted. */
static void
test_hosts_blob_stays_when_nothing_is_known(void **state)
{
	struct digest layer = tmp_digest("layer");
	struct tmp_store *t = *state;

	tree_blob(t, "a", "layer");
	sysfs_set_hook(on_syncfs_fail, NULL);
	assert_int_equal(repo_delete_blob(t->store, "a", &layer),
	    STORE_READONLY);
	sysfs_set_hook(NULL, NULL);
	store_free(t->store);
	t->store = tmp_reopen(t->dir, true, STORE_FULL);
	assert_int_equal(repo_acquire_blob(t->store, "a", &layer, 0),
	    STORE_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_hosts_deletion_comes_back_within_the_delay),
		TEST(test_hosts_blob_goes_when_its_manifest_has),
		TEST(test_hosts_blob_stays_when_nothing_is_known)
	};

	return cmocka_run_group_tests_name("store_hosts", tests, NULL, NULL);
}
