/* SPDX-License-Identifier: ISC */
/*
 * gc: what is none of a store, at each level of it.  It is passed over and
 * told, collection goes on, and what may lie behind it is not lost.
 */
#include "gc_tree.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "sysfs.h"

#define BLOBS		"docker/registry/v2/blobs"
#define LAYER		"behind it"
#define HIDING		1		/* all blobs stay */
#define HERE		2		/* that repository stays */

/* Repository h with an image, a with another, and rubbish in b. */
static struct digest manifest_of_h;

static void
put_image(struct tmp_store *t, const char *repo, const char *layer)
{
	const char *const blobs[] = { layer, NULL };
	struct manifest_put m = { .repo = repo, .artifact_type = "",
	    .mediatype = "application/kept" };
	struct digest ref = tmp_digest(layer), *missing;
	const char *tag = "v1";
	char body[1024];
	size_t n;

	tree_blob(t, repo, layer);
	m.data = tree_body(body, sizeof(body), blobs, NULL);
	m.len = strlen(body);
	m.digest = tmp_digest(body);
	m.refs = &ref;
	m.nrefs = 1;
	m.tags = &tag;
	m.ntags = 1;
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_OK);
	manifest_of_h = m.digest;
}

static void
prepare(struct tmp_store *t)
{
	tmp_open(t);
	put_image(t, "a", "used");
	put_image(t, "h", LAYER);
	tree_blob(t, "b", "unused");
	tree_age(t, HOUR);
}

static void
check_whole(struct tmp_store *t, const char *repo, const char *layer)
{
	struct digest d = tmp_digest(layer);

	assert_int_equal(repo_recheck_blob(t->store, repo, &d), STORE_OK);
	assert_int_equal(tag_get(t->store, repo, "v1", &d), STORE_OK);
	assert_int_equal(repo_recheck_manifest(t->store, repo, &d),
	    STORE_OK);
}

static bool
rubbish_is_linked(struct tmp_store *t)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest("unused");

	*strrchr(layout_layer(path, "b", &d), '/') = '\0';
	return tmp_exists(t, path);
}

/* ---- what an administrator has moved, and linked to ---- */

enum place {
	OF_PATH, OF_LAYER, OF_REVISION, OF_TAG, OF_DATA, OF_MANIFEST_DATA
};

static const struct moved {
	enum place	 place;
	unsigned	 up;		/* so many directories above it */
	int		 what;
} moved[] = {
	{ OF_PATH, 0, HIDING },		/* the repository */
	{ OF_LAYER, 0, HIDING }, { OF_LAYER, 1, HIDING },
	{ OF_LAYER, 2, HIDING }, { OF_LAYER, 3, HIDING },
	{ OF_REVISION, 0, HIDING }, { OF_REVISION, 1, HIDING },
	{ OF_REVISION, 2, HIDING }, { OF_REVISION, 3, HIDING },
	{ OF_REVISION, 4, HIDING },
	{ OF_TAG, 0, HERE }, { OF_TAG, 1, HERE }, { OF_TAG, 2, HERE },
	{ OF_TAG, 3, HERE },
	{ OF_DATA, 0, 0 }, { OF_DATA, 1, 0 }, { OF_DATA, 2, 0 },
	{ OF_DATA, 3, 0 },
	{ OF_MANIFEST_DATA, 0, 0 }, { OF_MANIFEST_DATA, 1, 0 },
	{ OF_MANIFEST_DATA, 2, 0 }
};

static char *
moved_path(char *path, const struct moved *m)
{
	struct digest layer = tmp_digest(LAYER);
	unsigned i;

	switch (m->place) {
	case OF_PATH:
		layout_repo(path, "h");
		break;
	case OF_LAYER:
		layout_layer(path, "h", &layer);
		break;
	case OF_REVISION:
		layout_revision(path, "h", &manifest_of_h);
		break;
	case OF_TAG:
		layout_tag_current(path, "h", "v1");
		break;
	case OF_DATA:
		layout_blob(path, &layer);
		break;
	case OF_MANIFEST_DATA:
		layout_blob(path, &manifest_of_h);
	}
	for (i = 0; i < m->up; i++)
		*strrchr(path, '/') = '\0';
	return path;
}

