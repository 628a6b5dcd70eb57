/* SPDX-License-Identifier: ISC */
/*
 * Scrubs: wrong bytes go into quarantine, and nothing else does, whoever
 * pushes or dies meanwhile; what is read badly once is read again.
 */
#include "store_tmp.h"

#include <sys/wait.h>
#include <sys/xattr.h>

#include "fsck.h"
#include "gc.h"
#include "raw_store.h"
#include "repo.h"
#include "scrub_run.h"
#include "store_fs.h"
#include "sysfs.h"

#define GOOD	"right bytes"
#define BAD	"wrong bytes"
#define CALLS_MAX	240

static struct digest blob;		/* of GOOD */
static char data[LAYOUT_PATH_SIZE];

/* A blob with these bytes beneath the digest of GOOD, and its link. */
static void
put_blob(struct tmp_store *t, const char *text)
{
	char path[LAYOUT_PATH_SIZE];
	char digest[DIGEST_STR_SIZE];

	blob = tmp_digest(GOOD);
	layout_blob(data, &blob);
	tmp_write(t, data, text);
	tmp_write(t, layout_layer(path, "r", &blob),
	    digest_format(digest, &blob));
}

/* What a push does: other bytes take the name, in another file. */
static void
push(const struct tmp_store *t, const char *text)
{
	char from[2048];

	tmp_write(t, "pushed", text);
	snprintf(from, sizeof(from), "%s", tmp_path(t, "pushed"));
	assert_int_equal(rename(from, tmp_path(t, data)), 0);
}

static struct scrub_report
scrub_all(struct store *s)
{
	struct scrub_options options = { .rate = 0 };

	return scrub_run(s, &options);
}

/* What the blob holds, also when it has to come back from collection. */
static const char *
blob_now(struct tmp_store *t)
{
	(void)repo_resurrect(t->store, data);
	return tmp_read(t, data);
}

/* Names in quarantine, notes left out. */
static int
count_quarantined(struct tmp_store *t, bool *noted)
{
	char **names, path[LAYOUT_PATH_SIZE];
	size_t i, n;
	int found = 0;
	bool more;

	*noted = true;
	if (store_list(t->store, LAYOUT_QUARANTINE, NULL, 100, &names, &n,
	    &more) != STORE_OK)
		return 0;
	for (i = 0; i < n; i++) {
		if (strstr(names[i], ".note") != NULL)
			continue;
		found++;
		snprintf(path, sizeof(path), LAYOUT_QUARANTINE "/%s",
		    names[i]);
		assert_string_equal(tmp_read(t, path), BAD);
		snprintf(path, sizeof(path), LAYOUT_QUARANTINE "/%s.note",
		    names[i]);
		*noted = *noted && tmp_exists(t, path);
	}
	store_names_free(names, n);
	return found;
}

static void
test_scrub_quarantines(void **state)
{
	struct tmp_store *t = *state;
	struct scrub_report report;
	bool noted;

	put_blob(t, GOOD);
	report = scrub_all(t->store);
	assert_int_equal(report.blobs, 1);
	assert_int_equal(report.bytes, strlen(GOOD));
	assert_int_equal(report.bad + report.unsteady + report.strange, 0);
	put_blob(t, BAD);
	report = scrub_all(t->store);
	assert_int_equal(report.bad, 1);
	assert_int_equal(report.quarantined, 1);
	assert_int_equal(report.bytes, 2 * strlen(BAD));
	assert_true(digest_equal(&report.list[0], &blob));
	assert_null(blob_now(t));
	assert_int_equal(count_quarantined(t, &noted), 1);
	assert_true(noted);
	report = scrub_all(t->store);
	assert_int_equal(report.blobs + report.bad + report.returned, 0);
}

