/* SPDX-License-Identifier: ISC */
/*
 * gc: what goes, what stays, in which steps, and how it comes back.
 */
#include "gc_tree.h"

#include "sysfs.h"

static void
test_gc_empty_store(void **state)
{
	struct gc_report report;

	assert_int_equal(tree_collect_with(*state, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.damaged, 0);
}

static void
test_gc_takes_two_runs_and_keeps_what_is_used(void **state)
{
	struct tmp_store *t = *state;
	struct gc_report report;

	tree_image(t, "a", "used", "v1");
	tree_blob(t, "a", "unused");
	tree_age(t, HOUR);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.counts[GC_BLOBS].condemned, 1);
	assert_int_equal(report.counts[GC_BLOBS].live, 2);
	assert_int_equal(report.counts[GC_LAYERS].condemned, 1);
	assert_int_equal(report.condemned_bytes, 6);
	assert_false(tree_has_blob(t, "unused"));
	assert_int_equal(tree_names(t, "unused"), 1);
	assert_true(tree_has_blob(t, "used"));

	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.counts[GC_BLOBS].deleted, 1);
	assert_int_equal(report.counts[GC_LAYERS].deleted, 1);
	assert_int_equal(report.deleted_bytes, 6);
	assert_int_equal(tree_names(t, "unused"), 0);
	assert_true(tree_has_blob(t, "used"));

	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.counts[GC_BLOBS].live, 2);
	assert_int_equal(report.counts[GC_BLOBS].deleted, 0);
	assert_int_equal(report.manifests_read, 1);
}


/* Every path in the store but our own lock and clock, as one hash. */
static uint64_t tree_hash;

static int
hash_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	uint64_t h = 0xcbf29ce484222325u;

	(void)st;
	(void)type;
	(void)ftw;
	if (strstr(path, "/.registryd/locks") != NULL ||
	    strstr(path, "/.registryd/clock") != NULL ||
	    strstr(path, "/.registryd/tmp") != NULL)
		return 0;
	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * 0x100000001b3u;
	tree_hash += h;
	return 0;
}

static uint64_t
hash_tree(struct tmp_store *t)
{
	tree_hash = 0;
	assert_int_equal(nftw(t->dir, hash_one, 16, FTW_PHYS), 0);
	return tree_hash;
}

static void
collect_times(struct tmp_store *t, const struct gc_options *o, unsigned n)
{
	while (n-- > 0)
		assert_int_equal(tree_collect_with(t, o, NULL), STORE_OK);
}

static bool
has_manifest(struct tmp_store *t, const char *repo, const char *body)
{
	struct digest d = tmp_digest(body);
	struct store_stat st;

	return repo_stat_manifest(t->store, repo, &d, &st) == STORE_OK;
}

static void
test_gc_leaves_what_is_young(void **state)
{
	struct tmp_store *t = *state;

	tree_blob(t, "a", "unused");
	tree_age(t, GRACE_MS / 1000 - 10);
	collect_times(t, &tree_options, 3);
	assert_true(tree_has_blob(t, "unused"));
	tree_age(t, 20);
	tree_collect(t);
	assert_false(tree_has_blob(t, "unused"));
}

static void
test_gc_waits_for_the_delay(void **state)
{
	struct gc_options o = tree_options;
	struct gc_report report;

	tree_blob(*state, "a", "unused");
	tree_age(*state, HOUR);
	o.delay_ms = HOUR * 1000;
	collect_times(*state, &o, 1);
	assert_int_equal(tree_collect_with(*state, &o, &report), STORE_OK);
	assert_int_equal(report.counts[GC_BLOBS].waiting, 1);
	assert_int_equal(report.waiting_bytes, 6);
	assert_int_equal(tree_names(*state, "unused"), 1);
}

/* r1: a HEAD, then time, then the manifest. */
static void
test_r1_a_lease_keeps_an_old_blob(void **state)
{
	static const char *const blobs[] = { "old", NULL };
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("old");
	char body[1024];

	tree_blob(t, "a", "old");
	tree_age(t, HOUR);
	assert_int_equal(repo_acquire_blob(t->store, "a", &d,
	    GRACE_MS / REPO_RENEW_PART), STORE_OK);
	collect_times(t, &tree_options, 4);
	assert_true(tree_has_blob(t, "old"));
	tree_body(body, sizeof(body), blobs, NULL);
	assert_int_equal(tree_put(t, "a", body, blobs, "v1"), STORE_OK);
}