static void
check_moved(const struct moved *m, const struct gc_options *o)
{
	char path[LAYOUT_PATH_SIZE], from[2048], to[2048];
	struct gc_report report;
	struct tmp_store t;
	int i;

	prepare(&t);
	moved_path(path, m);
	snprintf(from, sizeof(from), "%s", tmp_path(&t, path));
	snprintf(to, sizeof(to), "%s", tmp_path(&t, "elsewhere"));
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(symlink(to, from), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(tree_collect_with(&t, o, &report),
		    STORE_OK);
		assert_int_equal(report.strange, 1);
		assert_string_equal(report.strange_paths[0], path);
		assert_int_equal(report.hiding, m->what == HIDING);
		if (i < 2)
			tree_age(&t, HOUR);
	}
	/* All else has been collected. */
	assert_false(rubbish_is_linked(&t));
	if (m->place != OF_DATA || m->up < 3)
		assert_true(tree_has_blob(&t, "unused") ==
		    (m->what == HIDING));
	/* Nothing is missing when it is put back. */
	assert_int_equal(unlink(from), 0);
	assert_int_equal(rename(to, from), 0);
	check_whole(&t, "h", LAYER);
	check_whole(&t, "a", "used");
	assert_int_equal(tmp_count(&t,
	    ".registryd/repositories/h/_mediatypes/sha256"), 1);
	assert_int_equal(tree_collect_with(&t, o, &report), STORE_OK);
	assert_int_equal(report.strange, 0);
	tmp_close(&t);
}

static void
test_gc_what_was_moved_and_linked_is_kept(void **state)
{
	struct gc_options o = tree_options;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		o.untagged_ms = GC_UNTAGGED_KEEP;
		check_moved(&moved[i], &o);
		o.untagged_ms = GRACE_MS;
		check_moved(&moved[i], &o);
	}
}

/* Half a store that is linked to is not collected at all. */
static void
test_gc_linked_halves_end_the_run(void **state)
{
	static const char *const halves[] = { BLOBS,
	    "docker/registry/v2/repositories", "docker/registry/v2",
	    "docker" };
	char from[2048], to[2048];
	struct gc_report report;
	struct tmp_store t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
		prepare(&t);
		snprintf(from, sizeof(from), "%s", tmp_path(&t, halves[i]));
		snprintf(to, sizeof(to), "%s", tmp_path(&t, "elsewhere"));
		assert_int_equal(rename(from, to), 0);
		assert_int_equal(symlink("elsewhere", from), 0);
		assert_int_equal(tree_collect_with(&t, &tree_options,
		    &report), STORE_INVALID);
		assert_int_equal(unlink(from), 0);
		assert_int_equal(rename(to, from), 0);
		assert_true(rubbish_is_linked(&t));
		check_whole(&t, "h", LAYER);
		tmp_close(&t);
	}
}

/* ---- strays ---- */

enum stray {
	STRAY_FILE, STRAY_FIFO, STRAY_SOCKET, STRAY_SYMLINK, STRAY_LOOP,
	STRAY_DIR, NSTRAYS
};

