/* SPDX-License-Identifier: ISC */
/*
 * repo: blobs and manifests as links and bytes, what is missing, healing,
 * deletion, and the list of repositories.
 */
#include "store_tmp.h"

#include "referrer.h"
#include "repo.h"
#include "sysfs.h"
#include "tag.h"

#define REPOS	"docker/registry/v2/repositories/"

static void
put_blob(struct tmp_store *t, const char *repo, const char *text)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest(text);

	tmp_write(t, layout_blob(path, &d), text);
	assert_int_equal(repo_link_blob(t->store, repo, &d), STORE_OK);
}

static enum store_result
put_manifest(struct tmp_store *t, const char *repo, const char *text,
    const char *tag)
{
	struct manifest_put m = { .repo = repo, .data = text,
	    .len = strlen(text), .artifact_type = "" };
	struct digest *missing;
	enum store_result r;
	size_t n;

	m.digest = tmp_digest(text);
	m.tags = &tag;
	m.ntags = tag != NULL;
	r = repo_put_manifest(t->store, &m, &missing, &n);
	free(missing);
	return r;
}

static void
test_repo_blob_needs_link_and_bytes(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("layer");
	char path[LAYOUT_PATH_SIZE], text[8] = "";
	struct store_stat st;
	int fd;

	assert_int_equal(repo_stat_blob(t->store, "a/b", &d, &st),
	    STORE_NOTFOUND);
	put_blob(t, "a/b", "layer");
	assert_int_equal(repo_stat_blob(t->store, "a/b", &d, &st), STORE_OK);
	assert_int_equal(st.size, 5);
	assert_int_equal(repo_open_blob(t->store, "a/b", &d, &fd, &st),
	    STORE_OK);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	close(fd);
	assert_string_equal(text, "layer");
	/* Not from another repository, though the bytes are there. */
	assert_int_equal(repo_stat_blob(t->store, "a", &d, &st),
	    STORE_NOTFOUND);
	assert_int_equal(unlink(tmp_path(t, layout_blob(path, &d))), 0);
	assert_int_equal(repo_open_blob(t->store, "a/b", &d, &fd, &st),
	    STORE_NOTFOUND);
}

static void
test_repo_links_are_as_distribution_writes_them(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("x");
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE];

	put_blob(t, "a", "x");
	assert_string_equal(tmp_read(t, layout_layer(path, "a", &d)),
	    digest_format(text, &d));
}

static void
test_repo_follows_link_content(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("bytes"), d512;
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE + 2];
	struct store_stat st;

	assert_int_equal(digest_of(&d512, DIGEST_SHA512, "bytes", 5), 0);
	put_blob(t, "a", "bytes");
	/* What distribution makes of a sha512 push; tolerant of a newline. */
	digest_format(text, &d);
	strcat(text, "\n");
	tmp_write(t, layout_layer(path, "a", &d512), text);
	assert_int_equal(repo_stat_blob(t->store, "a", &d512, &st), STORE_OK);
	assert_int_equal(st.size, 5);
	/* A mount takes the target along. */
	assert_int_equal(repo_mount_blob(t->store, "b", "a", &d512),
	    STORE_OK);
	assert_int_equal(repo_stat_blob(t->store, "b", &d512, &st), STORE_OK);
	assert_string_equal(tmp_read(t, layout_layer(path, "b", &d512)),
	    digest_format(text, &d));
}

static void
test_repo_bad_links_are_invalid(void **state)
{
	static const char *const bad[] = {
		"", "\n", "sha256:abc", "latest", "../../../../etc/passwd"
	};
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("x");
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tmp_write(t, layout_layer(path, "a", &d), bad[i]);
		assert_int_equal(repo_stat_blob(t->store, "a", &d, &st),
		    STORE_INVALID);
	}
	/* A push of the same heals. */
	put_blob(t, "a", "x");
	assert_int_equal(repo_stat_blob(t->store, "a", &d, &st), STORE_OK);
}