/* r1, when the blob and its link were condemned already. */
static void
test_r1_a_lease_brings_it_back(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("old");

	tree_blob(t, "a", "old");
	tree_age(t, HOUR);
	tree_collect(t);
	assert_false(tree_has_blob(t, "old"));
	assert_int_equal(repo_acquire_blob(t->store, "a", &d, 1000),
	    STORE_OK);
	assert_true(tree_has_blob(t, "old"));
	collect_times(t, &tree_options, 4);
	assert_true(tree_has_blob(t, "old"));
}

/* r2: the manifest comes too late. */
static void
test_r2_a_late_manifest_is_refused(void **state)
{
	static const char *const blobs[] = { "old", NULL };
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("old");
	char body[1024];

	tree_blob(t, "a", "old");
	assert_int_equal(repo_acquire_blob(t->store, "a", &d, 1000),
	    STORE_OK);
	tree_age(t, HOUR);
	collect_times(t, &tree_options, 2);
	tree_body(body, sizeof(body), blobs, NULL);
	assert_int_equal(tree_put(t, "a", body, blobs, "v1"), STORE_MISSING);
	assert_int_equal(tmp_count(t, REPOS "a/_manifests/tags"), -1);
	tree_blob(t, "a", "old");
	assert_int_equal(tree_put(t, "a", body, blobs, "v1"), STORE_OK);
}

/* r5: the same bytes once more, while the old ones are condemned. */
static void
test_r5_upload_again_and_restore(void **state)
{
	static const char *const blobs[] = { "twice", NULL };
	struct tmp_store *t = *state;
	char body[1024];

	tree_blob(t, "a", "twice");
	tree_age(t, HOUR);
	tree_collect(t);
	tree_blob(t, "a", "twice");
	tree_body(body, sizeof(body), blobs, NULL);
	assert_int_equal(tree_put(t, "a", body, blobs, "v1"), STORE_OK);
	assert_int_equal(tree_names(t, "twice"), 2);
	tree_age(t, HOUR);
	collect_times(t, &tree_options, 2);
	assert_true(tree_has_blob(t, "twice"));
	assert_int_equal(tree_names(t, "twice"), 1);
}

static void
test_r14_one_of_many_repositories_goes(void **state)
{
	struct tmp_store *t = *state;
	struct gc_report report;
	struct digest d;

	(void)tree_image(t, "a", "shared", "v1");
	(void)tree_image(t, "b", "shared", "v1");
	d = tmp_digest(tree_image(t, "a/b", "shared", "v1"));
	tree_age(t, HOUR);
	assert_int_equal(repo_delete_manifest(t->store, "a", &d), STORE_OK);
	assert_int_equal(repo_delete_manifest(t->store, "a/b", &d),
	    STORE_OK);
	tree_age(t, HOUR);
	collect_times(t, &tree_options, 2);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_true(tree_has_blob(t, "shared"));
	assert_int_equal(report.manifests_read, 1);
	assert_int_equal(report.repositories, 1);
	tree_age(t, HOUR);
	tree_collect(t);
	assert_false(tmp_exists(t, REPOS "a"));
	assert_true(tmp_exists(t, REPOS "b"));
}

static void
test_gc_reads_a_manifest_once(void **state)
{
	struct tmp_store *t = *state;
	struct gc_report report;
	char repo[32];
	int i;

	for (i = 0; i < 20; i++) {
		snprintf(repo, sizeof(repo), "r%d", i);
		(void)tree_image(t, repo, "shared", "v1");
	}
	tree_age(t, HOUR);
	collect_times(t, &tree_options, 2);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.repositories, 20);
	assert_int_equal(report.manifests_read, 1);
	assert_int_equal(report.counts[GC_LAYERS].live, 20);
}

