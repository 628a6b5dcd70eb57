/* SPDX-License-Identifier: ISC */
/*
 * keeper and keeper_client against each other over real channels and pipes:
 * uploads, manifests, what an abort leaves, a keeper that dies or does not
 * answer.
 */
#include "keeper_pair.h"

#include <sys/resource.h>

#include "keeper_call.h"
#include "layout.h"
#include "repo.h"
#include "sysfs.h"
#include "tag.h"
#include "upload.h"

static void
test_keeper_upload_in_parts(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a;
	struct digest d = tmp_digest("one two three");
	struct store_stat st;

	assert_int_equal(start(f, ID), STORE_OK);
	assert_int_equal(start(f, ID), STORE_EXISTS);
	assert_int_equal(append(&a, KEEPER_ANY, KEEPER_ANY, "one ", 4),
	    STORE_OK);
	assert_int_equal(a.offset, 4);
	assert_int_equal(append(&b, 4, 4, "two ", 4), STORE_OK);
	assert_int_equal(b.offset, 8);
	assert_int_equal(finish(&c, false, 8, 5, &d, "three", 5), STORE_OK);
	assert_int_equal(repo_stat_blob(f->tmp.store, "a", &d, &st),
	    STORE_OK);
	assert_int_equal(st.size, 13);
	assert_false(tmp_exists(&f->tmp, SESSION));
}

static void
test_keeper_upload_in_one(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a;
	struct digest d = tmp_digest("whole"), empty = tmp_digest("");
	struct store_stat st;

	assert_int_equal(finish(&a, true, 0, 5, &d, "whole", 5), STORE_OK);
	assert_int_equal(repo_stat_blob(f->tmp.store, "a", &d, &st),
	    STORE_OK);
	assert_int_equal(finish(&b, true, KEEPER_ANY, KEEPER_ANY, &empty, "",
	    0), STORE_OK);
	assert_int_equal(repo_stat_blob(f->tmp.store, "a", &empty, &st),
	    STORE_OK);
	/* Wrong: nothing is left of a session that nobody knows. */
	assert_int_equal(finish(&c, true, 0, 5, &d, "wrong", 5),
	    STORE_MISMATCH);
	assert_false(tmp_exists(&f->tmp, SESSION));
}

static void
test_keeper_wrong_offset_and_length(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a, e = a;
	struct digest d = tmp_digest("1234");

	assert_int_equal(append(&a, 0, KEEPER_ANY, "x", 1), STORE_NOTFOUND);
	assert_int_equal(start(f, ID), STORE_OK);
	assert_int_equal(append(&b, 7, 1, "x", 1), STORE_MISMATCH);
	assert_int_equal(b.offset, 0);
	/* Less than promised: as if it had not been. */
	assert_int_equal(append(&c, 0, 9, "1234", 4), STORE_MISMATCH);
	assert_int_equal(c.offset, 0);
	assert_int_equal(finish(&e, false, 0, 4, &d, "1234", 4), STORE_OK);
}

static void
test_keeper_digest_mismatch_rewinds(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a;
	struct digest d = tmp_digest("base right");

	assert_int_equal(start(f, ID), STORE_OK);
	assert_int_equal(append(&a, 0, 5, "base ", 5), STORE_OK);
	assert_int_equal(finish(&b, false, KEEPER_ANY, KEEPER_ANY, &d,
	    "wrong!", 6), STORE_MISMATCH);
	assert_int_equal(b.offset, 5);
	assert_string_equal(tmp_read(&f->tmp, SESSION "/data"), "base ");
	assert_int_equal(finish(&c, false, 5, 5, &d, "right", 5), STORE_OK);
}

static void
test_keeper_large_body_waits_for_room(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f };
	size_t len = 24u * 1024 * 1024 + 7, i;
	struct store_stat st;
	struct digest d;
	char *data;

	assert_non_null(data = malloc(len));
	for (i = 0; i < len; i++)
		data[i] = (char)(i * 2654435761u >> 13);
	assert_int_equal(digest_of(&d, DIGEST_SHA512, data, len), 0);
	assert_int_equal(finish(&a, true, 0, len, &d, data, len), STORE_OK);
	assert_true(a.waits > 0);
	assert_int_equal(repo_stat_blob(f->tmp.store, "a", &d, &st),
	    STORE_OK);
	assert_int_equal(st.size, len);
	free(data);
}