static void
test_repo_mount_and_delete_blob(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("x");
	struct store_stat st;

	assert_int_equal(repo_mount_blob(t->store, "b", "a", &d),
	    STORE_NOTFOUND);
	put_blob(t, "a", "x");
	assert_int_equal(repo_mount_blob(t->store, "b", "a", &d), STORE_OK);
	assert_int_equal(repo_delete_blob(t->store, "a", &d), STORE_OK);
	assert_int_equal(repo_delete_blob(t->store, "a", &d),
	    STORE_NOTFOUND);
	assert_int_equal(repo_stat_blob(t->store, "a", &d, &st),
	    STORE_NOTFOUND);
	assert_int_equal(repo_stat_blob(t->store, "b", &d, &st), STORE_OK);
}

static void
test_repo_manifest_round_trip(void **state)
{
	struct tmp_store *t = *state;
	struct manifest_put m = { .repo = "a", .data = "{}", .len = 2,
	    .mediatype = "application/x" };
	char type[MEDIATYPE_SIZE], *data;
	struct digest *missing, d;
	struct store_stat st;
	size_t n;

	m.digest = tmp_digest("{}");
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_OK);
	assert_int_equal(repo_read_manifest(t->store, "a", &m.digest, &data,
	    &n), STORE_OK);
	assert_string_equal(data, "{}");
	free(data);
	assert_int_equal(repo_stat_manifest(t->store, "a", &m.digest, &st),
	    STORE_OK);
	assert_int_equal(st.size, 2);
	assert_int_equal(repo_read_mediatype(t->store, "a", &m.digest, type),
	    STORE_OK);
	assert_string_equal(type, "application/x");
	assert_int_equal(repo_stat(t->store, "a"), STORE_OK);
	assert_int_equal(repo_stat(t->store, "b"), STORE_NOTFOUND);
	/* A manifest is no blob of its repository. */
	assert_int_equal(repo_stat_blob(t->store, "a", &m.digest, &st),
	    STORE_NOTFOUND);

	d = m.digest;
	m.digest = tmp_digest("other");
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_MISMATCH);
	assert_int_equal(repo_delete_manifest(t->store, "a", &d), STORE_OK);
	assert_int_equal(repo_delete_manifest(t->store, "a", &d),
	    STORE_NOTFOUND);
	assert_int_equal(repo_read_mediatype(t->store, "a", &d, type),
	    STORE_NOTFOUND);
	/* Our own tree is as it was; distribution's keeps its directories. */
	assert_int_equal(tmp_count(t, LAYOUT_OWN_REPOSITORIES), 0);
}

static void
test_repo_sha512_manifest(void **state)
{
	struct tmp_store *t = *state;
	struct manifest_put m = { .repo = "a", .data = "{}", .len = 2 };
	const char *tag = "t";
	struct digest *missing, got;
	char path[LAYOUT_PATH_SIZE];
	size_t n;

	assert_int_equal(digest_of(&m.digest, DIGEST_SHA512, "{}", 2), 0);
	m.tags = &tag;
	m.ntags = 1;
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_OK);
	assert_true(tmp_exists(t, layout_blob(path, &m.digest)));
	assert_int_equal(tag_get(t->store, "a", "t", &got), STORE_OK);
	assert_true(digest_equal(&got, &m.digest));
}

static void
test_repo_manifest_needs_its_references(void **state)
{
	struct tmp_store *t = *state;
	struct manifest_put m = { .repo = "a", .data = "{}", .len = 2 };
	struct digest refs[3], child, *missing;
	const char *tag = "t";
	size_t n;

	refs[0] = tmp_digest("0");
	refs[1] = tmp_digest("1");
	refs[2] = tmp_digest("2");
	child = tmp_digest("child");
	m.digest = tmp_digest("{}");
	m.refs = refs;
	m.nrefs = 3;
	m.children = &child;
	m.nchildren = 1;
	m.tags = &tag;
	m.ntags = 1;
	put_blob(t, "a", "1");
	/* The child's bytes as a blob are not enough. */
	put_blob(t, "a", "child");
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_MISSING);
	assert_int_equal(n, 3);
	assert_true(digest_equal(&missing[0], &refs[0]));
	assert_true(digest_equal(&missing[1], &refs[2]));
	assert_true(digest_equal(&missing[2], &child));
	free(missing);
	assert_int_equal(repo_stat(t->store, "a"), STORE_OK);
	assert_int_equal(tmp_count(t, REPOS "a/_manifests"), -1);

	put_blob(t, "a", "0");
	put_blob(t, "a", "2");
	assert_int_equal(put_manifest(t, "a", "child", NULL), STORE_OK);
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_OK);
	assert_int_equal(n, 0);
}

