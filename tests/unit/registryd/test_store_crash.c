/* SPDX-License-Identifier: ISC */
/*
 * Crash safety of everything that writes to the store.  Each operation is
 * run with its first, second, ... system call failing, and what is left must
 * make sense and let a retry succeed; and each is watched for names that
 * become visible before what they point to has been synced.
 */
#include "store_tmp.h"

#include "link.h"
#include "referrer.h"
#include "repo.h"
#include "sysfs.h"
#include "tag.h"
#include "upload.h"

#define REPOS	"docker/registry/v2/repositories/"
#define MANIFEST "{\"layers\":[]}"
#define BLOB	"the bytes of a layer"
#define ID	"session-1"

/* ---- the operations ---- */

static enum store_result
put_manifest(struct tmp_store *t, const char *text, const char *tag)
{
	struct manifest_put m = { .repo = "a/b", .data = text,
	    .len = strlen(text), .mediatype = "application/x",
	    .has_subject = true, .artifact_type = "application/sig",
	    .tags = &tag, .ntags = 1 };
	struct digest blob = tmp_digest(BLOB), *missing;
	enum store_result r;
	size_t n;

	m.digest = tmp_digest(text);
	m.subject = tmp_digest("subject");
	m.refs = &blob;
	m.nrefs = 1;
	r = repo_put_manifest(t->store, &m, &missing, &n);
	free(missing);
	return r;
}

static enum store_result
push_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);
	struct upload *u = NULL;
	enum store_result r;

	r = upload_start(t->store, "a/b", ID, DIGEST_SHA256, &u);
	if (r == STORE_EXISTS)
		r = upload_open(t->store, "a/b", ID, &u);
	if (r != STORE_OK)
		return r;
	r = upload_rewind(u, 0);
	if (r == STORE_OK)
		r = upload_append(u, BLOB, 10);
	if (r == STORE_OK)
		r = upload_append(u, &BLOB[10], strlen(BLOB) - 10);
	if (r == STORE_OK)
		r = upload_finish(u, &d);
	if (r != STORE_OK)
		(void)upload_rewind(u, 0);
	upload_close(u);
	/* What its file has left is begun anew by the client. */
	if (r != STORE_OK)
		(void)upload_cancel(t->store, "a/b", ID);
	return r;
}

static void
prepare_nothing(struct tmp_store *t)
{
	(void)t;
}

static void
prepare_blob(struct tmp_store *t)
{
	assert_int_equal(push_blob(t), STORE_OK);
}

static void
prepare_manifest(struct tmp_store *t)
{
	prepare_blob(t);
	assert_int_equal(put_manifest(t, MANIFEST, "t"), STORE_OK);
}

/* A damaged one is there already. */
static void
prepare_damage(struct tmp_store *t)
{
	struct digest d = tmp_digest(MANIFEST), b = tmp_digest(BLOB);
	char path[LAYOUT_PATH_SIZE];

	prepare_blob(t);
	tmp_write(t, layout_blob(path, &d), "damaged");
	tmp_write(t, layout_blob(path, &b), "damaged");
	assert_int_equal(push_blob(t), STORE_OK);
}

static enum store_result
run_manifest(struct tmp_store *t)
{
	return put_manifest(t, MANIFEST, "t");
}

static enum store_result
run_move_tag(struct tmp_store *t)
{
	return put_manifest(t, "{}", "t");
}

static enum store_result
run_mount(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_mount_blob(t->store, "c", "a/b", &d);
}

static enum store_result
run_delete_manifest(struct tmp_store *t)
{
	struct digest d = tmp_digest(MANIFEST);

	return repo_delete_manifest(t->store, "a/b", &d);
}

static enum store_result
run_delete_tag(struct tmp_store *t)
{
	return tag_delete(t->store, "a/b", "t");
}

static enum store_result
run_delete_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_delete_blob(t->store, "a/b", &d);
}

static bool
done_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_stat_blob(t->store, "a/b", &d, NULL) == STORE_OK &&
	    !tmp_exists(t, REPOS "a/b/_uploads/" ID "/data");
}

static bool
tag_is(struct tmp_store *t, const char *text)
{
	struct digest want = tmp_digest(text), d;
	struct referrer *refs;
	char type[MEDIATYPE_SIZE];
	struct digest subject = tmp_digest("subject");
	size_t n;
	bool more;

	if (tag_get(t->store, "a/b", "t", &d) != STORE_OK ||
	    !digest_equal(&d, &want) ||
	    repo_read_mediatype(t->store, "a/b", &d, type) != STORE_OK ||
	    referrer_list(t->store, "a/b", &subject, NULL, NULL, 9, &refs, &n,
	    &more) != STORE_OK)
		return false;
	referrers_free(refs, n);
	return n > 0;
}

static bool
done_manifest(struct tmp_store *t)
{
	return tag_is(t, MANIFEST);
}

