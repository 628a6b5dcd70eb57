/* SPDX-License-Identifier: ISC */
/*
 * Out of memory: each operation is run with its first, second, ...
 * allocation failing, once and from then on.  It fails with NOMEM or does
 * all; nothing leaks, nothing broken is visible, and it can be done again.
 *
 * The linker sends the allocations of the objects under test here; those of
 * the cryptographic library come by its own hooks.
 */
#include <openssl/crypto.h>

#include "digest.h"

static int	 steady_digest_of(struct digest *, enum digest_alg,
		    const void *, size_t);
/* What a test computes itself must not fail. */
#define digest_of	steady_digest_of
#include "store_operations.h"
#undef digest_of

#include <jansson.h>

#include "admin.h"
#include "fsck.h"
#include "gc.h"
#include "upload_state.h"

#define SET_SIZE	65536		/* blocks at a time */
#define MOST		10000		/* allocations of one operation */

static struct memory {
	bool		 armed;
	bool		 for_good;	/* all that follow fail, too */
	unsigned	 at, n;		/* which one fails; so far */
	bool		 counting;
	unsigned	 live;		/* blocks that are not free yet */
	void		*blocks[SET_SIZE];
} memory;

void	*__real_malloc(size_t);
void	*__real_calloc(size_t, size_t);
void	*__real_realloc(void *, size_t);
void	*__real_reallocarray(void *, size_t, size_t);
char	*__real_strdup(const char *);
void	 __real_free(void *);
void	*__wrap_malloc(size_t);
void	*__wrap_calloc(size_t, size_t);
void	*__wrap_realloc(void *, size_t);
void	*__wrap_reallocarray(void *, size_t, size_t);
char	*__wrap_strdup(const char *);
void	 __wrap_free(void *);

/* ---- allocations ---- */

static bool
fails(void)
{
	if (!memory.armed)
		return false;
	memory.n++;
	if (memory.n != memory.at && !(memory.for_good &&
	    memory.n > memory.at))
		return false;
	errno = ENOMEM;
	return true;
}

static void **
slot_of(const void *p)
{
	size_t i = (size_t)((uintptr_t)p >> 4) % SET_SIZE, n;

	for (n = 0; n < SET_SIZE; n++, i = (i + 1) % SET_SIZE)
		if (memory.blocks[i] == p)
			return &memory.blocks[i];
	return NULL;
}

/* A block that is gone leaves its slot to the next one, not to a search. */
static void
note_new(void *p)
{
	size_t i = (size_t)((uintptr_t)p >> 4) % SET_SIZE;

	if (!memory.counting || p == NULL)
		return;
	while (memory.blocks[i] != NULL && memory.blocks[i] != &memory)
		i = (i + 1) % SET_SIZE;
	memory.blocks[i] = p;
	memory.live++;
}

static void
note_gone(const void *p)
{
	void **slot;

	if (!memory.counting || p == NULL || (slot = slot_of(p)) == NULL)
		return;
	*slot = &memory;
	memory.live--;
}

void *
__wrap_malloc(size_t size)
{
	void *p = fails() ? NULL : __real_malloc(size);

	note_new(p);
	return p;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	void *p = fails() ? NULL : __real_calloc(n, size);

	note_new(p);
	return p;
}

void *
__wrap_realloc(void *old, size_t size)
{
	void *p;

	if (fails() || (p = __real_realloc(old, size)) == NULL)
		return NULL;
	note_gone(old);
	note_new(p);
	return p;
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
	void *p;

	if (fails() || (p = __real_reallocarray(old, n, size)) == NULL)
		return NULL;
	note_gone(old);
	note_new(p);
	return p;
}

char *
__wrap_strdup(const char *text)
{
	char *p = fails() ? NULL : __real_strdup(text);

	note_new(p);
	return p;
}

void
__wrap_free(void *p)
{
	note_gone(p);
	__real_free(p);
}

/* The library keeps what it likes, so that is not counted. */
static void *
crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : __real_malloc(size);
}

static void *
crypto_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : __real_realloc(old, size);
}

static void
crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	__real_free(p);
}

static int
steady_digest_of(struct digest *d, enum digest_alg alg, const void *data,
    size_t len)
{
	bool armed = memory.armed;
	int r;

	memory.armed = false;
	r = digest_of(d, alg, data, len);
	memory.armed = armed;
	return r;
}

/* ---- more operations ---- */

static enum store_result
run_open(struct tmp_store *t)
{
	struct store *s;
	int fd;

	fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	s = store_fs_new(fd, t->dir, true, STORE_BATCH);
	store_free(s);
	return s != NULL ? STORE_OK : STORE_NOMEM;
}