static void
test_repo_manifest_put_heals_bytes(void **state)
{
	static const char *const damage[] = { "", "{", "[]", "{}{}" };
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("{}");
	char path[LAYOUT_PATH_SIZE];
	size_t i;

	for (i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		tmp_write(t, layout_blob(path, &d), damage[i]);
		assert_int_equal(put_manifest(t, "a", "{}", "t"), STORE_OK);
		assert_string_equal(tmp_read(t, layout_blob(path, &d)), "{}");
	}
}

static void
test_repo_delete_takes_tags_and_referrers(void **state)
{
	struct tmp_store *t = *state;
	struct manifest_put m = { .repo = "a", .data = "signature", .len = 9,
	    .has_subject = true, .artifact_type = "application/sig" };
	struct digest d1 = tmp_digest("one"), d, *missing;
	struct referrer *refs;
	char tag[16], **tags;
	size_t i, n;
	bool more;

	assert_int_equal(put_manifest(t, "a", "one", "keep"), STORE_OK);
	assert_int_equal(put_manifest(t, "a", "two", "keep"), STORE_OK);
	/* More than a page of them. */
	for (i = 0; i < 300; i++) {
		snprintf(tag, sizeof(tag), "t%zu", i);
		assert_int_equal(tag_put(t->store, "a", tag, &d1), STORE_OK);
	}
	m.digest = tmp_digest("signature");
	m.subject = d1;
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_OK);
	assert_int_equal(referrer_list(t->store, "a", &d1, NULL, NULL, 9,
	    &refs, &n, &more), STORE_OK);
	assert_int_equal(n, 1);
	referrers_free(refs, n);

	assert_int_equal(repo_delete_manifest(t->store, "a", &d1), STORE_OK);
	assert_int_equal(tag_list(t->store, "a", NULL, 9, &tags, &n, &more),
	    STORE_OK);
	assert_int_equal(n, 1);
	assert_string_equal(tags[0], "keep");
	store_names_free(tags, n);
	/* The referrer stays until it is deleted itself. */
	assert_int_equal(repo_delete_manifest(t->store, "a", &m.digest),
	    STORE_OK);
	assert_int_equal(referrer_list(t->store, "a", &d1, NULL, NULL, 9,
	    &refs, &n, &more), STORE_OK);
	assert_int_equal(n, 0);
	assert_int_equal(tag_get(t->store, "a", "keep", &d), STORE_OK);
}

/* ---- the list ---- */

static void
check_list(struct tmp_store *t, const char *last, size_t n, const char *want,
    bool want_more)
{
	char text[1024] = "", **names;
	size_t i, nnames;
	bool more;

	assert_int_equal(repo_list(t->store, last, n, &names, &nnames, &more),
	    STORE_OK);
	for (i = 0; i < nnames; i++) {
		strcat(text, names[i]);
		strcat(text, " ");
	}
	store_names_free(names, nnames);
	assert_string_equal(text, want);
	assert_int_equal(more, want_more);
}

static void
make_repo(struct tmp_store *t, const char *name, const char *mark)
{
	char path[512];

	snprintf(path, sizeof(path), REPOS "%s/%s/x", name, mark);
	tmp_write(t, path, "");
}