static bool
done_move_tag(struct tmp_store *t)
{
	return tag_is(t, "{}");
}

static bool
done_mount(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_stat_blob(t->store, "c", &d, NULL) == STORE_OK;
}

static bool
done_delete_tag(struct tmp_store *t)
{
	struct digest d;

	return tag_get(t->store, "a/b", "t", &d) == STORE_NOTFOUND;
}

static bool
done_delete_manifest(struct tmp_store *t)
{
	struct digest d = tmp_digest(MANIFEST);
	struct digest subject = tmp_digest("subject");
	struct referrer *refs;
	size_t n;
	bool more;

	if (referrer_list(t->store, "a/b", &subject, NULL, NULL, 9, &refs, &n,
	    &more) != STORE_OK)
		return false;
	referrers_free(refs, n);
	return n == 0 && done_delete_tag(t) &&
	    repo_stat_manifest(t->store, "a/b", &d, NULL) == STORE_NOTFOUND;
}

static bool
done_delete_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_stat_blob(t->store, "a/b", &d, NULL) == STORE_NOTFOUND;
}

static const struct operation {
	const char	*name;
	void		 (*prepare)(struct tmp_store *);
	enum store_result (*run)(struct tmp_store *);
	bool		 (*done)(struct tmp_store *);
	bool		 deletes;
} operations[] = {
	{ "push blob", prepare_nothing, push_blob, done_blob, false },
	{ "push blob again", prepare_blob, push_blob, done_blob, false },
	{ "put manifest", prepare_blob, run_manifest, done_manifest, false },
	{ "put manifest again", prepare_manifest, run_manifest,
	    done_manifest, false },
	{ "heal manifest", prepare_damage, run_manifest, done_manifest,
	    false },
	{ "move tag", prepare_manifest, run_move_tag, done_move_tag, false },
	{ "mount blob", prepare_blob, run_mount, done_mount, false },
	{ "delete tag", prepare_manifest, run_delete_tag, done_delete_tag,
	    true },
	{ "delete manifest", prepare_manifest, run_delete_manifest,
	    done_delete_manifest, true },
	{ "delete blob", prepare_blob, run_delete_blob, done_delete_blob,
	    true }
};
#define NOPERATIONS	(sizeof(operations) / sizeof(operations[0]))

/* ---- what must hold whatever has happened ---- */

static const struct operation *current;	/* for messages */
static const char *current_call;

static void
broken(const char *what)
{
	fail_msg("%s, %s failed: %s", current->name, current_call, what);
}

/* A link that can be read leads to bytes of that digest. */
static void
check_link(struct tmp_store *t, const char *link)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d, have;
	enum store_result r;
	char *data;
	size_t len;

	r = link_get(t->store, link, &d);
	if (r == STORE_NOTFOUND)
		return;
	if (r != STORE_OK)
		broken("a link is not whole");
	if (store_read(t->store, layout_blob(path, &d), 4096, &data, &len) !=
	    STORE_OK)
		broken("a link without its bytes");
	assert_int_equal(digest_of(&have, d.alg, data, len), 0);
	free(data);
	if (!digest_equal(&d, &have))
		broken("wrong bytes");
}

static void
check_blob_bytes(struct tmp_store *t, const char *text)
{
	struct digest d = tmp_digest(text);
	char path[LAYOUT_PATH_SIZE];
	const char *have;

	have = tmp_read(t, layout_blob(path, &d));
	if (have != NULL && strcmp(have, text) != 0 &&
	    strcmp(have, "damaged") != 0)
		broken("half a blob");
}

static void
check_state(struct tmp_store *t)
{
	struct digest blob = tmp_digest(BLOB), one = tmp_digest(MANIFEST);
	struct digest two = tmp_digest("{}"), d;
	char path[LAYOUT_PATH_SIZE];

	check_blob_bytes(t, BLOB);
	check_blob_bytes(t, MANIFEST);
	check_blob_bytes(t, "{}");
	check_link(t, layout_layer(path, "a/b", &blob));
	check_link(t, layout_layer(path, "c", &blob));
	check_link(t, layout_revision(path, "a/b", &one));
	check_link(t, layout_revision(path, "a/b", &two));
	switch (tag_get(t->store, "a/b", "t", &d)) {
	case STORE_OK:
		if (repo_stat_manifest(t->store, "a/b", &d, NULL) != STORE_OK)
			broken("a tag without its manifest");
		check_link(t, layout_tag_current(path, "a/b", "t"));
		break;
	case STORE_NOTFOUND:
		break;
	default:
		broken("a tag that cannot be read");
	}
}

/* ---- every call fails once ---- */

struct fault {
	uint64_t	 left;		/* calls until it fails */
	int		 error;
	bool		 persistent;	/* and every later one of its kind */
	bool		 fired;
	enum sysfs_kind	 kind;
};