/* r15: sha512 as such, and as distribution stores it. */
static void
test_r15_sha512(void **state)
{
	struct tmp_store *t = *state;
	char body[1024], text[DIGEST_STR_SIZE], path[LAYOUT_PATH_SIZE];
	struct digest own, alias, target = tmp_digest("distribution's");
	struct manifest_put m = { .repo = "a", .artifact_type = "" };
	struct digest refs[2], *missing;
	size_t n;

	assert_int_equal(digest_of(&own, DIGEST_SHA512, "ours", 4), 0);
	assert_int_equal(digest_of(&alias, DIGEST_SHA512, "distribution's",
	    14), 0);
	tmp_write(t, layout_blob(path, &own), "ours");
	tmp_write(t, layout_layer(path, "a", &own), digest_format(text,
	    &own));
	tmp_write(t, layout_blob(path, &target), "distribution's");
	digest_format(text, &target);
	tmp_write(t, layout_layer(path, "a", &alias), text);
	tmp_write(t, layout_layer(path, "a", &target), text);
	n = (size_t)snprintf(body, sizeof(body), "[\"%s\",",
	    digest_format(text, &own));
	snprintf(body + n, sizeof(body) - n, "\"%s\"]", digest_format(text,
	    &alias));
	m.data = body;
	m.len = strlen(body);
	assert_int_equal(digest_of(&m.digest, DIGEST_SHA512, body,
	    strlen(body)), 0);
	refs[0] = own;
	refs[1] = alias;
	m.refs = refs;
	m.nrefs = 2;
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_OK);
	tree_age(t, HOUR);
	collect_times(t, &tree_options, 3);
	for (n = 0; n < 2; n++)
		assert_int_equal(repo_stat_blob(t->store, "a", &refs[n],
		    &(struct store_stat){ 0 }), STORE_OK);
	assert_true(tmp_exists(t, layout_blob(path, &m.digest)));
}

/* ---- manifests without a tag ---- */

static const struct gc_options untagged_options = {
	.grace_ms = GRACE_MS, .untagged_ms = GRACE_MS
};

static void
test_gc_keeps_untagged_unless_told(void **state)
{
	struct tmp_store *t = *state;
	char body[4096];

	snprintf(body, sizeof(body), "%s", tree_image(t, "a", "x", NULL));
	tree_age(t, HOUR);
	collect_times(t, &tree_options, 4);
	assert_true(has_manifest(t, "a", body));
	assert_true(tree_has_blob(t, "x"));
	collect_times(t, &untagged_options, 1);
	assert_false(has_manifest(t, "a", body));
	assert_true(tree_has_blob(t, "x"));
	collect_times(t, &untagged_options, 4);
	assert_false(tree_has_blob(t, "x"));
	assert_int_equal(tree_names(t, body), 0);
	/* All of it is gone. */
	tree_age(t, HOUR);
	collect_times(t, &untagged_options, 1);
	assert_int_equal(tmp_count(t, LAYOUT_REPOSITORIES), 0);
}

static void
test_r11_a_tag_that_moved_keeps_for_a_while(void **state)
{
	struct tmp_store *t = *state;
	char first[4096], second[4096];

	snprintf(first, sizeof(first), "%s", tree_image(t, "a", "1", "v"));
	tree_age(t, HOUR);
	snprintf(second, sizeof(second), "%s", tree_image(t, "a", "2", "v"));
	collect_times(t, &untagged_options, 3);
	assert_true(has_manifest(t, "a", first));
	tree_age(t, HOUR);
	collect_times(t, &untagged_options, 3);
	assert_false(has_manifest(t, "a", first));
	assert_true(has_manifest(t, "a", second));
	assert_int_equal(tmp_count(t, REPOS "a/_manifests/tags/v/index/"
	    "sha256"), 1);
}

/* r12: a child of two indexes, one of which has a tag. */
static void
test_r12_children_of_what_is_live(void **state)
{
	struct tmp_store *t = *state;
	char child[4096], index[1024], outer[1024];
	const char *children[] = { child, NULL };
	const char *indexes[] = { index, NULL };

	snprintf(child, sizeof(child), "%s", tree_image(t, "a", "x", NULL));
	tree_body(index, sizeof(index), NULL, children);
	assert_int_equal(tree_put(t, "a", index, NULL, NULL), STORE_OK);
	tree_body(outer, sizeof(outer), NULL, indexes);
	assert_int_equal(tree_put(t, "a", outer, NULL, "all"), STORE_OK);
	tree_age(t, HOUR);
	collect_times(t, &untagged_options, 4);
	assert_true(has_manifest(t, "a", child));
	assert_true(has_manifest(t, "a", index));
	assert_true(tree_has_blob(t, "x"));
	assert_int_equal(repo_delete_tag(t->store, "a", "all"), STORE_OK);
	tree_age(t, HOUR);
	collect_times(t, &untagged_options, 6);
	assert_false(has_manifest(t, "a", child));
	assert_false(tree_has_blob(t, "x"));
}