static void
test_scrub_only_looks(void **state)
{
	struct scrub_options options = { .dryrun = true };
	struct tmp_store *t = *state;
	struct scrub_report report;
	bool noted;

	put_blob(t, BAD);
	report = scrub_run(t->store, &options);
	assert_int_equal(report.bad, 1);
	assert_int_equal(report.quarantined, 0);
	assert_string_equal(tmp_read(t, data), BAD);
	assert_int_equal(count_quarantined(t, &noted), 0);
}

/* ---- one look is none ---- */

struct reads {
	struct tmp_store *t;
	unsigned	 fail;		/* so many reads */
	bool		 flip;		/* wrong bytes, not an error */
	unsigned	 seen;
};

static int
on_read(const struct sysfs_call *call, void *arg)
{
	struct reads *reads = arg;

	if (call->kind != SYSFS_READ)
		return 0;
	reads->seen++;
	if (reads->flip) {
		/* In the file itself: what a reader gets is the same. */
		tmp_write(reads->t, data, reads->seen <= reads->fail ? BAD :
		    GOOD);
		return 0;
	}
	return reads->seen <= reads->fail ? EIO : 0;
}

static struct scrub_report
scrub_reads(struct tmp_store *t, unsigned fail, bool flip)
{
	struct reads reads = { t, fail, flip, 0 };
	struct scrub_report report;

	sysfs_set_hook(on_read, &reads);
	report = scrub_all(t->store);
	sysfs_set_hook(NULL, NULL);
	assert_true(reads.seen > 0);
	return report;
}

static void
test_scrub_reads_twice(void **state)
{
	struct tmp_store *t = *state;
	struct scrub_report report;
	bool noted;
	int i;

	put_blob(t, GOOD);
	for (i = 0; i < 2; i++) {
		/* The bytes, and that there are no more. */
		report = scrub_reads(t, i == 0 ? 1 : 2, i == 1);
		assert_int_equal(report.bad, 0);
		assert_int_equal(report.unreadable, 0);
		assert_int_equal(report.unsteady, 1);
		assert_true(digest_equal(&report.unsteady_last, &blob));
		assert_string_equal(blob_now(t), GOOD);
		assert_int_equal(count_quarantined(t, &noted), 0);
	}
	report = scrub_reads(t, 1000, false);
	assert_int_equal(report.unreadable, 1);
	assert_int_equal(report.bad + report.unsteady, 0);
	assert_string_equal(blob_now(t), GOOD);
}

/* A size that is noted wrongly is no reason to take right bytes away. */
static void
test_scrub_mends_the_size(void **state)
{
	struct tmp_store *t = *state;
	struct scrub_report report;
	struct store_stat st;
	int fd;

	put_blob(t, GOOD);
	assert_int_equal(setxattr(tmp_path(t, data), FS_MARK, "3", 1, 0), 0);
	assert_int_equal(store_open(t->store, data, &fd, &st),
	    STORE_INVALID);
	report = scrub_all(t->store);
	assert_int_equal(report.bad, 0);
	assert_int_equal(report.mended, 1);
	assert_string_equal(blob_now(t), GOOD);
	report = scrub_all(t->store);
	assert_int_equal(report.mended, 0);
	put_blob(t, BAD);
	assert_int_equal(setxattr(tmp_path(t, data), FS_MARK, "3", 1, 0), 0);
	report = scrub_all(t->store);
	assert_int_equal(report.quarantined, 1);
}

static int
on_open_refuse(const struct sysfs_call *call, void *arg)
{
	const size_t len = strlen("/data");
	size_t n = call->name != NULL ? strlen(call->name) : 0;

	(void)arg;
	return call->kind == SYSFS_OPEN && n > len &&
	    strcmp(call->name + n - len, "/data") == 0 ? EACCES : 0;
}

