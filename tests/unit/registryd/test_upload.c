/* SPDX-License-Identifier: ISC */
/*
 * upload: sessions, offsets, running and repeated hashes, exclusion, what a
 * finished or expired session leaves.
 */
#include "store_tmp.h"

#include <sys/resource.h>

#include <signal.h>
#include <time.h>

#include "repo.h"
#include "sysfs.h"
#include "upload.h"
#include "upload_state.h"

#define ID	"0f9a1f4e-0000-4000-8000-000000000001"
#define SESSION	"docker/registry/v2/repositories/a/_uploads/" ID

static struct upload *
start(struct tmp_store *t, const char *id, const char *text)
{
	struct upload *u;

	assert_int_equal(upload_start(t->store, "a", id, DIGEST_SHA256, &u),
	    STORE_OK);
	assert_int_equal(upload_append(u, text, strlen(text)), STORE_OK);
	return u;
}

/* A request that has been answered. */
static void
leave(struct tmp_store *t, const char *text)
{
	struct upload *u = start(t, ID, text);

	assert_int_equal(upload_save(u), STORE_OK);
	upload_close(u);
}

static void
finish(struct upload *u, const char *text)
{
	struct digest d = tmp_digest(text);

	assert_int_equal(upload_finish(u, &d), STORE_OK);
	upload_close(u);
}

static void
check_blob(struct tmp_store *t, const char *text)
{
	struct digest d = tmp_digest(text);
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;

	assert_string_equal(tmp_read(t, layout_blob(path, &d)), text);
	assert_int_equal(repo_stat_blob(t->store, "a", &d, &st), STORE_OK);
}

static void
test_upload_whole(void **state)
{
	struct tmp_store *t = *state;
	struct upload *u;
	uint64_t offset;

	u = start(t, ID, "hello ");
	/* As distribution writes it: RFC 3339 in UTC, no newline. */
	assert_int_equal(strlen(tmp_read(t, SESSION "/startedat")), 20);
	assert_int_equal(upload_append(u, "world", 5), STORE_OK);
	assert_int_equal(upload_offset(u), 11);
	/* Nobody is told of bytes that a power cut could take back. */
	assert_int_equal(upload_status(t->store, "a", ID, &offset), STORE_OK);
	assert_int_equal(offset, 0);
	assert_int_equal(upload_saved(u), 0);
	assert_int_equal(upload_save(u), STORE_OK);
	assert_int_equal(upload_saved(u), 11);
	assert_int_equal(upload_status(t->store, "a", ID, &offset), STORE_OK);
	assert_int_equal(offset, 11);
	finish(u, "hello world");
	check_blob(t, "hello world");
	assert_false(tmp_exists(t, SESSION));
	assert_int_equal(upload_status(t->store, "a", ID, &offset),
	    STORE_NOTFOUND);
}

static void
test_upload_goes_on_with_kept_hash(void **state)
{
	struct tmp_store *t = *state;
	struct upload *u;
	uint64_t reads;

	leave(t, "one ");
	assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_OK);
	assert_int_equal(upload_offset(u), 4);
	assert_int_equal(upload_append(u, "two", 3), STORE_OK);
	reads = sysfs_count(SYSFS_READ);
	finish(u, "one two");
	/* Only the new link is looked at. */
	assert_int_equal(sysfs_count(SYSFS_READ), reads + 1);
	check_blob(t, "one two");
}

static void
test_upload_hashes_again_when_the_file_changed(void **state)
{
	struct tmp_store *t = *state;
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct upload *u;

	leave(t, "aaaa");
	/* Same size, other bytes: another process went on with it. */
	tmp_write(t, SESSION "/data", "bbbb");
	assert_int_equal(utimensat(AT_FDCWD, tmp_path(t, SESSION "/data"),
	    old, 0), 0);
	assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_OK);
	finish(u, "bbbb");
	check_blob(t, "bbbb");
}

