/* SPDX-License-Identifier: ISC */
/*
 * fsck: no alarm on a right store, and each kind of damage found by its name
 * when it is put into one.
 */
#include "store_tmp.h"

#include "fsck_damage.h"
#include "fsck_damage_repo.h"
#include "store_root.h"
#include "sysfs.h"

static const struct damage {
	const char	*name;
	void		(*damage)(void);
	enum fsck_kind	 kind;
} damages[] = {
	{ "a symbolic link for a blob", d_symlink, FSCK_SYMLINK },
	{ "a symbolic link to a repository", d_symlink_dir, FSCK_SYMLINK },
	{ "a FIFO for a link", d_fifo, FSCK_FILE_TYPE },
	{ "a directory for a blob", d_directory, FSCK_FILE_TYPE },
	{ "a directory for a tag's link", d_tag_directory, FSCK_FILE_TYPE },
	{ "a file for a directory", d_file_for_directory, FSCK_FILE_TYPE },
	{ "a blob of mode 0", d_mode, FSCK_MODE },
	{ "a directory that its owner cannot write", d_mode_dir, FSCK_MODE },
	{ "a blob that all may write", d_world, FSCK_WORLD_WRITABLE },
	{ "another owner", d_owner, FSCK_OWNER },
	{ "a file among the shards", d_stray, FSCK_STRAY },
	{ "a file in a repository", d_stray_in_repo, FSCK_STRAY },
	{ "a file beside a blob", d_stray_beside_data, FSCK_STRAY },
	{ "another tree", d_stray_top, FSCK_STRAY },
	{ "another program's directory", d_foreign, FSCK_FOREIGN },
	{ "distribution's temporary file", d_temporary, FSCK_TEMPORARY },
	{ "our temporary file", d_own_tmp, FSCK_TEMPORARY },
	{ "trash", d_trash, FSCK_TRASH },
	{ "quarantine", d_quarantine, FSCK_QUARANTINED },
	{ "names within names", d_deep, FSCK_REPO_NAME },
	{ "a blob's name too short", d_blob_name, FSCK_BLOB_NAME },
	{ "a blob in the wrong shard", d_shard, FSCK_BLOB_SHARD },
	{ "a digest without bytes", d_blob_empty, FSCK_BLOB_EMPTY },
	{ "wrong bytes", d_flip, FSCK_BLOB_DIGEST },
	{ "a truncated blob", d_truncated, FSCK_BLOB_SIZE },
	{ "an empty blob", d_zero, FSCK_BLOB_SIZE },
	{ "a blob with more behind", d_longer, FSCK_BLOB_SIZE },
	{ "a blob with another size noted", d_mark, FSCK_BLOB_MARK },
	{ "a blob with two names", d_hardlink, FSCK_BLOB_HARDLINK },
	{ "nobody's blob", d_unreferenced, FSCK_BLOB_UNREFERENCED },
	{ "a condemned blob", d_condemned, FSCK_BLOB_CONDEMNED },
	{ "a blob both ways", d_condemned_live, FSCK_BLOB_CONDEMNED_LIVE },
	{ "a link's name", d_link_name, FSCK_LINK_NAME },
	{ "no link", d_link_absent, FSCK_LINK_ABSENT },
	{ "an empty link", d_link_empty, FSCK_LINK_SHORT },
	{ "a short link", d_link_short, FSCK_LINK_SHORT },
	{ "a link with other text", d_link_malformed, FSCK_LINK_MALFORMED },
	{ "a link with a newline", d_link_space, FSCK_LINK_SPACE },
	{ "a layer link elsewhere", d_link_elsewhere, FSCK_LINK_ELSEWHERE },
	{ "a revision elsewhere", d_revision_elsewhere, FSCK_LINK_ELSEWHERE },
	{ "a link with two names", d_link_hardlink, FSCK_LINK_HARDLINK },
	{ "a pending link", d_link_pending, FSCK_LINK_PENDING },
	{ "a condemned link", d_link_condemned, FSCK_LINK_CONDEMNED },
	{ "a link both ways", d_link_condemned_live, FSCK_LINK_CONDEMNED_LIVE },
	{ "a layer link to nothing", d_layer_blob_missing,
	    FSCK_LAYER_BLOB_MISSING },
	{ "no name of a repository", d_repo_name, FSCK_REPO_NAME },
	{ "an empty repository", d_repo_empty, FSCK_REPO_EMPTY },
	{ "a revision without bytes", d_revision_blob,
	    FSCK_REVISION_BLOB_MISSING },
	{ "a huge manifest", d_manifest_large, FSCK_MANIFEST_LARGE },
	{ "a changed manifest", d_manifest_flip, FSCK_MANIFEST_DIGEST },
	{ "a manifest that is none", d_manifest_unknown,
	    FSCK_MANIFEST_UNKNOWN },
	{ "a bad descriptor", d_manifest_malformed, FSCK_MANIFEST_MALFORMED },
	{ "no config", d_config_missing, FSCK_CONFIG_MISSING },
	{ "no layer", d_layer_missing, FSCK_LAYER_MISSING },
	{ "a layer without link", d_layer_unlinked, FSCK_LAYER_UNLINKED },
	{ "no child", d_child_missing, FSCK_CHILD_MISSING },
	{ "a size that is wrong", d_descriptor_size, FSCK_DESCRIPTOR_SIZE },
	{ "no name of a tag", d_tag_name, FSCK_TAG_NAME },
	{ "a tag to nothing", d_tag_empty, FSCK_TAG_EMPTY },
	{ "a short tag", d_tag_short, FSCK_LINK_SHORT },
	{ "a tag to a missing revision", d_tag_missing,
	    FSCK_TAG_REVISION_MISSING },
	{ "a tag without history", d_tag_index_missing,
	    FSCK_TAG_INDEX_MISSING },
	{ "history of what is gone", d_tag_index_dangling,
	    FSCK_TAG_INDEX_DANGLING },
	{ "no name of a referrer", d_referrer_name, FSCK_REFERRER_NAME },
	{ "a referrer's type", d_referrer_malformed, FSCK_REFERRER_MALFORMED },
	{ "a referrer that is not there", d_referrer_orphan,
	    FSCK_REFERRER_ORPHAN },
	{ "a referrer of another", d_referrer_mismatch,
	    FSCK_REFERRER_MISMATCH },
	{ "a referrer not listed", d_referrer_missing, FSCK_REFERRER_MISSING },
	{ "no note of the subject", d_subject_missing, FSCK_SUBJECT_MISSING },
	{ "a note of another subject", d_subject_mismatch,
	    FSCK_SUBJECT_MISMATCH },
	{ "a note on nothing", d_subject_orphan, FSCK_SUBJECT_ORPHAN },
	{ "no media type", d_mediatype_malformed, FSCK_MEDIATYPE_MALFORMED },
	{ "a media type of nothing", d_mediatype_orphan,
	    FSCK_MEDIATYPE_ORPHAN },
	{ "no id of an upload", d_upload_name, FSCK_UPLOAD_NAME },
	{ "an upload without data", d_upload_data, FSCK_UPLOAD_DATA_MISSING },
	{ "an upload without its time", d_upload_started,
	    FSCK_UPLOAD_STARTED_MISSING },
	{ "an upload with a wrong time", d_upload_started_malformed,
	    FSCK_UPLOAD_STARTED_MALFORMED },
};