/* As a device on a file system that allows none. */
static void
test_scrub_passes_what_may_not_be_opened(void **state)
{
	struct tmp_store *t = *state;
	struct scrub_report report;

	put_blob(t, GOOD);
	sysfs_set_hook(on_open_refuse, NULL);
	report = scrub_all(t->store);
	assert_int_equal(report.unreadable, 1);
	assert_int_equal(report.strange, 0);
	assert_int_equal(unlink(tmp_path(t, data)), 0);
	assert_int_equal(mkfifo(tmp_path(t, data), 0600), 0);
	report = scrub_all(t->store);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(report.unreadable, 0);
	assert_int_equal(report.strange, 1);
}

/* ---- what an interrupted scrub has left ---- */

static void
test_scrub_looks_again(void **state)
{
	struct scrub_options options = { .only_quarantine = true };
	char digest[DIGEST_STR_SIZE], path[LAYOUT_PATH_SIZE];
	struct tmp_store *t = *state;
	struct scrub_report report;
	bool noted;

	put_blob(t, GOOD);
	snprintf(path, sizeof(path), LAYOUT_QUARANTINE "/%s.1f",
	    digest_format(digest, &blob));
	tmp_write(t, path, GOOD);
	assert_int_equal(unlink(tmp_path(t, data)), 0);
	tmp_write(t, LAYOUT_QUARANTINE "/something", "of a person");
	report = scrub_run(t->store, &options);
	assert_int_equal(report.returned, 1);
	assert_int_equal(report.blobs, 0);
	assert_string_equal(tmp_read(t, data), GOOD);
	assert_false(tmp_exists(t, path));
	/* Wrong ones get the note that they lack, and stay. */
	tmp_write(t, path, BAD);
	report = scrub_run(t->store, &options);
	assert_int_equal(report.returned, 0);
	assert_true(tmp_exists(t, LAYOUT_QUARANTINE "/something"));
	assert_int_equal(unlink(tmp_path(t, LAYOUT_QUARANTINE
	    "/something")), 0);
	assert_int_equal(count_quarantined(t, &noted), 1);
	assert_true(noted);
}

/* ---- at every call somebody pushes, or the power goes ---- */

struct event {
	struct tmp_store *t;
	unsigned	 push, die;	/* at which call from the first read */
	unsigned	 calls;
	bool		 reading, over, pushed;
};

/* The scrub goes on to the next directory of blobs; not for a sync. */
static bool
is_next_shard(const struct sysfs_call *call)
{
	size_t len = strlen(LAYOUT_BLOBS "/sha256/00");
	struct digest d = tmp_digest(GOOD);
	char own[LAYOUT_PATH_SIZE];

	return call->kind == SYSFS_OPEN && call->name != NULL &&
	    strlen(call->name) == len &&
	    strncmp(call->name, LAYOUT_BLOBS, strlen(LAYOUT_BLOBS)) == 0 &&
	    strncmp(call->name, layout_blob(own, &d), len) != 0;
}

static int
on_call(const struct sysfs_call *call, void *arg)
{
	struct event *e = arg;

	e->reading = e->reading || call->kind == SYSFS_READ;
	e->over = e->over || (e->reading && is_next_shard(call));
	if (!e->reading || e->over)
		return 0;
	e->calls++;
	if (e->calls == e->push) {
		push(e->t, GOOD);
		e->pushed = true;
	}
	if (e->calls == e->die)
		_exit(e->pushed ? 2 : 1);
	return 0;
}

static void
check_after(struct tmp_store *t, bool pushed)
{
	struct fsck_options options = { .strict = true };
	struct fsck_report report;
	const char *now;
	bool noted;
	int n;

	n = count_quarantined(t, &noted);
	assert_int_equal(fsck_run(t->store, &options, NULL, NULL, &report),
	    STORE_OK);
	/* The leftover is named. */
	if (n > 0)
		assert_true(report.kinds[FSCK_QUARANTINED] > 0);
	now = blob_now(t);
	if (pushed) {
		assert_non_null(now);
		assert_string_equal(now, GOOD);
	} else if (now == NULL)
		assert_int_equal(n, 1);
	else
		assert_string_equal(now, BAD);
	/* The next one finishes what was begun. */
	(void)scrub_all(t->store);
	n = count_quarantined(t, &noted);
	assert_true(noted);
	now = blob_now(t);
	if (pushed)
		assert_string_equal(now, GOOD);
	else {
		assert_null(now);
		assert_int_equal(n, 1);
	}
	assert_int_equal(fsck_run(t->store, &options, NULL, NULL, &report),
	    STORE_OK);
	assert_false(fsck_failed(&report, true));
}