static enum store_result
run_lists(struct tmp_store *t)
{
	struct digest subject = tmp_digest("subject"), d = tmp_digest(BLOB);
	struct referrer *refs = NULL;
	char **names = NULL, *data = NULL;
	enum store_result r;
	size_t n = 0;
	bool more;

	if ((r = tag_list(t->store, "a/b", NULL, 9, &names, &n,
	    &more)) != STORE_OK)
		return r;
	store_names_free(names, n);
	if ((r = repo_list(t->store, NULL, 9, &names, &n, &more)) != STORE_OK)
		return r;
	store_names_free(names, n);
	if ((r = repo_list_uploads(t->store, NULL, 9, &names, &n,
	    &more)) != STORE_OK)
		return r;
	store_names_free(names, n);
	if ((r = referrer_list(t->store, "a/b", &subject, NULL, NULL, 9,
	    &refs, &n, &more)) != STORE_OK)
		return r;
	referrers_free(refs, n);
	if ((r = repo_acquire_blob(t->store, "a/b", &d, 0)) != STORE_OK)
		return r;
	d = tmp_digest(MANIFEST);
	r = repo_read_manifest(t->store, "a/b", &d, &data, &n);
	free(data);
	return r;
}

static enum store_result
run_tag(struct tmp_store *t)
{
	struct digest d = tmp_digest(MANIFEST);

	return tag_put(t->store, "a/b", "u", &d);
}

static enum store_result
run_untag(struct tmp_store *t)
{
	return repo_delete_tag(t->store, "a/b", "t");
}

/* A session that goes on in another process: saved, open, append. */
static enum store_result
run_session(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);
	struct upload *u = NULL;
	enum store_result r;
	uint64_t size = 0;

	r = upload_start(t->store, "a/b", ID, DIGEST_SHA256, &u);
	if (r == STORE_EXISTS)
		r = upload_open(t->store, "a/b", ID, &u);
	if (r != STORE_OK)
		return r;
	if ((r = upload_rewind(u, 0)) == STORE_OK &&
	    (r = upload_append(u, BLOB, 10)) == STORE_OK)
		r = upload_save(u);
	upload_close(u);
	if (r != STORE_OK ||
	    (r = upload_status(t->store, "a/b", ID, &size)) != STORE_OK ||
	    (r = upload_open(t->store, "a/b", ID, &u)) != STORE_OK)
		return r;
	assert_int_equal(size, 10);
	r = upload_append(u, &BLOB[10], strlen(BLOB) - 10);
	if (r == STORE_OK)
		r = upload_finish(u, &d);
	upload_close(u);
	return r;
}

static enum store_result
run_collect(struct tmp_store *t)
{
	struct gc_options o = { .untagged_ms = GC_UNTAGGED_KEEP };
	enum store_result r;
	struct gc *gc;
	bool done = false;

	if ((gc = gc_new(t->store, &o)) == NULL)
		return STORE_NOMEM;
	while ((r = gc_step(gc, 1000000, &done)) == STORE_OK && !done)
		continue;
	gc_free(gc);
	return r;
}

/* It is told in words. */
static enum store_result
run_remove(struct tmp_store *t)
{
	json_t *request = json_pack("{ss}", "repository", "a/b"), *result;
	char error[ADMIN_ERROR_SIZE];

	assert_non_null(request);
	result = admin_run(t->store, "repository-remove", request, error,
	    sizeof(error));
	json_decref(request);
	json_decref(result);
	if (result != NULL)
		return STORE_OK;
	if (strstr(error, "there is no such") != NULL)
		return STORE_NOTFOUND;
	return strstr(error, store_result_text(STORE_NOMEM)) != NULL ?
	    STORE_NOMEM : STORE_IO;
}

static bool
done_remove(struct tmp_store *t)
{
	return repo_stat(t->store, "a/b") == STORE_NOTFOUND;
}

static void
prepare_garbage(struct tmp_store *t)
{
	struct digest d;

	prepare_manifest(t);
	assert_int_equal(run_move_tag(t), STORE_OK);
	d = tmp_digest(MANIFEST);
	assert_int_equal(repo_delete_manifest(t->store, "a/b", &d), STORE_OK);
}

static bool
done_always(struct tmp_store *t)
{
	(void)t;
	return true;
}

static bool
done_tag(struct tmp_store *t)
{
	struct digest d;

	return tag_get(t->store, "a/b", "u", &d) == STORE_OK;
}