/* A chain in which each index names the next one twice. */
static void
test_gc_deep_index(void **state)
{
	struct tmp_store *t = *state;
	char bodies[32][4096];
	const char *children[3] = { NULL };
	int i;

	snprintf(bodies[0], sizeof(bodies[0]), "%s",
	    tree_image(t, "a", "x", NULL));
	for (i = 1; i < 31; i++) {
		children[0] = children[1] = bodies[i - 1];
		tree_body(bodies[i], sizeof(bodies[i]), NULL, children);
		assert_int_equal(tree_put(t, "a", bodies[i], NULL,
		    i == 30 ? "top" : NULL), STORE_OK);
	}
	tree_age(t, HOUR);
	collect_times(t, &untagged_options, 3);
	for (i = 0; i < 31; i++)
		assert_true(has_manifest(t, "a", bodies[i]));
	assert_true(tree_has_blob(t, "x"));
}

static void
put_referrer(struct tmp_store *t, const char *body, const char *subject)
{
	struct manifest_put m = { .repo = "a", .data = body,
	    .len = strlen(body), .artifact_type = "application/x",
	    .mediatype = "application/kept", .has_subject = true };
	struct digest *missing;
	size_t n;

	m.digest = tmp_digest(body);
	m.subject = tmp_digest(subject);
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_OK);
}

/* r13: the referrer is there before its subject, and after. */
static void
test_r13_referrers_of_what_is_live(void **state)
{
	static const char *const blobs[] = { "x", NULL };
	struct tmp_store *t = *state;
	char subject[1024], body[1024], text[DIGEST_STR_SIZE];
	struct digest d;

	tree_blob(t, "a", "x");
	tree_body(subject, sizeof(subject), blobs, NULL);
	d = tmp_digest(subject);
	snprintf(body, sizeof(body), "{\"subject\":{\"digest\":\"%s\"}}",
	    digest_format(text, &d));
	put_referrer(t, body, subject);
	assert_int_equal(tree_put(t, "a", subject, blobs, "v1"), STORE_OK);
	tree_age(t, HOUR);
	collect_times(t, &untagged_options, 4);
	assert_true(has_manifest(t, "a", body));
	assert_int_equal(tmp_count(t, ".registryd/repositories/a/_subjects/"
	    "sha256"), 1);
	assert_int_equal(repo_delete_manifest(t->store, "a", &d), STORE_OK);
	tree_age(t, HOUR);
	collect_times(t, &untagged_options, 5);
	assert_false(has_manifest(t, "a", body));
	assert_int_equal(tmp_count(t, ".registryd/repositories"), 0);
}

/* ---- trouble ---- */

static struct {
	unsigned long	 calls, fail_at;
	bool		 dead;		/* all calls after it fail as well */
} trouble;

static int
on_trouble(const struct sysfs_call *call, void *arg)
{
	(void)arg;
	trouble.calls++;
	if (trouble.calls == trouble.fail_at ||
	    (trouble.dead && trouble.calls > trouble.fail_at))
		return call->kind == SYSFS_CLOSE ? 0 : EIO;
	return 0;
}

/* Two images, rubbish, and rubbish that is condemned already. */
static void
prepare_trouble(struct tmp_store *t)
{
	tmp_open(t);
	tree_blob(t, "b", "condemned");
	tree_age(t, HOUR);
	tree_collect(t);
	(void)tree_image(t, "a", "used", "v1");
	(void)tree_image(t, "z", "used too", "v1");
	tree_blob(t, "b", "unused");
	tree_age(t, HOUR);
}

static void
check_trouble(struct tmp_store *t)
{
	static const char *const used[] = { "used", "used too" };
	static const char *const repos[] = { "a", "z" };
	struct digest d;
	size_t i;

	for (i = 0; i < 2; i++) {
		d = tmp_digest(used[i]);
		assert_int_equal(repo_recheck_blob(t->store, repos[i], &d),
		    STORE_OK);
		assert_int_equal(tag_get(t->store, repos[i], "v1", &d),
		    STORE_OK);
		assert_int_equal(repo_recheck_manifest(t->store, repos[i],
		    &d), STORE_OK);
	}
}

