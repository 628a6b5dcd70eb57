/* SPDX-License-Identifier: ISC */
/*
 * Each operation of the store is watched for names that become visible
 * before what they point to has been synced, and for what it costs.
 */
#include "store_operations.h"

#include "clock.h"
#include "sysfs.h"

#define MAX_DIRTY	256
#define SLOW_US		8000	/* what a sync of all takes, and one */
#define QUICK_US	10

/*
 * The store decides by time how a barrier is passed; so the linker sends it
 * to a clock that only the tests move.
 */
static uint64_t fake_us;

uint64_t	 __wrap_clock_monotonic_us(void);

uint64_t
__wrap_clock_monotonic_us(void)
{
	return fake_us;
}

struct watch {
	struct tmp_store *t;
	const char	*op;
	/* names that a power cut could still take away */
	struct {
		ino_t		 dir;
		char		 name[256];
	}		 edges[MAX_DIRTY];
	size_t		 nedges;
	/* files whose bytes could be lost */
	ino_t		 files[MAX_DIRTY];
	size_t		 nfiles;
	bool		 slow;		/* a sync of all takes its time */
	unsigned	 visible;	/* names checked */
};

static ino_t
fd_ino(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void
forget_edge(struct watch *w, ino_t dir, const char *name)
{
	size_t i;

	for (i = 0; i < w->nedges;) {
		if (w->edges[i].dir == dir && (name == NULL ||
		    strcmp(w->edges[i].name, name) == 0))
			w->edges[i] = w->edges[--w->nedges];
		else
			i++;
	}
}

static void
add_edge(struct watch *w, ino_t dir, const char *name)
{
	forget_edge(w, dir, name);
	assert_true(w->nedges < MAX_DIRTY);
	w->edges[w->nedges].dir = dir;
	snprintf(w->edges[w->nedges++].name, 256, "%s", name);
}

static void
set_file(struct watch *w, ino_t file, bool dirty)
{
	size_t i;

	for (i = 0; i < w->nfiles; i++)
		if (w->files[i] == file)
			w->files[i--] = w->files[--w->nfiles];
	if (dirty) {
		assert_true(w->nfiles < MAX_DIRTY);
		w->files[w->nfiles++] = file;
	}
}

static bool
file_is_dirty(const struct watch *w, ino_t file)
{
	size_t i;

	for (i = 0; i < w->nfiles; i++)
		if (w->files[i] == file)
			return true;
	return false;
}

/* Would this path, and the bytes there, survive a power cut now? */
static bool
is_durable(const struct watch *w, const char *path)
{
	char full[2048];
	char *name, *end;
	struct stat st;
	size_t i;

	snprintf(full, sizeof(full), "%s", tmp_path(w->t, path));
	if (stat(full, &st) == -1 || file_is_dirty(w, st.st_ino))
		return false;
	for (name = full + strlen(w->t->dir); name != NULL; name = end) {
		*name++ = '\0';
		assert_int_equal(stat(full, &st), 0);
		if ((end = strchr(name, '/')) != NULL)
			*end = '\0';
		for (i = 0; i < w->nedges; i++)
			if (w->edges[i].dir == st.st_ino &&
			    strcmp(w->edges[i].name, name) == 0)
				return false;
		name[-1] = '/';
		if (end != NULL)
			*end = '/';
	}
	return true;
}

static void
demand(const struct watch *w, const char *path, const char *because)
{
	if (!is_durable(w, path))
		fail_msg("%s: %s appears before %s is durable", w->op, because,
		    path);
}

/* A file gets a name that counts: is all it stands for durable? */
static void
check_visible(struct watch *w, int fromdir, const char *from, int todir,
    const char *to)
{
	char link[64], dir[1024], text[256] = "", path[LAYOUT_PATH_SIZE];
	struct digest d;
	struct stat st;
	ssize_t n;
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", todir);
	n = readlink(link, dir, sizeof(dir) - 1);
	assert_true(n > 0);
	dir[n] = '\0';
	if (strstr(dir, LAYOUT_TRASH) != NULL)
		return;
	assert_int_equal(fstatat(fromdir, from, &st, 0), 0);
	if (strstr(dir, "/_uploads/") != NULL)
		return;
	w->visible++;
	if (file_is_dirty(w, st.st_ino))
		fail_msg("%s: %s/%s appears with bytes that are not synced",
		    w->op, dir, to);
	if (strcmp(to, "link") != 0)
		return;
	fd = openat(fromdir, from, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_int_equal(digest_parse(&d, text), 0);
	demand(w, layout_blob(path, &d), dir);
	if (strstr(dir, "/tags/") != NULL) {
		demand(w, layout_revision(path, "a/b", &d), dir);
		demand(w, layout_mediatype(path, "a/b", &d), dir);
		demand(w, layout_subject(path, "a/b", &d), dir);
	}
	if (strstr(dir, "/current") != NULL)
		demand(w, layout_tag_index(path, "a/b", "t", &d), dir);
}

static int
on_call_watch(const struct sysfs_call *call, void *arg)
{
	struct watch *w = arg;
	struct stat st;

	switch (call->kind) {
	case SYSFS_WRITE:
	case SYSFS_TRUNCATE:
		set_file(w, fd_ino(call->fd), true);
		break;
	case SYSFS_SYNC:
		fake_us += QUICK_US;
		set_file(w, fd_ino(call->fd), false);
		forget_edge(w, fd_ino(call->fd), NULL);
		break;
	case SYSFS_SYNCFS:
		fake_us += w->slow ? SLOW_US : QUICK_US;
		w->nfiles = w->nedges = 0;
		break;
	case SYSFS_CREATE:
	case SYSFS_MKDIR:
		add_edge(w, fd_ino(call->fd), call->name);
		break;
	case SYSFS_RENAME:
		if (fstatat(call->fd, call->name, &st, 0) == -1)
			break;
		check_visible(w, call->fd, call->name, call->to_fd,
		    call->to_name);
		forget_edge(w, fd_ino(call->fd), call->name);
		add_edge(w, fd_ino(call->to_fd), call->to_name);
		break;
	default:
		break;
	}
	return 0;
}

/* What a push is told to be there must be there after a power cut. */
static void
check_acknowledged(struct watch *w, const struct operation *op)
{
	struct digest blob = tmp_digest(BLOB), d;
	char path[LAYOUT_PATH_SIZE];

	if (op->run == push_blob) {
		demand(w, layout_blob(path, &blob), "the answer");
		demand(w, layout_layer(path, "a/b", &blob), "the answer");
	} else if (op->run == run_mount)
		demand(w, layout_layer(path, "c", &blob), "the answer");
	else {
		assert_int_equal(tag_get(w->t->store, "a/b", "t", &d),
		    STORE_OK);
		demand(w, layout_tag_current(path, "a/b", "t"), "the answer");
		demand(w, layout_revision(path, "a/b", &d), "the answer");
	}
}

/* How many stores it took. */
static unsigned
watch_operations(enum store_durability durability, bool slow)
{
	struct tmp_store t;
	struct watch w;
	unsigned stores = 0;
	size_t i;

	for (i = 0; i < NOPERATIONS; i++) {
		if (operations[i].deletes)
			continue;
		tmp_open(&t);
		store_free(t.store);
		t.store = tmp_reopen(t.dir, true, durability);
		memset(&w, 0, sizeof(w));
		w.t = &t;
		w.op = operations[i].name;
		w.slow = slow;
		/* From the empty directory on, so that all are watched. */
		sysfs_set_hook(on_call_watch, &w);
		operations[i].prepare(&t);
		assert_int_equal(operations[i].run(&t), STORE_OK);
		/* As a keeper does before it answers. */
		assert_int_equal(store_barrier(t.store), STORE_OK);
		sysfs_set_hook(NULL, NULL);
		assert_true(w.visible >= 2);
		check_acknowledged(&w, &operations[i]);
		tmp_close(&t);
		stores++;
	}
	return stores;
}

static void
test_order_names_follow_syncs(void **state)
{
	(void)state;
	assert_true(watch_operations(STORE_FULL, false) > 0);
}

static void
test_order_names_follow_barriers(void **state)
{
	(void)state;
	assert_true(watch_operations(STORE_BATCH, false) > 0);
}

/* Other programs write much: then it is quicker to sync one by one. */
static void
test_order_names_follow_slow_barriers(void **state)
{
	uint64_t syncs = sysfs_count(SYSFS_SYNC);
	uint64_t barriers = sysfs_count(SYSFS_SYNCFS);
	unsigned stores;

	(void)state;
	stores = watch_operations(STORE_BATCH, true);
	syncs = sysfs_count(SYSFS_SYNC) - syncs;
	barriers = sysfs_count(SYSFS_SYNCFS) - barriers;
	/* The first one of each store showed it. */
	assert_int_equal(barriers, stores);
	assert_true(syncs > 4 * barriers);
}

/* A directory that another process made may not be on the disk yet. */
static void
test_order_foreign_directories_are_synced(void **state)
{
	struct digest blob = tmp_digest(BLOB);
	char path[LAYOUT_PATH_SIZE], *p;
	struct tmp_store t;
	struct watch w;
	struct stat st;

	(void)state;
	tmp_open(&t);
	memset(&w, 0, sizeof(w));
	w.t = &t;
	w.op = "push blob";
	tmp_write(&t, REPOS "a/b/_layers/sha256/stray", "");
	/* Every edge down to there is in doubt. */
	snprintf(path, sizeof(path), REPOS "a/b/_layers/sha256");
	for (p = path; p != NULL; p = strchr(p + 1, '/')) {
		char *end = strchr(p + 1, '/'), name[64];

		snprintf(name, sizeof(name), "%.*s", end != NULL ?
		    (int)(end - p) - (*p == '/') : 63, p + (*p == '/'));
		if (p == path)
			assert_int_equal(stat(t.dir, &st), 0);
		else {
			*p = '\0';
			assert_int_equal(stat(tmp_path(&t, path), &st), 0);
			*p = '/';
		}
		add_edge(&w, st.st_ino, name);
	}
	sysfs_set_hook(on_call_watch, &w);
	assert_int_equal(push_blob(&t), STORE_OK);
	sysfs_set_hook(NULL, NULL);
	demand(&w, layout_layer(path, "a/b", &blob), "the answer");
	tmp_close(&t);
}

/*
 * One that is known to be on the disk is removed and made again by another
 * process: it gets the same inode, as often as not, and is not on the disk.
 */
static void
test_order_directory_made_again_is_synced(void **state)
{
	static const char parent[] = REPOS "a/b/_layers/sha256";
	static const char mine[] = REPOS "a/b/_layers/sha256/x/mine";
	struct tmp_store t;
	struct watch w;
	struct stat st;
	int i;

	(void)state;
	/* A file system in memory may give every inode only once. */
	assert_int_equal(setenv("TMPDIR", "/var/tmp", 0), 0);
	tmp_open(&t);
	assert_int_equal(unsetenv("TMPDIR"), 0);
	memset(&w, 0, sizeof(w));
	w.t = &t;
	w.op = "put";
	sysfs_set_hook(on_call_watch, &w);
	for (i = 0; i < 50; i++) {
		assert_int_equal(store_put(t.store, mine, "m", 1, 0),
		    STORE_OK);
		assert_true(is_durable(&w, mine));
		assert_int_equal(store_unlink(t.store, mine), STORE_OK);
		assert_int_equal(unlink(tmp_path(&t, REPOS
		    "a/b/_layers/sha256/x/other")), i == 0 ? -1 : 0);
		assert_int_equal(rmdir(tmp_path(&t, REPOS
		    "a/b/_layers/sha256/x")), 0);
		tmp_write(&t, REPOS "a/b/_layers/sha256/x/other", "o");
		assert_int_equal(stat(tmp_path(&t, parent), &st), 0);
		add_edge(&w, st.st_ino, "x");
	}
	sysfs_set_hook(NULL, NULL);
	tmp_close(&t);
}

/*
 * A name is unlinked and its directory removed before the barrier: a sync of
 * that directory may do nothing by then, so the one above must be synced.
 */
static void
test_order_barrier_syncs_above_removed(void **state)
{
	static const char dir[] = REPOS "a/b/_layers/sha256/x";
	static const char above[] = REPOS "a/b/_layers/sha256";
	struct tmp_store t;
	struct watch w;
	struct stat st;

	(void)state;
	tmp_open(&t);
	store_free(t.store);
	t.store = tmp_reopen(t.dir, true, STORE_BATCH);
	memset(&w, 0, sizeof(w));
	w.t = &t;
	w.op = "prune";
	w.slow = true;
	sysfs_set_hook(on_call_watch, &w);
	assert_int_equal(store_put(t.store, REPOS "a/b/_layers/sha256/x/mine",
	    "m", 1, 0), STORE_OK);
	assert_int_equal(store_barrier(t.store), STORE_OK);
	assert_int_equal(stat(tmp_path(&t, above), &st), 0);
	assert_int_equal(store_unlink(t.store,
	    REPOS "a/b/_layers/sha256/x/mine"), STORE_OK);
	store_prune(t.store, dir, above);
	add_edge(&w, st.st_ino, "x");
	assert_int_equal(store_barrier(t.store), STORE_OK);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(w.nedges, 0);
	tmp_close(&t);
}

struct removal {
	struct tmp_store *t;
	const char	*dir;		/* NULL: gone */
};

static int
on_sync_remove(const struct sysfs_call *call, void *arg)
{
	struct removal *r = arg;

	if (call->kind == SYSFS_SYNCFS)
		fake_us += SLOW_US;
	if (call->kind != SYSFS_SYNC || r->dir == NULL)
		return 0;
	if (rmdir(tmp_path(r->t, r->dir)) == 0)
		r->dir = NULL;
	return 0;
}

/*
 * Collection removes it between the deletion in it and its sync, which then
 * says nothing of the deletion.
 */
static void
test_order_removed_directory_is_synced_with_all(void **state)
{
	static const enum store_durability modes[] = {
		STORE_FULL, STORE_BATCH
	};
	struct tmp_store t;
	struct removal r = { .t = &t };
	uint64_t before;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		tmp_open(&t);
		store_free(t.store);
		t.store = tmp_reopen(t.dir, true, modes[i]);
		sysfs_set_hook(on_sync_remove, &r);
		assert_int_equal(store_put(t.store, "a/b/c", "c", 1, 0),
		    STORE_OK);
		/* Slow, in mode batch: from now on one by one. */
		assert_int_equal(store_barrier(t.store), STORE_OK);
		before = sysfs_count(SYSFS_SYNCFS);
		r.dir = "a/b";
		assert_int_equal(store_unlink(t.store, "a/b/c"), STORE_OK);
		assert_int_equal(store_barrier(t.store), STORE_OK);
		sysfs_set_hook(NULL, NULL);
		assert_null(r.dir);
		assert_int_equal(sysfs_count(SYSFS_SYNCFS), before + 1);
		tmp_close(&t);
	}
}

/* "none" must not cost what it does not promise. */
static void
test_order_durability_none_never_syncs(void **state)
{
	struct tmp_store t;
	uint64_t syncs;

	(void)state;
	tmp_open(&t);
	store_free(t.store);
	t.store = tmp_reopen(t.dir, true, STORE_NONE);
	syncs = sysfs_count(SYSFS_SYNC);
	prepare_manifest(&t);
	assert_int_equal(run_delete_manifest(&t), STORE_OK);
	assert_int_equal(sysfs_count(SYSFS_SYNC), syncs);
	tmp_close(&t);
}

/* What a push costs in flushes is known, and stays so. */
/* What a second push and the end of a tag cost a store of its own. */
static void
count_syncs(uint64_t *push, uint64_t *untag)
{
	struct tmp_store t;
	uint64_t syncs;

	tmp_open(&t);
	prepare_manifest(&t);
	syncs = sysfs_count(SYSFS_SYNC);
	assert_int_equal(push_blob(&t), STORE_OK);
	*push = sysfs_count(SYSFS_SYNC) - syncs;
	syncs = sysfs_count(SYSFS_SYNC);
	assert_int_equal(run_delete_tag(&t), STORE_OK);
	*untag = sysfs_count(SYSFS_SYNC) - syncs;
	tmp_close(&t);
}

static int
on_call_unmark(const struct sysfs_call *call, void *arg)
{
	(void)arg;
	return call->kind == SYSFS_MARK ? ENOTSUP : 0;
}

/*
 * A layer whose push has been answered costs its manifest no sync; one that
 * another process may be about to sync does.
 */
static void
test_order_what_is_durable_is_not_synced_again(void **state)
{
	uint64_t syncs[2];
	struct tmp_store t;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		tmp_open(&t);
		if (i == 1)
			sysfs_set_hook(on_call_unmark, NULL);
		prepare_blob(&t);
		/* As another keeper: nothing is remembered. */
		store_free(t.store);
		t.store = tmp_reopen(t.dir, true, STORE_FULL);
		syncs[i] = sysfs_count(SYSFS_SYNC);
		assert_int_equal(run_manifest(&t), STORE_OK);
		syncs[i] = sysfs_count(SYSFS_SYNC) - syncs[i];
		sysfs_set_hook(NULL, NULL);
		tmp_close(&t);
	}
	/* link and bytes, each with its directory at least */
	assert_in_range(syncs[1], syncs[0] + 2, 100);
}