static void
test_upload_takes_over_a_session_of_distribution(void **state)
{
	struct tmp_store *t = *state;
	struct upload *u;
	struct digest d;
	bool done;
	int steps = 0;

	tmp_write(t, SESSION "/startedat", "2026-01-02T03:04:05Z");
	tmp_write(t, SESSION "/hashstates/sha256/5", "x");
	tmp_write(t, SESSION "/data", "01234567");
	assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_OK);
	assert_int_equal(upload_append(u, "89", 2), STORE_OK);
	do {
		assert_int_equal(upload_hash_step(u, DIGEST_SHA512, 3, &done),
		    STORE_OK);
		steps++;
	} while (!done);
	assert_int_equal(steps, 4);
	assert_int_equal(digest_of(&d, DIGEST_SHA512, "0123456789", 10), 0);
	assert_int_equal(upload_finish(u, &d), STORE_OK);
	upload_close(u);
	assert_false(tmp_exists(t, SESSION));
}

/* What a power cut, or a keeper that was killed, may leave behind. */
static void
test_upload_believes_only_what_was_saved(void **state)
{
	static const struct {
		const char	*note;		/* NULL: as it was written */
		const char	*data;
		uint64_t	 want;
	} cases[] = {
		{ NULL, "0123", 4 },
		{ NULL, "0123 and zeros", 4 },
		{ NULL, "01", 2 },
		{ "", "0123", 0 },
		{ "4", "0123", 0 },
		{ "4 0000000000000000\n", "0123", 0 },
		{ "99999999999999999999999 0000000000000000\n", "0123", 0 },
		{ "a note that is far too long to be one of ours, by itself"
		    " and in any case\n", "0123", 0 }
	};
	struct tmp_store *t = *state;
	struct upload *u;
	uint64_t offset;
	char note[65];
	size_t i;

	leave(t, "0123");
	snprintf(note, sizeof(note), "%.63s", tmp_read(t, SESSION "/synced"));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tmp_write(t, SESSION "/data", cases[i].data);
		tmp_write(t, SESSION "/synced", cases[i].note != NULL ?
		    cases[i].note : note);
		assert_int_equal(upload_status(t->store, "a", ID, &offset),
		    STORE_OK);
		assert_int_equal(offset, cases[i].want);
		assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_OK);
		assert_int_equal(upload_offset(u), cases[i].want);
		assert_int_equal(strlen(tmp_read(t, SESSION "/data")),
		    cases[i].want);
		upload_close(u);
	}
	/* The note of another session is none. */
	tmp_write(t, "docker/registry/v2/repositories/a/_uploads/other/data",
	    "0123");
	tmp_write(t, "docker/registry/v2/repositories/a/_uploads/other/synced",
	    note);
	assert_int_equal(upload_status(t->store, "a", "other", &offset),
	    STORE_OK);
	assert_int_equal(offset, 0);
	/* Neither is there one before the first answer. */
	assert_int_equal(unlink(tmp_path(t, SESSION "/synced")), 0);
	tmp_write(t, SESSION "/data", "0123");
	assert_int_equal(upload_status(t->store, "a", ID, &offset), STORE_OK);
	assert_int_equal(offset, 0);
}

static int
on_read_fail(const struct sysfs_call *call, void *arg)
{
	int *error = arg;

	return call->kind == SYSFS_READ || (call->kind == SYSFS_STAT &&
	    call->name != NULL && strcmp(call->name, "hashstates") == 0) ?
	    *error : 0;
}

/* It is there all the same, so the session must not be cut. */
static void
test_upload_note_that_cannot_be_read_now(void **state)
{
	struct tmp_store *t = *state;
	struct upload *u;
	uint64_t offset;
	int error = EIO;

	leave(t, "0123");
	sysfs_set_hook(on_read_fail, &error);
	assert_int_equal(upload_status(t->store, "a", ID, &offset), STORE_IO);
	assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_IO);
	error = ENOMEM;
	assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_NOMEM);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(unlink(tmp_path(t, SESSION "/synced")), 0);
	sysfs_set_hook(on_read_fail, &error);
	assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_NOMEM);
	sysfs_set_hook(NULL, NULL);
	assert_string_equal(tmp_read(t, SESSION "/data"), "0123");
}