/* r16, r19: an error, or death, at each call. */
static void
trouble_everywhere(bool dead)
{
	struct gc_report report;
	struct tmp_store t;
	enum store_result r;
	uint64_t before;
	bool met = true;

	trouble.dead = dead;
	for (trouble.fail_at = 1; met; trouble.fail_at += 3) {
		prepare_trouble(&t);
		before = hash_tree(&t);
		trouble.calls = 0;
		sysfs_set_hook(on_trouble, NULL);
		r = tree_collect_with(&t, &tree_options, &report);
		sysfs_set_hook(NULL, NULL);
		met = trouble.calls >= trouble.fail_at;
		/* While marking, not a name may change. */
		if (r != STORE_OK && report.phase_number < 5)
			assert_true(hash_tree(&t) == before);
		/* After a failed sync this process would not go on. */
		store_free(t.store);
		t.store = tmp_reopen(t.dir, true, STORE_FULL);
		check_trouble(&t);
		collect_times(&t, &tree_options, 3);
		check_trouble(&t);
		assert_int_equal(tree_names(&t, "unused"), 0);
		assert_int_equal(tree_names(&t, "condemned"), 0);
		tmp_close(&t);
	}
	assert_true(trouble.fail_at > 100);
}

static void
test_r19_an_error_ends_the_run(void **state)
{
	(void)state;
	trouble_everywhere(false);
}

static void
test_r16_death_at_each_call(void **state)
{
	(void)state;
	trouble_everywhere(true);
}

static int
on_vanish(const struct sysfs_call *call, void *arg)
{
	struct tmp_store *t = arg;
	struct store *s;

	(void)call;
	if (++trouble.calls != trouble.fail_at)
		return 0;
	sysfs_set_hook(NULL, NULL);
	s = tmp_reopen(t->dir, true, STORE_NONE);
	(void)store_remove_tree(s, REPOS "m", 0);
	store_free(s);
	return 0;
}

/* r20: what vanishes takes nothing else with it. */
static void
test_r20_a_repository_vanishes(void **state)
{
	struct tmp_store t;
	bool met = true;

	(void)state;
	for (trouble.fail_at = 1; met; trouble.fail_at += 5) {
		prepare_trouble(&t);
		(void)tree_image(&t, "m", "goes", "v1");
		trouble.calls = 0;
		sysfs_set_hook(on_vanish, &t);
		assert_int_equal(tree_collect_with(&t, &tree_options, NULL),
		    STORE_OK);
		sysfs_set_hook(NULL, NULL);
		met = trouble.calls >= trouble.fail_at;
		check_trouble(&t);
		collect_times(&t, &tree_options, 2);
		check_trouble(&t);
		tmp_close(&t);
	}
}

static int
on_tags_opened(const struct sysfs_call *call, void *arg)
{
	if (call->name == NULL ||
	    strcmp(call->name, REPOS "a/_manifests/tags") != 0)
		return 0;
	sysfs_set_hook(NULL, NULL);
	(void)tree_image(arg, "a", "just now", "new");
	return 0;
}

/* A manifest that comes between the look at revisions and that at tags. */
static void
test_gc_a_tag_that_is_new_is_no_damage(void **state)
{
	struct gc_report report;
	struct tmp_store t;

	(void)state;
	prepare_trouble(&t);
	sysfs_set_hook(on_tags_opened, &t);
	assert_int_equal(tree_collect_with(&t, &tree_options, &report),
	    STORE_OK);
	sysfs_set_hook(NULL, NULL);
	assert_true(tree_has_blob(&t, "just now"));
	assert_int_equal(report.damaged, 0);
	check_trouble(&t);
	tmp_close(&t);
}

/* r17, r18: all times lie ahead, or all are equally old. */
static void
test_r17_times_of_a_backup(void **state)
{
	struct tmp_store *t = *state;

	(void)tree_image(t, "a", "used", "v1");
	tree_blob(t, "a", "unused");
	tree_age(t, -24 * 365 * HOUR);
	collect_times(t, &tree_options, 3);
	assert_true(tree_has_blob(t, "unused"));
	tree_age(t, 48 * 365 * HOUR);
	collect_times(t, &tree_options, 3);
	assert_int_equal(tree_names(t, "unused"), 0);
	assert_true(tree_has_blob(t, "used"));
}