static void
test_repo_list_order_and_pages(void **state)
{
	struct tmp_store *t = *state;

	check_list(t, NULL, 10, "", false);
	make_repo(t, "a-b", "_manifests");
	make_repo(t, "a", "_layers");
	make_repo(t, "a/b/c", "_manifests");
	make_repo(t, "a/b-c", "_manifests");
	make_repo(t, "a.tmp", "_manifests");
	make_repo(t, "b/_uploads/x", "_manifests");
	make_repo(t, "c", "_uploads");
	make_repo(t, "d/Upper", "_manifests");
	make_repo(t, ".hidden", "_manifests");
	make_repo(t, "z", "_manifests");
	tmp_write(t, REPOS "file", "");

	/* '/' before '-' and '.', as distribution walks. */
	check_list(t, NULL, 100, "a a/b/c a/b-c a-b a.tmp z ", false);
	check_list(t, NULL, 2, "a a/b/c ", true);
	check_list(t, "a", 2, "a/b/c a/b-c ", true);
	check_list(t, "a/b", 1, "a/b/c ", true);
	check_list(t, "a/b/c", 2, "a/b-c a-b ", true);
	check_list(t, "a/b/c/d", 1, "a/b-c ", true);
	check_list(t, "a-b", 9, "a.tmp z ", false);
	check_list(t, "a/zz", 1, "a-b ", true);
	check_list(t, "y", 1, "z ", false);
	check_list(t, "z", 9, "", false);
	check_list(t, "zz", 9, "", false);
	check_list(t, NULL, 0, "", true);
	/* Nonsense as a starting point is only a place in the order. */
	check_list(t, "//", 9, "a a/b/c a/b-c a-b a.tmp z ", false);
	check_list(t, "../..", 9, "a a/b/c a/b-c a-b a.tmp z ", false);
}

static void
test_repo_list_never_descends_before_last(void **state)
{
	struct tmp_store *t = *state;
	char name[64], last[64] = "", **names;
	size_t i, n, seen = 0;
	uint64_t lists;
	bool more = true;

	for (i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "p%02zu/r%zu", i / 20, i % 20);
		make_repo(t, name, "_manifests");
	}
	while (more) {
		assert_int_equal(repo_list(t->store,
		    last[0] != '\0' ? last : NULL, 7, &names, &n, &more),
		    STORE_OK);
		for (i = 0; i < n; i++) {
			assert_true(last[0] == '\0' ||
			    repo_compare(last, names[i]) < 0);
			snprintf(last, sizeof(last), "%s", names[i]);
			seen++;
		}
		store_names_free(names, n);
	}
	assert_int_equal(seen, 400);

	/* Of the twenty parents, only those of the page are opened. */
	lists = sysfs_count(SYSFS_LIST);
	check_list(t, "p18/r8", 2, "p18/r9 p19/r0 ", true);
	assert_true(sysfs_count(SYSFS_LIST) - lists < 10);
}

static void
test_repo_list_uploads_finds_new_names(void **state)
{
	struct tmp_store *t = *state;
	char **names;
	size_t n;
	bool more;

	make_repo(t, "only/uploads", "_uploads");
	make_repo(t, "only", "_manifests");
	assert_int_equal(repo_list_uploads(t->store, NULL, 9, &names, &n,
	    &more), STORE_OK);
	assert_int_equal(n, 1);
	assert_string_equal(names[0], "only/uploads");
	store_names_free(names, n);
	assert_int_equal(repo_stat(t->store, "only/uploads"), STORE_OK);
}

static void
test_repo_compare(void **state)
{
	(void)state;
	assert_true(repo_compare("a", "a") == 0);
	assert_true(repo_compare("a", "a/b") < 0);
	assert_true(repo_compare("a/b", "a-b") < 0);
	assert_true(repo_compare("a/z", "a.b") < 0);
	assert_true(repo_compare("a-b", "a/b") > 0);
	assert_true(repo_compare("b", "a/b") > 0);
	assert_true(repo_compare("a", "ab") < 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_repo_blob_needs_link_and_bytes),
		TEST(test_repo_links_are_as_distribution_writes_them),
		TEST(test_repo_follows_link_content),
		TEST(test_repo_bad_links_are_invalid),
		TEST(test_repo_mount_and_delete_blob),
		TEST(test_repo_manifest_round_trip),
		TEST(test_repo_sha512_manifest),
		TEST(test_repo_manifest_needs_its_references),
		TEST(test_repo_manifest_put_heals_bytes),
		TEST(test_repo_delete_takes_tags_and_referrers),
		TEST(test_repo_list_order_and_pages),
		TEST(test_repo_list_never_descends_before_last),
		TEST(test_repo_list_uploads_finds_new_names),
		cmocka_unit_test(test_repo_compare)
	};

	return cmocka_run_group_tests_name("repo", tests, NULL, NULL);
}