/*
 * Two directories may share a slot of the table of those that are known to
 * be durable, by the chance of a store's seed: then one is synced again.
 */
static void
test_order_number_of_syncs(void **state)
{
	uint64_t push, untag, least_push = UINT64_MAX;
	uint64_t least_untag = UINT64_MAX;
	int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		count_syncs(&push, &untag);
		assert_true(push <= 6 && untag <= 3);
		if (push < least_push)
			least_push = push;
		if (untag < least_untag)
			least_untag = untag;
	}
	/* data, its directory; link, its directory */
	assert_int_equal(least_push, 4);
	assert_int_equal(least_untag, 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_names_follow_syncs),
		cmocka_unit_test(test_order_names_follow_barriers),
		cmocka_unit_test(test_order_names_follow_slow_barriers),
		cmocka_unit_test(test_order_foreign_directories_are_synced),
		cmocka_unit_test(test_order_directory_made_again_is_synced),
		cmocka_unit_test(test_order_barrier_syncs_above_removed),
		cmocka_unit_test(
		    test_order_removed_directory_is_synced_with_all),
		cmocka_unit_test(test_order_durability_none_never_syncs),
		cmocka_unit_test(
		    test_order_what_is_durable_is_not_synced_again),
		cmocka_unit_test(test_order_number_of_syncs)
	};

	return cmocka_run_group_tests_name("store_order", tests, NULL, NULL);
}