/* 0: it ended by itself, 1: died, 2: died behind the push; 3: push, ended. */
static int
run_event(enum store_durability durability, unsigned at, unsigned die)
{
	struct event e = { .push = at, .die = die };
	struct tmp_store t;
	int status;
	pid_t pid;

	tmp_open(&t);
	store_free(t.store);
	t.store = tmp_reopen(t.dir, true, durability);
	put_blob(&t, BAD);
	e.t = &t;
	fflush(NULL);
	if ((pid = fork()) == 0) {
		sysfs_set_hook(on_call, &e);
		(void)scrub_all(t.store);
		_exit(e.pushed ? 3 : 0);
	}
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	status = WEXITSTATUS(status);
	assert_in_range(status, 0, 3);
	check_after(&t, status >= 2);
	tmp_close(&t);
	return status;
}

/* beside: also while somebody pushes right bytes. */
static void
run_events(enum store_durability durability, bool beside)
{
	unsigned at, die, calls;

	for (die = 1; run_event(durability, 0, die) == 1; die++)
		assert_true(die < CALLS_MAX);
	assert_true(die > 20);
	calls = die;
	if (!beside)
		return;
	for (at = 1; at < calls; at++) {
		assert_int_equal(run_event(durability, at, 0), 3);
		for (die = at; die < calls && die < at + 12; die += 4)
			(void)run_event(durability, at, die);
	}
}

static void
test_scrub_dies_anywhere(void **state)
{
	(void)state;
	run_events(STORE_FULL, true);
	run_events(STORE_BATCH, false);
}

/* ---- going on ---- */

static void
test_scrub_goes_on(void **state)
{
	struct scrub_options options = { .rate = 0 };
	struct tmp_store *t = *state;
	struct scrub_cursor cursor;
	char text[32], path[LAYOUT_PATH_SIZE];
	struct scrub *scrub;
	struct digest d;
	bool done = false;
	int i, parts = 0;

	for (i = 0; i < 600; i++) {
		snprintf(text, sizeof(text), "blob %d", i);
		d = tmp_digest(text);
		tmp_write(t, layout_blob(path, &d), i % 100 == 7 ? "x" :
		    text);
	}
	memset(&cursor, 0, sizeof(cursor));
	while (!done) {
		assert_non_null(scrub = scrub_new(t->store, &options));
		scrub_resume(scrub, &cursor);
		for (i = 0; i < 40 && !done; i++)
			assert_int_equal(scrub_step(scrub, 0, &done),
			    STORE_OK);
		scrub_tell(scrub, &cursor);
		scrub_free(scrub);
		assert_true(++parts < 1000);
	}
	assert_true(parts > 10);
	assert_int_equal(cursor.counts.blobs, 600);
	assert_int_equal(cursor.counts.bad, 6);
	assert_int_equal(cursor.counts.quarantined, 6);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, tmp_setup, \
	tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_scrub_quarantines),
		TEST(test_scrub_only_looks),
		TEST(test_scrub_reads_twice),
		TEST(test_scrub_mends_the_size),
		TEST(test_scrub_passes_what_may_not_be_opened),
		TEST(test_scrub_looks_again),
		cmocka_unit_test(test_scrub_dies_anywhere),
		TEST(test_scrub_goes_on)
	};

	umask(027);
	return cmocka_run_group_tests_name("scrub", tests, NULL, NULL);
}
