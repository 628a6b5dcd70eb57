/* SPDX-License-Identifier: ISC */
/*
 * More damage: what repositories say of manifests, tags and uploads.
 * Included behind fsck_damage.h.
 */
#ifndef FSCK_DAMAGE_REPO_H
#define FSCK_DAMAGE_REPO_H

#include "fsck_damage.h"

static void
d_repo_name(void)
{
	raw_text(root, LAYOUT_REPOSITORIES "/UPPER/_layers/x.tmp", "");
}

static void
d_repo_empty(void)
{
	raw_mkdirs(root, LAYOUT_REPOSITORIES "/gone/x");
}

static void
d_revision_blob(void)
{
	drop(manifest_path());
}

static void
d_manifest_large(void)
{
	int fd = openat(root, manifest_path(), O_WRONLY);

	assert_int_equal(ftruncate(fd, 5 * 1024 * 1024), 0);
	close(fd);
}

static void
d_manifest_flip(void)
{
	overwrite(manifest_path(), "{\"schemaVersion\":2}");
}

static void
d_manifest_unknown(void)
{
	raw_manifest(root, "a", "text", "no JSON");
}

static void
d_manifest_malformed(void)
{
	raw_manifest(root, "a", "bad", "{\"schemaVersion\":2,\"mediaType\":\""
	    RAW_IMAGE_TYPE "\",\"config\":{\"digest\":\"md5:1\"},"
	    "\"layers\":[]}");
}

static void
d_config_missing(void)
{
	drop(layout_blob(path, &image.config));
}

static void
d_layer_missing(void)
{
	drop(layer_path());
}

static void
d_layer_unlinked(void)
{
	drop(link_path());
}

static void
d_child_missing(void)
{
	drop(layout_revision(path, "a", &second.manifest));
}

static void
d_descriptor_size(void)
{
	char text[512], d[DIGEST_STR_SIZE];

	snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"mediaType\":\""
	    RAW_IMAGE_TYPE "\",\"config\":{\"mediaType\":\"a/b\",\"size\":7,"
	    "\"digest\":\"%s\"},\"layers\":[]}",
	    digest_format(d, &image.config));
	raw_manifest(root, "a", "size", text);
}

static void
d_tag_name(void)
{
	raw_link(root, LAYOUT_REPOSITORIES "/a/_manifests/tags/-bad/current/"
	    "link", &image.manifest);
}

static void
d_tag_empty(void)
{
	drop(layout_tag_current(path, "a", "v1"));
}

static void
d_tag_short(void)
{
	overwrite(layout_tag_current(path, "a", "v1"), "sha2");
}

static void
d_tag_missing(void)
{
	drop(layout_revision(path, "a/b-c/d", &nested.manifest));
}

static void
d_tag_index_missing(void)
{
	drop(layout_tag_index(path, "a", "v1", &image.manifest));
}

static void
d_tag_index_dangling(void)
{
	struct digest d;

	assert_int_equal(digest_parse(&d, OTHER), 0);
	raw_link(root, layout_tag_index(path, "a", "v1", &d), &d);
}

static void
d_referrer_name(void)
{
	layout_referrers(path, "a", &image.manifest);
	snprintf(to, sizeof(to), "%s/abc", path);
	raw_text(root, to, "a/b");
}

static void
d_referrer_malformed(void)
{
	overwrite(layout_referrer(path, "a", &image.manifest,
	    &referrer.manifest), "not a type");
}

static void
d_referrer_orphan(void)
{
	struct digest d;

	assert_int_equal(digest_parse(&d, OTHER), 0);
	raw_text(root, layout_referrer(path, "a", &image.manifest, &d),
	    "a/b");
}

static void
d_referrer_mismatch(void)
{
	raw_text(root, layout_referrer(path, "a", &second.manifest,
	    &referrer.manifest), "application/x");
}

static void
d_referrer_missing(void)
{
	drop(layout_referrer(path, "a", &image.manifest,
	    &referrer.manifest));
}

static void
d_subject_missing(void)
{
	drop(layout_subject(path, "a", &referrer.manifest));
}

static void
d_subject_mismatch(void)
{
	raw_link(root, layout_subject(path, "a", &referrer.manifest),
	    &second.manifest);
}

static void
d_subject_orphan(void)
{
	struct digest d;

	assert_int_equal(digest_parse(&d, OTHER), 0);
	raw_link(root, layout_subject(path, "a", &d), &image.manifest);
}

static void
d_mediatype_malformed(void)
{
	overwrite(layout_mediatype(path, "a/b-c/d", &note), "nothing");
}

static void
d_mediatype_orphan(void)
{
	raw_text(root, layout_mediatype(path, "a", &image.layers[0]), "a/b");
}

static void
d_upload_name(void)
{
	raw_text(root, LAYOUT_REPOSITORIES "/a/_uploads/.x/data", "");
}

static void
d_upload_data(void)
{
	drop(layout_upload_data(path, "a", "1234-5678"));
}

static void
d_upload_started(void)
{
	drop(layout_upload_startedat(path, "a", "1234-5678"));
}

static void
d_upload_started_malformed(void)
{
	overwrite(layout_upload_startedat(path, "a", "1234-5678"),
	    "yesterday");
}

#endif