/* What a cut in the middle of a move may leave. */
static void
test_upload_that_is_a_blob_is_not_written_to(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("blob");
	char path[LAYOUT_PATH_SIZE], blob[2048];
	struct upload *u;
	uint64_t offset;

	finish(start(t, ID, "blob"), "blob");
	tmp_write(t, SESSION "/startedat", "2026-01-02T03:04:05Z");
	snprintf(blob, sizeof(blob), "%s", tmp_path(t, layout_blob(path,
	    &d)));
	assert_int_equal(link(blob, tmp_path(t, SESSION "/data")), 0);
	assert_int_equal(upload_status(t->store, "a", ID, &offset),
	    STORE_NOTFOUND);
	assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_NOTFOUND);
	assert_int_equal(upload_cancel(t->store, "a", ID), STORE_NOTFOUND);
	assert_int_equal(upload_expire(t->store, "a", ID, time(NULL) + 9,
	    false), STORE_OK);
	assert_false(tmp_exists(t, SESSION));
	check_blob(t, "blob");
}

/* Bytes that replace others are not vouched for by the others' note. */
static void
test_upload_takes_its_word_back_before_other_bytes(void **state)
{
	struct tmp_store *t = *state;
	struct upload *u;
	uint64_t offset;

	leave(t, "0123");
	assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_OK);
	assert_int_equal(upload_rewind(u, 1), STORE_OK);
	assert_int_equal(upload_append(u, "abcdef", 6), STORE_OK);
	upload_close(u);
	assert_int_equal(upload_status(t->store, "a", ID, &offset), STORE_OK);
	assert_int_equal(offset, 1);
}

/* One without our locks, as distribution is, still has the file open. */
static void
test_upload_is_not_finished_under_a_foreign_writer(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("whole");
	char path[LAYOUT_PATH_SIZE];
	struct upload *u;
	int fd;

	u = start(t, ID, "whole");
	fd = open(tmp_path(t, SESSION "/data"), O_WRONLY | O_APPEND);
	assert_int_not_equal(fd, -1);
	assert_int_equal(upload_finish(u, &d), STORE_BUSY);
	assert_false(tmp_exists(t, layout_blob(path, &d)));
	/* It goes on, and can be finished when the other has left. */
	assert_int_equal(upload_append(u, "!", 1), STORE_OK);
	assert_int_equal(upload_rewind(u, 5), STORE_OK);
	close(fd);
	finish(u, "whole");
	check_blob(t, "whole");
}