static void
make_stray(struct tmp_store *t, const char *path, enum stray stray)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char full[2048];
	int fd;

	snprintf(full, sizeof(full), "%s", tmp_path(t, path));
	switch (stray) {
	case STRAY_FILE:
		tmp_write(t, path, "nothing of ours");
		break;
	case STRAY_FIFO:
		assert_int_equal(mkfifo(full, 0600), 0);
		break;
	case STRAY_SOCKET:
		/* Names of sockets are short. */
		assert_true((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
		assert_true(strlen(t->dir) + 8 < sizeof(sun.sun_path));
		strcpy(sun.sun_path, t->dir);
		strcat(sun.sun_path, "/socket");
		assert_int_equal(bind(fd, (struct sockaddr *)&sun,
		    sizeof(sun)), 0);
		assert_int_equal(rename(sun.sun_path, full), 0);
		close(fd);
		break;
	case STRAY_SYMLINK:
		assert_int_equal(symlink("/nowhere/at/all", full), 0);
		break;
	case STRAY_LOOP:
		assert_int_equal(symlink(strrchr(path, '/') + 1, full), 0);
		break;
	case STRAY_DIR:
	case NSTRAYS:
		assert_int_equal(mkdir(full, 0700), 0);
	}
}

/* Where each is found, once however many phases meet it. */
static void
check_stray(const char *dir, const char *name, enum stray stray)
{
	bool is_link = stray == STRAY_SYMLINK || stray == STRAY_LOOP;
	bool beneath = strncmp(dir, LAYOUT_REPOSITORIES,
	    strlen(LAYOUT_REPOSITORIES)) == 0;
	bool tags = strstr(dir, "/tags") != NULL;
	struct gc_options o = tree_options;
	char path[LAYOUT_PATH_SIZE];
	struct gc_report report;
	struct tmp_store t;
	int i;

	o.untagged_ms = GRACE_MS;
	prepare(&t);
	assert_int_equal(layout_join(path, dir, name), 0);
	make_stray(&t, path, stray);
	for (i = 0; i < 3; i++) {
		assert_int_equal(tree_collect_with(&t, &o, &report),
		    STORE_OK);
		if (report.strange != 1)
			fail_msg("%s: %d strange", path,
			    (int)report.strange);
		assert_string_equal(report.strange_paths[0], path);
		assert_int_equal(report.hiding, is_link && beneath && !tags);
	}
	assert_true(tmp_exists(&t, path));
	assert_false(rubbish_is_linked(&t));
	assert_true(tree_has_blob(&t, "unused") == (report.hiding > 0));
	check_whole(&t, "h", LAYER);
	check_whole(&t, "a", "used");
	tmp_close(&t);
}

static void
test_gc_strays_at_each_level(void **state)
{
	static const char *const names[] = { "stray", "sha1" };
	char dirs[12][LAYOUT_PATH_SIZE];
	struct digest layer = tmp_digest(LAYER);
	size_t i, n = 0;
	int stray;

	(void)state;
	layout_repo(dirs[n++], "h");
	*strrchr(dirs[0], '/') = '\0';
	snprintf(dirs[n++], LAYOUT_PATH_SIZE, REPOS "h");
	snprintf(dirs[n++], LAYOUT_PATH_SIZE, REPOS "h/_layers");
	snprintf(dirs[n++], LAYOUT_PATH_SIZE, REPOS "h/_layers/sha256");
	snprintf(dirs[n++], LAYOUT_PATH_SIZE, REPOS "h/_manifests/revisions");
	snprintf(dirs[n++], LAYOUT_PATH_SIZE, REPOS
	    "h/_manifests/revisions/sha256");
	snprintf(dirs[n++], LAYOUT_PATH_SIZE, REPOS "h/_manifests/tags");
	snprintf(dirs[n++], LAYOUT_PATH_SIZE, REPOS
	    "h/_manifests/tags/v1/index");
	snprintf(dirs[n++], LAYOUT_PATH_SIZE, BLOBS);
	snprintf(dirs[n++], LAYOUT_PATH_SIZE, BLOBS "/sha256");
	layout_blob(dirs[n], &layer);
	*strrchr(dirs[n], '/') = '\0';
	*strrchr(dirs[n++], '/') = '\0';
	snprintf(dirs[n++], LAYOUT_PATH_SIZE, LAYOUT_OWN_REPOSITORIES);
	for (i = 0; i < n; i++)
		for (stray = 0; stray < STRAY_DIR; stray++)
			check_stray(dirs[i], names[i % 2],
			    (enum stray)stray);
}

/* In place of what says where things are: damage, but not the end. */
static void
check_replaced(const struct moved *m, enum stray stray)
{
	struct gc_report report;
	char path[LAYOUT_PATH_SIZE];
	struct tmp_store t;
	int i;

	prepare(&t);
	assert_int_equal(unlink(tmp_path(&t, moved_path(path, m))), 0);
	make_stray(&t, path, stray);
	for (i = 0; i < 3; i++) {
		assert_int_equal(tree_collect_with(&t, &tree_options,
		    &report), STORE_OK);
		assert_int_equal(report.strange, 1);
		assert_string_equal(report.strange_paths[0], path);
		assert_int_equal(report.damaged > 0, m->place != OF_DATA);
	}
	assert_true(tmp_exists(&t, path));
	assert_false(rubbish_is_linked(&t));
	check_whole(&t, "a", "used");
	if (m->place != OF_DATA)
		assert_true(tree_has_blob(&t, LAYER));
	tmp_close(&t);
}

static void
test_gc_strays_in_place_of_files(void **state)
{
	static const struct moved places[] = { { OF_LAYER, 0, 0 },
	    { OF_REVISION, 0, 0 }, { OF_TAG, 0, 0 }, { OF_DATA, 0, 0 },
	    { OF_MANIFEST_DATA, 0, 0 } };
	int stray;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (stray = STRAY_FIFO; stray < NSTRAYS; stray++)
			check_replaced(&places[i], (enum stray)stray);
}

/* Of many all are counted, and the first named. */
static void
test_gc_many_strays(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE];
	struct gc_report report;
	int i;

	tree_image(t, "a", "used", "v1");
	for (i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), REPOS "a/_layers/%d", i);
		tmp_write(t, path, "");
	}
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.strange, 3000);
	for (i = 0; i < GC_STRANGE_PATHS; i++)
		assert_true(strncmp(report.strange_paths[i], REPOS
		    "a/_layers/", strlen(REPOS "a/_layers/")) == 0);
}