static void
test_gc_half_a_store_is_refused(void **state)
{
	struct tmp_store *t = *state;
	struct gc_report report;

	(void)tree_image(t, "a", "used", "v1");
	tree_age(t, HOUR);
	assert_int_equal(rename(tmp_path(t,
	    "docker/registry/v2/repositories"), t->dir), -1);
	assert_int_equal(store_move(t->store,
	    "docker/registry/v2/repositories", "elsewhere", 0), STORE_OK);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_INVALID);
	assert_true(tree_has_blob(t, "used"));
}

static void
test_gc_one_at_a_time(void **state)
{
	struct tmp_store *t = *state;
	struct gc *first, *second;
	bool done;

	assert_non_null(first = gc_new(t->store, &tree_options));
	assert_non_null(second = gc_new(t->store, &tree_options));
	assert_int_equal(gc_step(first, 0, &done), STORE_OK);
	assert_int_equal(gc_step(second, 0, &done), STORE_BUSY);
	gc_free(first);
	gc_free(second);
	tree_collect(t);
}

static void
test_gc_dry_run_changes_nothing(void **state)
{
	struct gc_options o = tree_options;
	struct gc_report report;
	struct tmp_store t;
	uint64_t before;

	(void)state;
	prepare_trouble(&t);
	before = hash_tree(&t);
	o.dryrun = true;
	assert_int_equal(tree_collect_with(&t, &o, &report), STORE_OK);
	assert_true(hash_tree(&t) == before);
	assert_int_equal(report.counts[GC_BLOBS].condemned, 1);
	assert_int_equal(report.counts[GC_BLOBS].deleted, 1);
	tmp_close(&t);
}

/* ---- a tree that has seen years ---- */

static void
test_gc_years_of_distribution(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE], half[LAYOUT_PATH_SIZE];
	char text[DIGEST_STR_SIZE], junk[64];
	struct digest d, gone = tmp_digest("gone");
	struct digest used = tmp_digest("used");
	struct gc_report report;
	int i;

	(void)tree_image(t, "a", "used", "v1");
	(void)tree_image(t, "a/b", "used", "v1");
	(void)tree_image(t, "aa", "used", "v1");
	(void)tree_image(t, "a-b", "other", "v1");
	(void)tree_image(t, "Not_A-Name", "third", "v1");
	(void)tree_image(t, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", "deep",
	    "v1");
	tree_blob(t, "a", "unused");
	/* Links of nothing: of a layer, of a revision, of a tag. */
	d = tmp_digest("used");
	tmp_write(t, layout_layer(path, "a/b", &d), "");
	d = tmp_digest(tree_image(t, "x", "behind an empty link", NULL));
	tmp_write(t, layout_revision(path, "x", &d), "");
	tmp_write(t, REPOS "a/_manifests/tags/empty/current/link", "");
	/* A tag, and an entry of its history, of a manifest that is gone. */
	digest_format(text, &gone);
	tmp_write(t, layout_tag_current(path, "a", "dangling"), text);
	tmp_write(t, layout_tag_index(path, "a", "dangling", &gone), text);
	tmp_write(t, layout_tag_index(path, "a", "v1", &gone), text);
	/* Directories half made, strange files, temporary ones. */
	tmp_write(t, REPOS "half/_layers/sha256/x", "");
	*strrchr(layout_layer(half, "a", &gone), '/') = '\0';
	assert_int_equal(mkdir(tmp_path(t, half), 0777), 0);
	tmp_write(t, REPOS "file", "");
	tmp_write(t, REPOS "a/_manifests/tags/v1/current/link.1-2.tmp", "");
	*strrchr(layout_layer(path, "a", &used), '/') = '\0';
	strcat(path, "/link.0b-1c.tmp");
	tmp_write(t, path, "");
	tmp_write(t, REPOS "a/_layers/README", "");
	tmp_write(t, "docker/registry/v2/blobs/sha256/xy", "");
	for (i = 0; i < 2000; i++) {
		snprintf(junk, sizeof(junk), REPOS "a/_junk/%d", i);
		tmp_write(t, junk, "");
	}
	tree_age(t, HOUR);
	for (i = 0; i < 4; i++)
		assert_int_equal(tree_collect_with(t, &tree_options,
		    &report), STORE_OK);
	assert_true(tree_has_blob(t, "used"));
	assert_true(tree_has_blob(t, "other"));
	assert_true(tree_has_blob(t, "third"));
	assert_true(tree_has_blob(t, "deep"));
	assert_true(tree_has_blob(t, "behind an empty link"));
	assert_int_equal(tree_names(t, "unused"), 0);
	assert_true(tmp_exists(t, layout_tag_current(path, "a",
	    "dangling")));
	assert_false(tmp_exists(t, layout_tag_index(path, "a", "v1",
	    &gone)));
	assert_false(tmp_exists(t, REPOS "a/_manifests/tags/v1/current/"
	    "link.1-2.tmp"));
	*strrchr(layout_layer(path, "a", &used), '/') = '\0';
	strcat(path, "/link.0b-1c.tmp");
	assert_false(tmp_exists(t, path));
	assert_true(tmp_exists(t, REPOS "file"));
	assert_int_equal(tmp_count(t, REPOS "a/_junk"), 2000);
	assert_false(tmp_exists(t, half));
	assert_true(report.damaged >= 3);
	assert_true(report.path[0] != '\0');
}