/* It wrote after the bytes had been hashed, and has gone. */
static int
on_sync_scribble(const struct sysfs_call *call, void *arg)
{
	struct tmp_store *t = arg;
	FILE *f;

	if (call->kind != SYSFS_LEASE)
		return 0;
	sysfs_set_hook(NULL, NULL);
	assert_non_null(f = fopen(tmp_path(t, SESSION "/data"), "r+"));
	assert_int_equal(fputs("WH", f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	return 0;
}

static void
test_upload_notices_a_late_write(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("whole");
	char path[LAYOUT_PATH_SIZE];
	struct upload *u;

	/* So that the store knows that leases work. */
	finish(start(t, "first", "first"), "first");
	u = start(t, ID, "whole");
	sysfs_set_hook(on_sync_scribble, t);
	assert_int_equal(upload_finish(u, &d), STORE_BUSY);
	sysfs_set_hook(NULL, NULL);
	upload_close(u);
	assert_false(tmp_exists(t, layout_blob(path, &d)));
}

static void
test_upload_empty_blob(void **state)
{
	struct tmp_store *t = *state;

	finish(start(t, ID, ""), "");
	check_blob(t, "");
}

static void
test_upload_mismatch_leaves_the_session(void **state)
{
	struct tmp_store *t = *state;
	struct digest wrong = tmp_digest("something else");
	struct upload *u;
	char path[LAYOUT_PATH_SIZE];

	u = start(t, ID, "good");
	assert_int_equal(upload_finish(u, &wrong), STORE_MISMATCH);
	assert_false(tmp_exists(t, layout_blob(path, &wrong)));
	assert_int_equal(upload_append(u, " bad", 4), STORE_OK);
	assert_int_equal(upload_rewind(u, 9), STORE_MISMATCH);
	assert_int_equal(upload_rewind(u, 4), STORE_OK);
	assert_int_equal(upload_offset(u), 4);
	finish(u, "good");
	check_blob(t, "good");
}

static void
test_upload_rewind_restores_the_hash(void **state)
{
	struct tmp_store *t = *state;
	struct upload *u;
	uint64_t reads;

	leave(t, "base ");
	assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_OK);
	assert_int_equal(upload_append(u, "wrong", 5), STORE_OK);
	assert_int_equal(upload_rewind(u, 5), STORE_OK);
	assert_int_equal(upload_append(u, "right", 5), STORE_OK);
	reads = sysfs_count(SYSFS_READ);
	finish(u, "base right");
	/* Only the new link is looked at. */
	assert_int_equal(sysfs_count(SYSFS_READ), reads + 1);
	check_blob(t, "base right");
}

static void
test_upload_is_exclusive(void **state)
{
	struct tmp_store *t = *state;
	struct store *other = tmp_reopen(t->dir, true, STORE_FULL);
	struct upload *u, *v;

	u = start(t, ID, "x");
	assert_int_equal(upload_start(other, "a", ID, DIGEST_SHA256, &v),
	    STORE_EXISTS);
	assert_int_equal(upload_open(other, "a", ID, &v), STORE_BUSY);
	assert_int_equal(upload_open(t->store, "a", ID, &v), STORE_BUSY);
	assert_int_equal(upload_cancel(other, "a", ID), STORE_BUSY);
	assert_int_equal(upload_expire(other, "a", ID, time(NULL) + 9, false),
	    STORE_BUSY);
	upload_close(u);
	assert_int_equal(upload_cancel(other, "a", ID), STORE_OK);
	assert_int_equal(upload_cancel(other, "a", ID), STORE_NOTFOUND);
	assert_int_equal(upload_open(t->store, "a", ID, &v), STORE_NOTFOUND);
	store_free(other);
}

/* The file that became a blob must not grow through an old descriptor. */
static void
test_upload_late_append_is_refused(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("right");
	struct upload *u;

	u = start(t, ID, "right");
	assert_int_equal(upload_finish(u, &d), STORE_OK);
	assert_int_equal(upload_append(u, "late", 4), STORE_NOTFOUND);
	assert_int_equal(upload_rewind(u, 0), STORE_NOTFOUND);
	assert_int_equal(upload_finish(u, &d), STORE_NOTFOUND);
	upload_close(u);
	assert_int_equal(upload_open(t->store, "a", ID, &u), STORE_NOTFOUND);
	check_blob(t, "right");
}

/* Half of a part is on the disk when it is full: the offset stays true. */
static void
test_upload_half_a_write_is_taken_back(void **state)
{
	struct tmp_store *t = *state;
	struct rlimit old, small;
	struct upload *u;
	uint64_t offset;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 10;
	signal(SIGXFSZ, SIG_IGN);
	u = start(t, ID, "12345");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(upload_append(u, "67890abcde", 10), STORE_TOOBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(upload_offset(u), 5);
	assert_int_equal(upload_save(u), STORE_OK);
	assert_int_equal(upload_status(t->store, "a", ID, &offset), STORE_OK);
	assert_int_equal(offset, 5);
	assert_int_equal(upload_append(u, "6", 1), STORE_OK);
	finish(u, "123456");
	check_blob(t, "123456");
}

static int
on_flush_fail(const struct sysfs_call *call, void *arg)
{
	int *left = arg;

	if (call->kind != SYSFS_FLUSH)
		return 0;
	return (*left)-- == 0 ? EIO : 0;
}

/*
 * Large ones are written to the disk as they come; when that fails, what
 * the kernel still shows of the file is not to be trusted.
 */
static void
test_upload_lost_write_back_ends_the_session(void **state)
{
	struct tmp_store *t = *state;
	size_t step = 8u * 1024 * 1024, i;
	struct upload *u;
	uint64_t flushes;
	char *data;
	int left;

	assert_non_null(data = calloc(1, step));
	flushes = sysfs_count(SYSFS_FLUSH);
	u = start(t, ID, "");
	for (i = 0; i < 10; i++)
		assert_int_equal(upload_append(u, data, step), STORE_OK);
	/* Ten times begun, and twice waited for. */
	assert_int_equal(sysfs_count(SYSFS_FLUSH) - flushes, 12);
	for (left = 0; left < 2; left++) {
		int n = left;

		sysfs_set_hook(on_flush_fail, &n);
		assert_int_equal(upload_append(u, data, step), STORE_IO);
		sysfs_set_hook(NULL, NULL);
		assert_false(tmp_exists(t, SESSION));
		assert_int_equal(upload_append(u, "x", 1), STORE_NOTFOUND);
		upload_close(u);
		u = start(t, ID, "");
		for (i = 0; i < 9; i++)
			assert_int_equal(upload_append(u, data, step),
			    STORE_OK);
	}
	upload_close(u);
	free(data);
}

static void
test_upload_same_blob_twice_heals(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("blob");
	char path[LAYOUT_PATH_SIZE];
	struct upload *u, *v;

	u = start(t, ID, "blob");
	v = start(t, "other", "blob");
	finish(u, "blob");
	finish(v, "blob");
	check_blob(t, "blob");
	/* Damage of another size, and of the same size. */
	tmp_write(t, layout_blob(path, &d), "blo");
	finish(start(t, ID, "blob"), "blob");
	check_blob(t, "blob");
	tmp_write(t, layout_blob(path, &d), "blab");
	finish(start(t, ID, "blob"), "blob");
	check_blob(t, "blob");
}

/* Cut or grown behind our back, it is not sent any more; a push heals. */
static void
test_upload_size_of_a_blob_is_checked_at_open(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("blob");
	char path[LAYOUT_PATH_SIZE];
	struct upload *u;
	int fd;

	/* One that grew after a finish that came to nothing. */
	u = start(t, ID, "bl");
	assert_int_equal(upload_finish(u, &d), STORE_MISMATCH);
	assert_int_equal(upload_append(u, "ob", 2), STORE_OK);
	finish(u, "blob");
	assert_int_equal(repo_open_blob(t->store, "a", &d, &fd, NULL),
	    STORE_OK);
	close(fd);
	assert_int_equal(truncate(tmp_path(t, layout_blob(path, &d)), 3), 0);
	assert_int_equal(repo_open_blob(t->store, "a", &d, &fd, NULL),
	    STORE_INVALID);
	assert_int_equal(truncate(tmp_path(t, layout_blob(path, &d)), 5), 0);
	assert_int_equal(repo_open_blob(t->store, "a", &d, &fd, NULL),
	    STORE_INVALID);
	finish(start(t, ID, "blob"), "blob");
	assert_int_equal(repo_open_blob(t->store, "a", &d, &fd, NULL),
	    STORE_OK);
	close(fd);
	/* Another registry's file says nothing of its size. */
	assert_int_equal(unlink(tmp_path(t, layout_blob(path, &d))), 0);
	tmp_write(t, layout_blob(path, &d), "blo");
	assert_int_equal(repo_open_blob(t->store, "a", &d, &fd, NULL),
	    STORE_OK);
	close(fd);
}

static void
test_upload_expires_by_last_activity(void **state)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	static const char *const files[] = {
		SESSION, SESSION "/data", SESSION "/startedat"
	};
	struct tmp_store *t = *state;
	char **ids;
	size_t i, n;
	bool more;

	upload_close(start(t, ID, "x"));
	assert_int_equal(upload_expire(t->store, "a", ID, 2000, false),
	    STORE_MISMATCH);
	for (i = 0; i < 3; i++)
		assert_int_equal(utimensat(AT_FDCWD, tmp_path(t, files[i]),
		    old, 0), 0);
	assert_int_equal(upload_expire(t->store, "a", ID, 1000, false),
	    STORE_MISMATCH);
	assert_int_equal(upload_expire(t->store, "a", ID, 2000, true),
	    STORE_OK);
	assert_true(tmp_exists(t, SESSION "/data"));
	/* Begun long ago, but somebody still sends. */
	assert_int_equal(utimensat(AT_FDCWD, tmp_path(t, SESSION "/data"),
	    NULL, 0), 0);
	assert_int_equal(upload_expire(t->store, "a", ID, 2000, false),
	    STORE_MISMATCH);
	assert_int_equal(utimensat(AT_FDCWD, tmp_path(t, SESSION "/data"),
	    old, 0), 0);
	assert_int_equal(upload_expire(t->store, "a", ID, 2000, false),
	    STORE_OK);
	assert_false(tmp_exists(t, SESSION));
	assert_int_equal(upload_expire(t->store, "a", ID, 2000, false),
	    STORE_NOTFOUND);
	assert_int_equal(upload_list(t->store, "a", NULL, 9, &ids, &n, &more),
	    STORE_OK);
	assert_int_equal(n, 0);
	store_names_free(ids, n);
}

/* What a crash leaves between publishing and removing the session. */
static void
test_upload_expires_without_data(void **state)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct tmp_store *t = *state;

	tmp_write(t, SESSION "/startedat", "2026-01-02T03:04:05Z");
	assert_int_equal(utimensat(AT_FDCWD, tmp_path(t, SESSION
	    "/startedat"), old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, tmp_path(t, SESSION), old, 0),
	    0);
	assert_int_equal(upload_expire(t->store, "a", ID, 2000, false),
	    STORE_OK);
	assert_false(tmp_exists(t, SESSION));
}