/* ---- running ---- */

struct seen {
	unsigned	 n[FSCK_NKINDS];
	unsigned	 all;
};

static void
on_found(const struct fsck_problem *p, void *arg)
{
	struct seen *seen = arg;

	assert_non_null(p->path);
	assert_true(p->path[0] != '\0');
	seen->n[p->kind]++;
	seen->all++;
	if (getenv("SHOW") != NULL)
		print_message("%s %s %s: %s\n", fsck_severity_name(
		    fsck_kind_severity(p->kind)), fsck_kind_name(p->kind),
		    p->path, p->detail);
}

static struct seen
check_store(struct tmp_store *t, bool strict, struct fsck_report *report)
{
	struct fsck_options options = { .strict = strict };
	struct seen seen;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(fsck_run(t->store, &options, on_found, &seen,
	    report), STORE_OK);
	return seen;
}

static void
test_right(void **state)
{
	struct fsck_report report;
	struct tmp_store t;
	struct seen seen;

	(void)state;
	tmp_open(&t);
	root = store_root_fd(t.store);
	/* Nothing at all is right too. */
	seen = check_store(&t, true, &report);
	assert_int_equal(seen.all, 0);
	make_right();
	seen = check_store(&t, true, &report);
	assert_int_equal(seen.all, 0);
	assert_int_equal(report.repositories, 3);
	assert_int_equal(report.revisions, 6);
	assert_int_equal(report.tags, 5);
	assert_int_equal(report.uploads, 2);
	assert_int_equal(report.hashed_bytes, report.blob_bytes);
	assert_false(fsck_failed(&report, true));
	tmp_close(&t);
}

static void
open_right(struct tmp_store *t)
{
	tmp_open(t);
	root = store_root_fd(t->store);
	make_right();
}

static void
run_case(size_t i)
{
	enum fsck_severity severity = fsck_kind_severity(damages[i].kind);
	struct fsck_report report;
	struct tmp_store t;
	struct seen seen;
	uint64_t again[FSCK_NKINDS];

	open_right(&t);
	damages[i].damage();
	seen = check_store(&t, true, &report);
	if (seen.n[damages[i].kind] == 0)
		fail_msg("%s: not found as %s", damages[i].name,
		    fsck_kind_name(damages[i].kind));
	if (severity != FSCK_NOTE)
		assert_true(fsck_failed(&report, true));
	/* It is as it was: a second look finds the same. */
	memcpy(again, report.kinds, sizeof(again));
	seen = check_store(&t, true, &report);
	assert_memory_equal(again, report.kinds, sizeof(again));
	/* Without reading all bytes equal size hides them. */
	seen = check_store(&t, false, &report);
	if (damages[i].kind != FSCK_BLOB_DIGEST &&
	    damages[i].kind != FSCK_BLOB_MARK) {
		assert_int_not_equal(report.kinds[damages[i].kind], 0);
		assert_int_equal(seen.n[damages[i].kind] > 0,
		    severity == FSCK_BROKEN);
	}
	assert_int_equal(fsck_failed(&report, false), report.broken > 0);
	tmp_close(&t);
}