/* Bytes that are lost or wrong: what they may have named stays. */
static void
test_gc_damaged_manifest_keeps_its_repository(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE];
	struct gc_report report;
	struct digest d;

	d = tmp_digest(tree_image(t, "a", "needed", "v1"));
	tree_blob(t, "b", "unused");
	tmp_write(t, layout_blob(path, &d), "{\"layers\":[]}");
	tree_age(t, HOUR);
	collect_times(t, &tree_options, 2);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.damaged, 1);
	assert_string_equal(report.path, path);
	assert_true(tree_has_blob(t, "needed"));
	assert_int_equal(tree_names(t, "unused"), 0);
}

/* A PUT that died, and names that only a crash leaves. */
static void
test_gc_leftovers(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE], body[1024];
	static const char *const blobs[] = { "x", NULL };
	struct digest d;

	tree_blob(t, "a", "x");
	tree_body(body, sizeof(body), blobs, NULL);
	d = tmp_digest(body);
	tmp_write(t, layout_blob(path, &d), body);
	tmp_write(t, layout_pending(path, "a", &d, 7), digest_format(text,
	    &d));
	tree_collect(t);
	assert_true(tmp_exists(t, path));
	tree_age(t, HOUR);
	tree_collect(t);
	assert_false(tmp_exists(t, path));
	assert_true(tree_has_blob(t, "x"));
	collect_times(t, &tree_options, 2);
	assert_int_equal(tree_names(t, "x"), 0);
	assert_int_equal(tree_names(t, body), 0);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)
	const struct CMUnitTest tests[] = {
		T(test_gc_empty_store),
		T(test_gc_takes_two_runs_and_keeps_what_is_used),
		T(test_gc_leaves_what_is_young),
		T(test_gc_waits_for_the_delay),
		T(test_r1_a_lease_keeps_an_old_blob),
		T(test_r1_a_lease_brings_it_back),
		T(test_r2_a_late_manifest_is_refused),
		T(test_r5_upload_again_and_restore),
		T(test_r14_one_of_many_repositories_goes),
		T(test_gc_reads_a_manifest_once),
		T(test_r15_sha512),
		T(test_gc_keeps_untagged_unless_told),
		T(test_r11_a_tag_that_moved_keeps_for_a_while),
		T(test_r12_children_of_what_is_live),
		T(test_gc_deep_index),
		T(test_r13_referrers_of_what_is_live),
		cmocka_unit_test(test_r19_an_error_ends_the_run),
		cmocka_unit_test(test_r16_death_at_each_call),
		cmocka_unit_test(test_r20_a_repository_vanishes),
		cmocka_unit_test(test_gc_a_tag_that_is_new_is_no_damage),
		T(test_r17_times_of_a_backup),
		T(test_gc_half_a_store_is_refused),
		T(test_gc_one_at_a_time),
		cmocka_unit_test(test_gc_dry_run_changes_nothing),
		T(test_gc_years_of_distribution),
		T(test_gc_damaged_manifest_keeps_its_repository),
		T(test_gc_leftovers)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
