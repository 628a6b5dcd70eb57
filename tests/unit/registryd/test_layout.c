/* SPDX-License-Identifier: ISC */
/*
 * layout: every path as distribution has it, and that the longest fits.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "layout.h"
#include "reference.h"

#define R	"docker/registry/v2/repositories/a/b/"
#define OWN	".registryd/repositories/a/b/"
#define HEX \
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void
test_layout_paths(void **state)
{
	char p[LAYOUT_PATH_SIZE];
	struct digest d;

	(void)state;
	assert_int_equal(digest_of(&d, DIGEST_SHA256, "abc", 3), 0);
	assert_string_equal(layout_blob(p, &d),
	    "docker/registry/v2/blobs/sha256/ba/" HEX "/data");
	assert_string_equal(layout_repo(p, "a/b"),
	    "docker/registry/v2/repositories/a/b");
	assert_string_equal(layout_layers(p, "a/b"), R "_layers");
	assert_string_equal(layout_layer(p, "a/b", &d),
	    R "_layers/sha256/" HEX "/link");
	assert_string_equal(layout_manifests(p, "a/b"), R "_manifests");
	assert_string_equal(layout_revision(p, "a/b", &d),
	    R "_manifests/revisions/sha256/" HEX "/link");
	assert_string_equal(layout_tags(p, "a/b"), R "_manifests/tags");
	assert_string_equal(layout_tag(p, "a/b", "t"), R "_manifests/tags/t");
	assert_string_equal(layout_tag_current(p, "a/b", "t"),
	    R "_manifests/tags/t/current/link");
	assert_string_equal(layout_tag_index(p, "a/b", "t", &d),
	    R "_manifests/tags/t/index/sha256/" HEX "/link");
	assert_string_equal(layout_uploads(p, "a/b"), R "_uploads");
	assert_string_equal(layout_upload(p, "a/b", "i"), R "_uploads/i");
	assert_string_equal(layout_upload_data(p, "a/b", "i"),
	    R "_uploads/i/data");
	assert_string_equal(layout_upload_startedat(p, "a/b", "i"),
	    R "_uploads/i/startedat");
	assert_string_equal(layout_referrers(p, "a/b", &d),
	    OWN "_referrers/sha256/" HEX);
	assert_string_equal(layout_referrer(p, "a/b", &d, &d),
	    OWN "_referrers/sha256/" HEX "/sha256:" HEX);
	assert_string_equal(layout_mediatype(p, "a/b", &d),
	    OWN "_mediatypes/sha256/" HEX);
	assert_string_equal(layout_subject(p, "a/b", &d),
	    OWN "_subjects/sha256/" HEX);
}

static void
test_layout_longest_fits(void **state)
{
	char repo[REPO_NAME_SIZE], tag[TAG_SIZE], p[LAYOUT_PATH_SIZE];
	struct digest d;

	(void)state;
	memset(repo, 'a', REPO_NAME_MAX);
	repo[REPO_NAME_MAX] = '\0';
	memset(tag, 'a', TAG_MAX);
	tag[TAG_MAX] = '\0';
	assert_int_equal(digest_of(&d, DIGEST_SHA512, "abc", 3), 0);
	assert_true(strlen(layout_tag_index(p, repo, tag, &d)) > 500);
	assert_true(strlen(layout_referrer(p, repo, &d, &d)) > 500);
	assert_memory_equal(layout_blob(p, &d),
	    "docker/registry/v2/blobs/sha512/dd/ddaf35", 41);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout_paths),
		cmocka_unit_test(test_layout_longest_fits)
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