static void
test_damage(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		if (damages[i].kind != FSCK_OWNER || geteuid() == 0)
			run_case(i);	/* others cannot give away files */
}

/* What btrfs leaves of a rename when the power goes. */
static void
test_name_in_tmp(void **state)
{
	struct fsck_report report;
	struct tmp_store t;
	struct seen seen;

	(void)state;
	open_right(&t);
	raw_text(root, LAYOUT_TMP "/other", "");
	assert_int_equal(linkat(root, link_path(), root, LAYOUT_TMP "/link",
	    0), 0);
	assert_int_equal(linkat(root, layer_path(), root, LAYOUT_TMP "/blob",
	    0), 0);
	seen = check_store(&t, true, &report);
	assert_int_equal(seen.all, 3);
	assert_int_equal(seen.n[FSCK_TEMPORARY], 3);
	assert_false(fsck_failed(&report, true));
	/* One more anywhere else is still odd. */
	assert_int_equal(linkat(root, layer_path(), root, "elsewhere", 0),
	    0);
	seen = check_store(&t, true, &report);
	assert_int_equal(seen.n[FSCK_BLOB_HARDLINK], 1);
	assert_true(fsck_failed(&report, true));
	tmp_close(&t);
}

/*
 * A layer link without bytes may be what collection has left for a while; it
 * is damage where a manifest of the same repository needs them.
 */
static void
test_layer_link_to_nothing(void **state)
{
	struct fsck_report report;
	struct tmp_store t;
	struct seen seen;

	(void)state;
	open_right(&t);
	d_layer_blob_missing();
	seen = check_store(&t, true, &report);
	/* And the directory that the bytes were in. */
	assert_int_equal(seen.all, 2);
	assert_int_equal(seen.n[FSCK_LAYER_BLOB_MISSING], 1);
	assert_false(fsck_failed(&report, true));
	d_layer_missing();
	seen = check_store(&t, true, &report);
	assert_int_equal(seen.n[FSCK_LAYER_BLOB_MISSING], 2);
	assert_int_equal(seen.n[FSCK_LAYER_MISSING], 1);
	assert_true(fsck_failed(&report, false));
	tmp_close(&t);
}

/* Every kind but those that need a broken disk or luck has a case. */
static void
test_all_kinds(void **state)
{
	static const enum fsck_kind others[] = { FSCK_UNREADABLE,
	    FSCK_TOO_DEEP };
	bool has[FSCK_NKINDS] = { false };
	unsigned kind;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		has[others[i]] = true;
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		has[damages[i].kind] = true;
	for (kind = 0; kind < FSCK_NKINDS; kind++) {
		if (!has[kind])
			fail_msg("%s: no case", fsck_kind_name(kind));
		assert_non_null(fsck_kind_name(kind));
		assert_non_null(fsck_kind_text(kind));
	}
}

/* ---- disks that fail ---- */

struct failing {
	unsigned	 left;
	bool		 fired;
};

static int
fail_read(const struct sysfs_call *call, void *arg)
{
	struct failing *failing = arg;

	if (call->kind != SYSFS_READ || failing->fired ||
	    failing->left-- > 0)
		return 0;
	failing->fired = true;
	return EIO;
}

static void
test_read_errors(void **state)
{
	struct fsck_report report;
	struct failing failing;
	struct tmp_store t;
	struct seen seen;
	unsigned i;

	(void)state;
	open_right(&t);
	for (i = 0; i < 1000; i++) {
		failing.left = i;
		failing.fired = false;
		sysfs_set_hook(fail_read, &failing);
		seen = check_store(&t, true, &report);
		sysfs_set_hook(NULL, NULL);
		if (!failing.fired)
			break;
		/* Never right; and nothing else is made of it. */
		assert_true(seen.n[FSCK_UNREADABLE] > 0);
		assert_int_equal(seen.n[FSCK_MANIFEST_DIGEST], 0);
		assert_int_equal(seen.n[FSCK_BLOB_DIGEST], 0);
	}
	assert_in_range(i, 30, 999);
	assert_int_equal(seen.all, 0);
	tmp_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_name_in_tmp),
		cmocka_unit_test(test_layer_link_to_nothing),
		cmocka_unit_test(test_all_kinds),
		cmocka_unit_test(test_read_errors),
	};

	umask(027);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