/* ---- errors are none of that ---- */

static struct {
	const char	*name;
	int		 error;
	bool		 met;
} refusal;

static int
on_refused(const struct sysfs_call *call, void *arg)
{
	size_t len = strlen(refusal.name), n;

	(void)arg;
	if (call->kind != SYSFS_OPEN || call->name == NULL ||
	    (n = strlen(call->name)) < len ||
	    strcmp(call->name + n - len, refusal.name) != 0)
		return 0;
	refusal.met = true;
	return refusal.error;
}

static void
test_gc_directories_that_cannot_be_read_end_the_run(void **state)
{
	static const char *const names[] = { "repositories", "/h", "_layers",
	    "_layers/sha256", "revisions", "revisions/sha256", "tags", "tags",
	    "blobs", "blobs/sha256" };
	static const int errors[] = { EIO, EACCES, ENOMEM, EMFILE };
	struct gc_report report;
	struct tmp_store t;
	uint64_t before;
	size_t i, e;

	(void)state;
	prepare(&t);
	before = tree_hash(&t);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
			refusal.name = names[i];
			refusal.error = errors[e];
			refusal.met = false;
			sysfs_set_hook(on_refused, NULL);
			assert_int_not_equal(tree_collect_with(&t,
			    &tree_options, &report), STORE_OK);
			sysfs_set_hook(NULL, NULL);
			assert_true(refusal.met);
			assert_true(tree_hash(&t) == before);
		}
	tmp_close(&t);
}

/* What is left out of listings of files is no temporary file. */
static void
test_gc_link_with_the_name_of_a_temporary_file(void **state)
{
	struct gc_report report;
	struct tmp_store t;

	(void)state;
	prepare(&t);
	make_stray(&t, REPOS "x.tmp", STRAY_SYMLINK);
	assert_int_equal(tree_collect_with(&t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.hiding, 1);
	assert_true(tree_has_blob(&t, "unused"));
	tmp_close(&t);
}

/* The file system's own, which nobody but root may enter. */
static void
test_gc_lost_and_found(void **state)
{
	static const char *const dirs[] = { LAYOUT_REPOSITORIES, BLOBS,
	    BLOBS "/sha256", REPOS "h/_layers" };
	char path[LAYOUT_PATH_SIZE];
	struct gc_report report;
	struct tmp_store t;
	char **names;
	size_t i, n;
	bool more;

	(void)state;
	prepare(&t);
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/lost+found", dirs[i]);
		make_stray(&t, path, STRAY_DIR);
	}
	refusal.name = "lost+found";
	refusal.error = EACCES;
	refusal.met = false;
	for (i = 0; i < 3; i++) {
		sysfs_set_hook(on_refused, NULL);
		assert_int_equal(tree_collect_with(&t, &tree_options,
		    &report), STORE_OK);
		assert_int_equal(repo_list(t.store, NULL, 10, &names, &n,
		    &more), STORE_OK);
		sysfs_set_hook(NULL, NULL);
		assert_int_equal(report.strange, 4);
		store_names_free(names, n);
	}
	assert_false(refusal.met);
	assert_false(tree_has_blob(&t, "unused"));
	check_whole(&t, "h", LAYER);
	tmp_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gc_what_was_moved_and_linked_is_kept),
		cmocka_unit_test(test_gc_linked_halves_end_the_run),
		cmocka_unit_test(test_gc_strays_at_each_level),
		cmocka_unit_test(test_gc_strays_in_place_of_files),
		cmocka_unit_test_setup_teardown(test_gc_many_strays,
		    tmp_setup, tmp_teardown),
		cmocka_unit_test(
		    test_gc_directories_that_cannot_be_read_end_the_run),
		cmocka_unit_test(
		    test_gc_link_with_the_name_of_a_temporary_file),
		cmocka_unit_test(test_gc_lost_and_found)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