/* Its hash is not that of the session: the file is read again in slices. */
static void
test_keeper_other_algorithm_is_hashed_again(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a;
	size_t len = 40u * 1024 * 1024;
	struct digest d;
	char *data;

	assert_non_null(data = calloc(1, len));
	assert_int_equal(digest_of(&d, DIGEST_SHA512, data, len), 0);
	assert_int_equal(start(f, ID), STORE_OK);
	assert_int_equal(append(&a, 0, len, data, len), STORE_OK);
	assert_int_equal(finish(&b, false, len, 0, &d, "", 0), STORE_OK);
	free(data);
}

static void
test_keeper_session_is_exclusive(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a;

	assert_int_equal(start(f, ID), STORE_OK);
	a.call = keeper_upload_append(f->keepers, "a", ID, KEEPER_ANY,
	    KEEPER_ANY, on_room, on_done, &a);
	assert_non_null(a.call);
	assert_int_equal(keeper_call_write(a.call, "abc", 3), 3);
	await_bodies(f, 1);
	assert_int_equal(append(&b, KEEPER_ANY, KEEPER_ANY, "x", 1),
	    STORE_BUSY);
	assert_non_null(keeper_upload_cancel(f->keepers, "a", ID, on_done,
	    &c));
	assert_int_equal(await(&c), STORE_BUSY);
	keeper_call_end(a.call);
	assert_int_equal(await(&a), STORE_OK);
	assert_int_equal(a.offset, 3);
	memset(&c, 0, sizeof(c));
	c.f = f;
	assert_non_null(keeper_upload_cancel(f->keepers, "a", ID, on_done,
	    &c));
	assert_int_equal(await(&c), STORE_OK);
	assert_false(tmp_exists(&f->tmp, SESSION));
}

static void
test_keeper_abort_keeps_what_arrived(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a;
	struct digest d = tmp_digest("abcdef");
	uint64_t offset;

	assert_int_equal(start(f, ID), STORE_OK);
	a.call = keeper_upload_append(f->keepers, "a", ID, 0, 6, on_room,
	    on_done, &a);
	assert_int_equal(keeper_call_write(a.call, "abc", 3), 3);
	keeper_call_cancel(a.call);
	await_bodies(f, 0);
	assert_int_equal(a.times, 0);
	assert_int_equal(upload_status(f->tmp.store, "a", ID, &offset),
	    STORE_OK);
	assert_int_equal(offset, 3);

	/* FINISH leaves the session as it was. */
	b.call = keeper_upload_finish(f->keepers, "a", ID, false, 3, 3, &d,
	    on_room, on_done, &b);
	assert_int_equal(keeper_call_write(b.call, "de", 2), 2);
	await_bodies(f, 1);
	spin(f, 20);
	keeper_call_cancel(b.call);
	await_bodies(f, 0);
	assert_int_equal(upload_status(f->tmp.store, "a", ID, &offset),
	    STORE_OK);
	assert_int_equal(offset, 3);
	assert_int_equal(finish(&c, false, 3, 3, &d, "def", 3), STORE_OK);
}

static void
test_keeper_worker_vanishes(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a;
	uint64_t offset;
	struct stat st;

	assert_int_equal(start(f, ID), STORE_OK);
	a.call = keeper_upload_append(f->keepers, "a", ID, 0, KEEPER_ANY,
	    on_room, on_done, &a);
	assert_int_equal(keeper_call_write(a.call, "abc", 3), 3);
	do
		spin(f, 5);
	while (stat(tmp_path(&f->tmp, SESSION "/data"), &st) == -1 ||
	    st.st_size != 3);
	keeper_worker_cut_all(&f->keeper);
	/* The worker's side of it: the call fails at once. */
	assert_int_equal(await(&a), STORE_GONE);
	/* What is asked meanwhile waits for the next keeper. */
	assert_non_null(keeper_upload_start(f->keepers, "a", "other",
	    DIGEST_SHA256, on_done, &c));
	assert_int_equal(upload_status(f->tmp.store, "a", ID, &offset),
	    STORE_OK);
	assert_int_equal(offset, 3);
	connect_worker(f);
	assert_int_equal(await(&c), STORE_OK);
	assert_int_equal(append(&b, 3, 1, "d", 1), STORE_OK);
	assert_int_equal(b.offset, 4);
}

static void
test_keeper_does_not_answer(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a;
	char *data;
	int fds[2];

	f->keepers->timeout_ms = 300;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(keepers_set_peer(f->keepers, 0, fds[1]), 0);
	assert_non_null(keeper_blob_delete(f->keepers, "a",
	    &(struct digest){ .alg = DIGEST_SHA256 }, on_done, &a));
	assert_int_equal(await(&a), STORE_GONE);
	/* A body that is not taken counts as silence; one not sent does not. */
	b.call = keeper_upload_append(f->keepers, "a", ID, 0, KEEPER_ANY,
	    on_room, on_done, &b);
	spin(f, 500);
	assert_int_equal(b.times, 0);
	b.len = 8u * 1024 * 1024;
	assert_non_null(data = calloc(1, b.len));
	b.data = data;
	feed(&b);
	assert_int_equal(b.waits, 1);
	assert_int_equal(await(&b), STORE_GONE);
	free(data);
	close(fds[0]);
}