/* By a collection that did not wait, or a DELETE: its client has to know. */
static void
test_upload_removed_before_it_is_finished(void **state)
{
	struct tmp_store *t = *state, batch = *t;
	struct digest d = tmp_digest("hello");
	char path[LAYOUT_PATH_SIZE];
	struct upload *u;

	batch.store = tmp_reopen(t->dir, true, STORE_BATCH);
	u = start(&batch, ID, "hello");
	while (!tmp_exists(t, layout_layer(path, "a", &d)))
		assert_int_equal(upload_finish_step(u, &d), STORE_AGAIN);
	assert_int_equal(store_barrier(batch.store), STORE_OK);
	assert_int_equal(unlink(tmp_path(t, path)), 0);
	assert_int_equal(upload_finish_step(u, &d), STORE_REMOVED);
	upload_close(u);
	store_free(batch.store);
	assert_false(tmp_exists(t, SESSION));
}

static void
test_upload_states_are_bounded(void **state)
{
	struct store_stat st = { .size = 1 };
	struct digest_ctx *c;
	char path[32];
	int i;

	(void)state;
	for (i = 0; i < 2 * UPLOAD_STATE_MAX; i++) {
		snprintf(path, sizeof(path), "p%d", i);
		assert_non_null(c = digest_ctx_new(DIGEST_SHA256));
		upload_state_keep(path, &st, c);
	}
	assert_null(upload_state_take("p0", &st));
	for (i = UPLOAD_STATE_MAX; i < 2 * UPLOAD_STATE_MAX; i++) {
		snprintf(path, sizeof(path), "p%d", i);
		st.size = i % 2 ? 1 : 2;
		c = upload_state_take(path, &st);
		assert_true((c != NULL) == (i % 2 != 0));
		digest_ctx_free(c);
		assert_null(upload_state_take(path, &st));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_upload_whole),
		TEST(test_upload_goes_on_with_kept_hash),
		TEST(test_upload_hashes_again_when_the_file_changed),
		TEST(test_upload_takes_over_a_session_of_distribution),
		TEST(test_upload_believes_only_what_was_saved),
		TEST(test_upload_note_that_cannot_be_read_now),
		TEST(test_upload_that_is_a_blob_is_not_written_to),
		TEST(test_upload_takes_its_word_back_before_other_bytes),
		TEST(test_upload_is_not_finished_under_a_foreign_writer),
		TEST(test_upload_notices_a_late_write),
		TEST(test_upload_empty_blob),
		TEST(test_upload_mismatch_leaves_the_session),
		TEST(test_upload_rewind_restores_the_hash),
		TEST(test_upload_is_exclusive),
		TEST(test_upload_late_append_is_refused),
		TEST(test_upload_half_a_write_is_taken_back),
		TEST(test_upload_lost_write_back_ends_the_session),
		TEST(test_upload_same_blob_twice_heals),
		TEST(test_upload_size_of_a_blob_is_checked_at_open),
		TEST(test_upload_expires_by_last_activity),
		TEST(test_upload_expires_without_data),
		TEST(test_upload_removed_before_it_is_finished),
		cmocka_unit_test(test_upload_states_are_bounded)
	};

	return cmocka_run_group_tests_name("upload", tests, NULL, NULL);
}
