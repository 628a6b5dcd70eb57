/* SPDX-License-Identifier: ISC */
/*
 * Each operation of the store is run with its first, second, ... system call
 * failing: what is left must make sense and let a retry succeed.
 */
#include "store_operations.h"

#include "link.h"
#include "sysfs.h"

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
		/* A process that could not sync is replaced. */
		if (store_failure(t.store) != 0) {
			store_free(t.store);
			t.store = tmp_reopen(t.dir, true, STORE_FULL);
		}
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

/* "make errno" tries every errno at every call; here it is a sample. */
static void
run_all_faults(int error, bool persistent, uint64_t step)
{
	size_t i;
	uint64_t n;

	for (i = 0; i < NOPERATIONS; i++) {
		for (n = 1 + i % step; run_with_fault(&operations[i], n,
		    error, persistent); n += step)
			continue;
		/* So many calls at least: the hook was there. */
		assert_true(n > 4);
	}
}

static void
test_crash_each_call_fails_with_eio(void **state)
{
	(void)state;
	run_all_faults(EIO, false, 2);
}

static void
test_crash_each_call_fails_with_enospc(void **state)
{
	(void)state;
	run_all_faults(ENOSPC, false, 3);
}

static void
test_crash_each_kind_fails_for_good(void **state)
{
	(void)state;
	run_all_faults(EIO, true, 5);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash_each_call_fails_with_eio),
		cmocka_unit_test(test_crash_each_call_fails_with_enospc),
		cmocka_unit_test(test_crash_each_kind_fails_for_good)
	};

	return cmocka_run_group_tests_name("store_crash", tests, NULL, NULL);
}