static void
test_keeper_outstanding_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct digest d = tmp_digest("x");
	struct answer a = { .f = f };
	int fds[2], n = 0;

	f->keepers->timeout_ms = 300;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(keepers_set_peer(f->keepers, 0, fds[1]), 0);
	while (keeper_blob_delete(f->keepers, "a", &d, on_done, &a) != NULL)
		n++;
	assert_int_equal(errno, EAGAIN);
	assert_in_range(n, 100, 5000);
	close(fds[0]);
	spin(f, 20);
	while (a.times < n)
		spin(f, 20);
	assert_int_equal(a.result, STORE_GONE);
	assert_int_equal(a.times, n);
}

/* Each body has a pipe and a file, and both ends are in this process. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
test_keeper_too_many_bodies(void **state)
{
	struct fixture *f = *state;
	struct answer a[KEEPER_MAX_BODIES + 1];
	struct digest d = tmp_digest("x");
	char id[32];
	int i;

	raise_descriptors();
	for (i = 0; i <= KEEPER_MAX_BODIES; i++) {
		memset(&a[i], 0, sizeof(a[i]));
		a[i].f = f;
		snprintf(id, sizeof(id), "id%d", i);
		a[i].call = keeper_upload_finish(f->keepers, "a", id, true, 0,
		    KEEPER_ANY, &d, on_room, on_done, &a[i]);
		assert_non_null(a[i].call);
		if (i % 64 == 0)
			spin(f, 5);
	}
	assert_int_equal(await(&a[KEEPER_MAX_BODIES]), STORE_LIMIT);
	for (i = 0; i < KEEPER_MAX_BODIES; i++)
		keeper_call_cancel(a[i].call);
	await_bodies(f, 0);
	assert_int_equal(tmp_count(&f->tmp,
	    "docker/registry/v2/repositories/a/_uploads"), 0);
}

static void
test_keeper_blob_limit(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a;
	struct digest d = tmp_digest("12345678");

	f->keeper.max_blob = 7;
	assert_int_equal(finish(&a, true, 0, 8, &d, "12345678", 8),
	    STORE_TOOBIG);
	f->keeper.max_blob = 8;
	assert_int_equal(finish(&b, true, 0, 8, &d, "12345678", 8),
	    STORE_OK);
}

static int
on_disk_full(const struct sysfs_call *call, void *arg)
{
	int *left = arg;

	if (call->kind != SYSFS_WRITE)
		return 0;
	return --*left < 0 ? ENOSPC : 0;
}

/* The offset stays true, and all goes on when there is room again. */
static void
test_keeper_full_disk(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a;
	size_t len = 3u * 1024 * 1024;
	struct digest d;
	struct stat st;
	int left = 2;
	char *data;

	assert_non_null(data = calloc(1, len));
	assert_int_equal(digest_of(&d, DIGEST_SHA256, data, len), 0);
	assert_int_equal(start(f, ID), STORE_OK);
	sysfs_set_hook(on_disk_full, &left);
	assert_int_equal(append(&a, 0, len, data, len), STORE_NOSPACE);
	sysfs_set_hook(NULL, NULL);
	/* What did not fit as a whole makes room for others. */
	assert_int_equal(a.offset, 0);
	assert_int_equal(stat(tmp_path(&f->tmp, SESSION "/data"), &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(append(&b, a.offset, len - a.offset, data,
	    len - a.offset), STORE_OK);
	assert_int_equal(b.offset, len);
	assert_int_equal(finish(&c, false, len, 0, &d, "", 0), STORE_OK);
	free(data);
}

/* ---- manifests and names ---- */

static enum store_result
put_manifest(struct answer *a, const struct manifest_put *m)
{
	assert_non_null(keeper_manifest_put(a->f->keepers, m, on_done, a));
	return await(a);
}

static void
test_keeper_manifest(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a, e = a, g = a;
	const char *tags[] = { "one", "two" };
	struct manifest_put m = { .repo = "a", .data = "{\"x\":1}", .len = 7,
	    .mediatype = "application/x", .has_subject = true,
	    .artifact_type = "", .tags = tags, .ntags = 2 };
	struct digest refs[2], child, got;
	struct store_stat st;

	m.digest = tmp_digest(m.data);
	refs[0] = tmp_digest("0");
	assert_int_equal(digest_of(&refs[1], DIGEST_SHA512, "1", 1), 0);
	child = m.subject = tmp_digest("child");
	m.refs = refs;
	m.nrefs = 2;
	m.children = &child;
	m.nchildren = 1;
	assert_int_equal(put_manifest(&a, &m), STORE_MISSING);
	assert_int_equal(a.nmissing, 3);
	assert_true(digest_equal(&a.missing[0], &refs[0]));
	assert_true(digest_equal(&a.missing[1], &refs[1]));
	assert_true(digest_equal(&a.missing[2], &child));

	m.nrefs = m.nchildren = 0;
	assert_int_equal(put_manifest(&b, &m), STORE_OK);
	assert_int_equal(tag_get(f->tmp.store, "a", "two", &got), STORE_OK);
	assert_true(digest_equal(&got, &m.digest));

	assert_non_null(keeper_tag_delete(f->keepers, "a", "one", on_done,
	    &c));
	assert_int_equal(await(&c), STORE_OK);
	assert_int_equal(tag_get(f->tmp.store, "a", "one", &got),
	    STORE_NOTFOUND);
	assert_non_null(keeper_manifest_delete(f->keepers, "a", &m.digest,
	    on_done, &e));
	assert_int_equal(await(&e), STORE_OK);
	assert_int_equal(repo_stat_manifest(f->tmp.store, "a", &m.digest,
	    &st), STORE_NOTFOUND);
	/* The keeper hashes for itself. */
	m.digest = tmp_digest("not this");
	assert_int_equal(put_manifest(&g, &m), STORE_MISMATCH);
}

static void
test_keeper_manifest_many_missing(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f };
	struct manifest_put m = { .repo = "a", .data = "{}", .len = 2,
	    .artifact_type = "" };
	struct digest *refs;
	size_t i;

	assert_non_null(refs = calloc(4096, sizeof(*refs)));
	for (i = 0; i < 4096; i++)
		memcpy(refs[i].bytes, &i, sizeof(i));
	m.digest = tmp_digest("{}");
	m.refs = refs;
	m.nrefs = 4096;
	assert_int_equal(put_manifest(&a, &m), STORE_MISSING);
	assert_int_equal(a.nmissing, KEEPER_MAX_MISSING);
	free(refs);
}

static void
test_keeper_manifest_limits(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a;
	struct manifest_put m = { .repo = "a", .artifact_type = "" };
	char *data;

	m.len = (size_t)f->keeper.max_manifest + 1;
	assert_non_null(data = calloc(1, m.len));
	m.data = data;
	assert_int_equal(digest_of(&m.digest, DIGEST_SHA256, data, m.len), 0);
	assert_int_equal(put_manifest(&a, &m), STORE_TOOBIG);
	m.len--;
	assert_int_equal(digest_of(&m.digest, DIGEST_SHA256, data, m.len), 0);
	assert_int_equal(put_manifest(&b, &m), STORE_OK);
	free(data);
}

static void
test_keeper_mount_and_delete_blob(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a, e = a;
	struct digest d = tmp_digest("x");

	assert_non_null(keeper_blob_mount(f->keepers, "b", "a", &d, on_done,
	    &a));
	assert_int_equal(await(&a), STORE_NOTFOUND);
	assert_int_equal(finish(&b, true, 0, 1, &d, "x", 1), STORE_OK);
	assert_non_null(keeper_blob_mount(f->keepers, "b", "a", &d, on_done,
	    &c));
	assert_int_equal(await(&c), STORE_OK);
	assert_non_null(keeper_blob_delete(f->keepers, "a", &d, on_done, &e));
	assert_int_equal(await(&e), STORE_OK);
}

static enum store_result
lease(struct fixture *f, const struct digest *d, unsigned kind)
{
	struct answer a = { .f = f };

	assert_non_null(keeper_lease(f->keepers, "a", d, kind, on_done, &a));
	return await(&a);
}

/* What collection has renamed comes back; what is old is renewed. */
static void
test_keeper_lease(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f };
	char path[LAYOUT_PATH_SIZE], to[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest("x"), none = tmp_digest("none");
	struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct store_stat st;

	assert_int_equal(finish(&a, true, 0, 1, &d, "x", 1), STORE_OK);
	assert_int_equal(lease(f, &none, KEEPER_LEASE_BLOB), STORE_NOTFOUND);
	assert_int_equal(lease(f, &d, KEEPER_LEASE_MANIFEST),
	    STORE_NOTFOUND);
	layout_condemned(to, layout_blob(path, &d), 1, 1);
	assert_int_equal(store_move(f->tmp.store, path, to, 0), STORE_OK);
	layout_condemned(to, layout_layer(path, "a", &d), 1, 2);
	assert_int_equal(store_move(f->tmp.store, path, to, 0), STORE_OK);
	assert_int_equal(utimensat(AT_FDCWD, tmp_path(&f->tmp, to), old, 0),
	    0);
	assert_int_equal(lease(f, &d, KEEPER_LEASE_BLOB), STORE_OK);
	assert_true(tmp_exists(&f->tmp, layout_blob(path, &d)));
	assert_int_equal(store_stat(f->tmp.store, layout_layer(path, "a",
	    &d), &st), STORE_OK);
	assert_true(st.mtime > 1000);
}

/* Whatever workers let through. */
static void
test_keeper_marked_readonly(void **state)
{
	struct fixture *f = *state;
	struct digest d = tmp_digest("x"), other = tmp_digest("y");
	struct answer before = { .f = f }, during = before, after = before;
	struct manifest_put put = { .repo = "a", .digest = other,
	    .data = "y", .len = 1, .mediatype = "", .artifact_type = "" };
	struct {
		struct answer	 a;
		struct keeper_call *call;
	} c[7];
	size_t i;

	assert_int_equal(finish(&before, true, 0, 1, &d, "x", 1), STORE_OK);
	assert_int_equal(store_put(f->tmp.store, LAYOUT_READONLY, "", 0, 0),
	    STORE_OK);
	memset(c, 0, sizeof(c));
	for (i = 0; i < 7; i++)
		c[i].a.f = f;
	c[0].call = keeper_blob_mount(f->keepers, "b", "a", &d, on_done,
	    &c[0].a);
	c[1].call = keeper_blob_delete(f->keepers, "a", &d, on_done,
	    &c[1].a);
	c[2].call = keeper_manifest_delete(f->keepers, "a", &d, on_done,
	    &c[2].a);
	c[3].call = keeper_tag_delete(f->keepers, "a", "t", on_done,
	    &c[3].a);
	c[4].call = keeper_upload_start(f->keepers, "a", ID, DIGEST_SHA256,
	    on_done, &c[4].a);
	c[5].call = keeper_upload_cancel(f->keepers, "a", ID, on_done,
	    &c[5].a);
	c[6].call = keeper_manifest_put(f->keepers, &put, on_done, &c[6].a);
	for (i = 0; i < 7; i++) {
		assert_non_null(c[i].call);
		assert_int_equal(await(&c[i].a), STORE_READONLY);
	}
	assert_int_equal(finish(&during, true, 0, 1, &other, "y", 1),
	    STORE_READONLY);
	assert_int_equal(store_unlink(f->tmp.store, LAYOUT_READONLY),
	    STORE_OK);
	assert_int_equal(finish(&after, true, 0, 1, &other, "y", 1),
	    STORE_OK);
}

/* An end or abort for a body that was refused has merely crossed. */
static void
test_keeper_crossed_messages_are_fine(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f };

	a.call = keeper_upload_append(f->keepers, "a", ID, 0, KEEPER_ANY,
	    on_room, on_done, &a);
	keeper_call_end(a.call);
	assert_int_equal(await(&a), STORE_NOTFOUND);
	assert_int_equal(start(f, ID), STORE_OK);
}

/* In mode full, and in groups. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown), \
	{ #f " in batch", f, setup_batch, teardown, NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_keeper_upload_in_parts),
		TEST(test_keeper_upload_in_one),
		TEST(test_keeper_wrong_offset_and_length),
		TEST(test_keeper_digest_mismatch_rewinds),
		TEST(test_keeper_large_body_waits_for_room),
		TEST(test_keeper_other_algorithm_is_hashed_again),
		TEST(test_keeper_session_is_exclusive),
		TEST(test_keeper_abort_keeps_what_arrived),
		TEST(test_keeper_worker_vanishes),
		TEST(test_keeper_does_not_answer),
		TEST(test_keeper_outstanding_is_bounded),
		TEST(test_keeper_too_many_bodies),
		TEST(test_keeper_blob_limit),
		TEST(test_keeper_full_disk),
		TEST(test_keeper_manifest),
		TEST(test_keeper_manifest_many_missing),
		TEST(test_keeper_manifest_limits),
		TEST(test_keeper_mount_and_delete_blob),
		TEST(test_keeper_lease),
		TEST(test_keeper_marked_readonly),
		TEST(test_keeper_crossed_messages_are_fine)
	};

	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