static int
on_call_fail(const struct sysfs_call *call, void *arg)
{
	struct fault *f = arg;

	if (f->fired)
		return f->persistent && call->kind == f->kind ? f->error : 0;
	if (--f->left > 0)
		return 0;
	f->fired = true;
	f->kind = call->kind;
	return f->error;
}

/* False when the operation makes fewer calls than n. */
static bool
run_with_fault(const struct operation *op, uint64_t n, int error,
    bool persistent)
{
	struct fault f = { .left = n, .error = error,
	    .persistent = persistent };
	struct tmp_store t;
	enum store_result r;

	tmp_open(&t);
	op->prepare(&t);
	/* As after a restart: nothing is remembered. */
	store_free(t.store);
	t.store = tmp_reopen(t.dir, true, STORE_FULL);
	current = op;
	sysfs_set_hook(on_call_fail, &f);
	r = op->run(&t);
	sysfs_set_hook(NULL, NULL);
	current_call = sysfs_kind_name(f.kind);
	if (f.fired) {
		check_state(&t);
		if (r == STORE_OK && !op->done(&t))
			broken("success, but it is not done");
		if (r != STORE_OK && error == ENOSPC && r != STORE_NOSPACE &&
		    r != STORE_INVALID && r != STORE_NOTFOUND)
			broken("a full disk is called something else");
		r = op->run(&t);
		if (r != STORE_OK && !(op->deletes && r == STORE_NOTFOUND))
			broken(store_result_text(r));
		check_state(&t);
		if (!op->done(&t))
			broken("not done by a retry");
	} else if (r != STORE_OK)
		broken("failed by itself");
	tmp_close(&t);
	return f.fired;
}

static void
run_all_faults(int error, bool persistent)
{
	size_t i;
	uint64_t n;

	for (i = 0; i < NOPERATIONS; i++) {
		for (n = 1; run_with_fault(&operations[i], n, error,
		    persistent); n++)
			continue;
		/* So many calls at least: the hook was there. */
		assert_true(n > 4);
	}
}

static void
test_crash_each_call_fails_with_eio(void **state)
{
	(void)state;
	run_all_faults(EIO, false);
}

static void
test_crash_each_call_fails_with_enospc(void **state)
{
	(void)state;
	run_all_faults(ENOSPC, false);
}

static void
test_crash_each_kind_fails_for_good(void **state)
{
	(void)state;
	run_all_faults(EIO, true);
}

/* ---- names and syncs ---- */

#define MAX_DIRTY	256

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
		set_file(w, fd_ino(call->fd), false);
		forget_edge(w, fd_ino(call->fd), NULL);
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

static void
test_crash_names_follow_syncs(void **state)
{
	struct tmp_store t;
	struct watch w;
	size_t i;

	(void)state;
	for (i = 0; i < NOPERATIONS; i++) {
		if (operations[i].deletes)
			continue;
		tmp_open(&t);
		memset(&w, 0, sizeof(w));
		w.t = &t;
		w.op = operations[i].name;
		/* From the empty directory on, so that all are watched. */
		sysfs_set_hook(on_call_watch, &w);
		operations[i].prepare(&t);
		assert_int_equal(operations[i].run(&t), STORE_OK);
		sysfs_set_hook(NULL, NULL);
		assert_true(w.visible >= 2);
		check_acknowledged(&w, &operations[i]);
		tmp_close(&t);
	}
}

/* A directory that another process made may not be on the disk yet. */
static void
test_crash_foreign_directories_are_synced(void **state)
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

/* "none" must not cost what it does not promise. */
static void
test_crash_durability_none_never_syncs(void **state)
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
static void
test_crash_number_of_syncs(void **state)
{
	struct tmp_store t;
	uint64_t syncs;

	(void)state;
	tmp_open(&t);
	prepare_manifest(&t);
	syncs = sysfs_count(SYSFS_SYNC);
	assert_int_equal(push_blob(&t), STORE_OK);
	/* data, its directory; link, its directory */
	assert_int_equal(sysfs_count(SYSFS_SYNC) - syncs, 4);
	syncs = sysfs_count(SYSFS_SYNC);
	assert_int_equal(run_delete_tag(&t), STORE_OK);
	assert_int_equal(sysfs_count(SYSFS_SYNC) - syncs, 1);
	tmp_close(&t);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash_each_call_fails_with_eio),
		cmocka_unit_test(test_crash_each_call_fails_with_enospc),
		cmocka_unit_test(test_crash_each_kind_fails_for_good),
		cmocka_unit_test(test_crash_names_follow_syncs),
		cmocka_unit_test(test_crash_foreign_directories_are_synced),
		cmocka_unit_test(test_crash_durability_none_never_syncs),
		cmocka_unit_test(test_crash_number_of_syncs)
	};

	return cmocka_run_group_tests_name("store_crash", tests, NULL, NULL);
}