static const struct operation more_operations[] = {
	{ "open a store", prepare_nothing, run_open, done_always, false },
	{ "list and read", prepare_manifest, run_lists, done_always, false },
	{ "set a tag", prepare_manifest, run_tag, done_tag, false },
	{ "delete a tag", prepare_manifest, run_untag, done_delete_tag,
	    true },
	{ "upload in two", prepare_nothing, run_session, done_blob, false },
	{ "collect", prepare_garbage, run_collect, done_always, false },
	{ "remove a repository", prepare_manifest, run_remove, done_remove,
	    true }
};
#define NMORE	(sizeof(more_operations) / sizeof(more_operations[0]))

/* ---- what must hold ---- */

struct found {
	char		 text[256];
};

static void
on_found(const struct fsck_problem *p, void *arg)
{
	struct found *f = arg;

	if (fsck_kind_severity(p->kind) == FSCK_BROKEN)
		snprintf(f->text, sizeof(f->text), "%s %s",
		    fsck_kind_name(p->kind), p->path);
}

static uint64_t
count_broken(struct tmp_store *t, struct found *found)
{
	struct fsck_options o = { .strict = true };
	struct fsck_report report;

	assert_int_equal(fsck_run(t->store, &o, on_found, found, &report),
	    STORE_OK);
	return report.broken;
}

static void
begin(unsigned at, bool for_good)
{
	memset(&memory, 0, sizeof(memory));
	memory.at = at;
	memory.for_good = for_good;
	memory.counting = true;
	memory.armed = true;
}

static unsigned
end(void)
{
	memory.armed = memory.counting = false;
	return memory.live;
}

/* False when the operation allocates less often than that. */
static bool
run_without(const struct operation *op, enum store_durability durability,
    unsigned at, bool for_good)
{
	struct found found = { .text = "" };
	char path[LAYOUT_PATH_SIZE];
	struct tmp_store t;
	enum store_result r;
	uint64_t broken;
	unsigned live;

	tmp_open(&t);
	op->prepare(&t);
	store_free(t.store);
	t.store = tmp_reopen(t.dir, true, durability);
	broken = count_broken(&t, &found);
	begin(at, for_good);
	r = op->run(&t);
	/* A state that is kept for the session to go on is no leak. */
	upload_state_drop(layout_upload_data(path, "a/b", ID));
	live = end();
	if (live > 0)
		fail_msg("%s, allocation %u: %u blocks leaked", op->name, at,
		    live);
	if (r != STORE_OK && r != STORE_NOMEM)
		fail_msg("%s, allocation %u: \"%s\"", op->name, at,
		    store_result_text(r));
	assert_int_equal(store_barrier(t.store), STORE_OK);
	assert_int_equal(store_failure(t.store), 0);
	if (r == STORE_OK && !op->done(&t))
		fail_msg("%s, allocation %u: not done", op->name, at);
	if (count_broken(&t, &found) > broken)
		fail_msg("%s, allocation %u: %s", op->name, at, found.text);
	r = op->run(&t);
	if (r != STORE_OK && !(op->deletes && r == STORE_NOTFOUND))
		fail_msg("%s, allocation %u, again: %s", op->name, at,
		    store_result_text(r));
	assert_true(op->done(&t));
	tmp_close(&t);
	return memory.n >= at;
}

static void
run_all(const struct operation *ops, size_t n,
    enum store_durability durability, bool for_good)
{
	unsigned at, all = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		for (at = 1; run_without(&ops[i], durability, at, for_good);
		    at++)
			assert_true(at < MOST);
		all += at - 1;
	}
	/* So many at least: the wrapper was there. */
	assert_true(all > 5 * n);
}

static void
test_memory_fails_once(void **state)
{
	(void)state;
	run_all(operations, NOPERATIONS, STORE_FULL, false);
	run_all(more_operations, NMORE, STORE_FULL, false);
}

static void
test_memory_fails_for_good(void **state)
{
	(void)state;
	run_all(operations, NOPERATIONS, STORE_FULL, true);
	run_all(more_operations, NMORE, STORE_FULL, true);
}

static void
test_memory_fails_in_batches(void **state)
{
	(void)state;
	run_all(operations, NOPERATIONS, STORE_BATCH, false);
	run_all(more_operations, NMORE, STORE_BATCH, true);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_fails_once),
		cmocka_unit_test(test_memory_fails_for_good),
		cmocka_unit_test(test_memory_fails_in_batches)
	};

	/* Before its first allocation. */
	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc,
	    crypto_free) != 1)
		return 1;
	return cmocka_run_group_tests_name("store_memory", tests, NULL, NULL);
}
