/* SPDX-License-Identifier: ISC */
/*
 * The kinds of damage that a check must find in a right store, each done by a
 * function of its own.  Included by one C file of a program.
 */
#ifndef FSCK_DAMAGE_H
#define FSCK_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/xattr.h>

#include "fsck_right.h"

#define NONCES	"00000000000000a1.00000000000000b2"
#define OTHER	"sha256:00000000000000000000000000000000" \
		"0123456789abcdef0123456789abcdef"

static char to[LAYOUT_PATH_SIZE + 64];

/* ---- damage ---- */

static char *
manifest_path(void)
{
	return layout_blob(path, &image.manifest);
}

static char *
layer_path(void)
{
	return layout_blob(path, &image.layers[0]);
}

static char *
link_path(void)
{
	return layout_layer(path, "a", &image.layers[0]);
}

static void
overwrite(const char *name, const char *text)
{
	struct stat st;

	/* Only what is there. */
	assert_int_equal(fstatat(root, name, &st, 0), 0);
	raw_text(root, name, text);
}

static void
drop(const char *name)
{
	assert_int_equal(unlinkat(root, name, 0), 0);
}

static void
condemn(const char *name, bool keep)
{
	snprintf(to, sizeof(to), "%s.condemned." NONCES, name);
	if (keep)
		raw_text(root, to, "x");
	else
		assert_int_equal(renameat(root, name, root, to), 0);
}

static void
replace_by_dir(const char *name)
{
	drop(name);
	assert_int_equal(mkdirat(root, name, 0750), 0);
}

static void
d_symlink(void)
{
	drop(layer_path());
	assert_int_equal(symlinkat("/etc/passwd", root, path), 0);
}

static void
d_symlink_dir(void)
{
	snprintf(to, sizeof(to), "%s/repositories/linked",
	    "docker/registry/v2");
	assert_int_equal(symlinkat("a", root, to), 0);
}

static void
d_fifo(void)
{
	drop(link_path());
	assert_int_equal(mkfifoat(root, path, 0640), 0);
}

static void
d_directory(void)
{
	replace_by_dir(layer_path());
}

static void
d_tag_directory(void)
{
	replace_by_dir(layout_tag_current(path, "a", "v1"));
}

static void
d_file_for_directory(void)
{
	raw_text(root, LAYOUT_BLOBS "/sha256/zz", "");
	drop(LAYOUT_BLOBS "/sha256/zz");
	raw_text(root, LAYOUT_REPOSITORIES "/f/_manifests", "");
}

static void
d_mode(void)
{
	assert_int_equal(fchmodat(root, layer_path(), 0000, 0), 0);
}

static void
d_mode_dir(void)
{
	assert_int_equal(fchmodat(root, LAYOUT_REPOSITORIES "/a/_layers",
	    0550, 0), 0);
}

static void
d_world(void)
{
	assert_int_equal(fchmodat(root, manifest_path(), 0666, 0), 0);
}

static void
d_owner(void)
{
	assert_int_equal(fchownat(root, manifest_path(), 12345, 12345, 0),
	    0);
}

static void
d_stray(void)
{
	raw_text(root, LAYOUT_BLOBS "/sha256/README", "");
}

static void
d_stray_in_repo(void)
{
	raw_text(root, LAYOUT_REPOSITORIES "/a/notes.txt", "");
}

static void
d_stray_beside_data(void)
{
	snprintf(to, sizeof(to), "%s.bak", manifest_path());
	raw_text(root, to, "");
}

static void
d_stray_top(void)
{
	raw_text(root, "docker/registry/v3/x", "");
}

static void
d_foreign(void)
{
	raw_text(root, LAYOUT_REPOSITORIES "/a/_other/link", "");
}

static void
d_temporary(void)
{
	snprintf(to, sizeof(to), "%s.0123.tmp", link_path());
	raw_text(root, to, "");
}

static void
d_own_tmp(void)
{
	raw_text(root, LAYOUT_TMP "/0123", "");
}

static void
d_trash(void)
{
	raw_text(root, LAYOUT_TRASH "/0123/link", "");
}

static void
d_quarantine(void)
{
	raw_text(root, ".registryd/quarantine/x", "");
}

static void
d_deep(void)
{
	size_t i, len = 0;

	/* Each component a name; together longer than a name may be. */
	len = (size_t)snprintf(to, sizeof(to), LAYOUT_REPOSITORIES);
	for (i = 0; i < 150; i++)
		len += (size_t)snprintf(to + len, sizeof(to) - len, "/a");
	raw_mkdirs(root, to);
}

static void
d_blob_name(void)
{
	raw_text(root, LAYOUT_BLOBS "/sha256/ab/abcdef/data", "");
}

static void
d_shard(void)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(hex, &image.layers[0]);
	snprintf(to, sizeof(to), LAYOUT_BLOBS "/sha256/%s/%s/data",
	    strncmp(hex, "00", 2) == 0 ? "01" : "00", hex);
	raw_text(root, to, "x");
}

static void
d_blob_empty(void)
{
	raw_text(root, LAYOUT_BLOBS "/sha256/00/0000000000000000000000000000"
	    "0000000000000000000000000000000000ab/x.tmp", "");
	drop(LAYOUT_BLOBS "/sha256/00/00000000000000000000000000000000000000"
	    "000000000000000000000000ab/x.tmp");
}

static void
d_flip(void)
{
	char data[100] = "other bytes";

	raw_put(root, layer_path(), data, sizeof(data));
}

static void
d_truncated(void)
{
	overwrite(layer_path(), "layer");
}

static void
d_zero(void)
{
	overwrite(layer_path(), "");
}

static void
d_longer(void)
{
	char data[200] = "layer 1 0";

	raw_put(root, layer_path(), data, sizeof(data));
}

static void
d_mark(void)
{
	int fd = openat(root, layer_path(), O_RDONLY);

	/* Where there are no attributes the kind is not met. */
	assert_int_equal(fsetxattr(fd, "user.registryd.size", "7", 1, 0), 0);
	close(fd);
}

static void
d_hardlink(void)
{
	assert_int_equal(linkat(root, layer_path(), root, "elsewhere", 0),
	    0);
}

static void
d_unreferenced(void)
{
	raw_blob(root, "nobody's", 8);
}

static void
d_condemned(void)
{
	condemn(layer_path(), false);
}

static void
d_condemned_live(void)
{
	condemn(layer_path(), true);
}

static void
d_link_name(void)
{
	raw_text(root, LAYOUT_REPOSITORIES "/a/_layers/sha256/xyz/link", "");
}

static void
d_link_absent(void)
{
	/* A directory that nothing needs. */
	struct digest d = raw_blob(root, "x", 1);

	raw_link(root, layout_layer(path, "a", &d), &d);
	drop(path);
}

static void
d_link_empty(void)
{
	overwrite(link_path(), "");
}

static void
d_link_short(void)
{
	overwrite(link_path(), "sha256:0123");
}

static void
d_link_malformed(void)
{
	overwrite(link_path(), "sha256:XYZ45678901234567890123456789012"
	    "34567890123456789012345678901234");
}

static void
d_link_space(void)
{
	char text[DIGEST_STR_SIZE + 1];

	digest_format(text, &image.layers[0]);
	strcat(text, "\n");
	overwrite(link_path(), text);
}

static void
d_link_elsewhere(void)
{
	raw_link(root, link_path(), &image.layers[1]);
}

static void
d_revision_elsewhere(void)
{
	raw_link(root, layout_revision(path, "a", &image.manifest),
	    &second.manifest);
}

static void
d_link_hardlink(void)
{
	assert_int_equal(linkat(root, link_path(), root, "elsewhere", 0), 0);
}

static void
d_link_pending(void)
{
	layout_revision(path, "a", &image.manifest);
	snprintf(to, sizeof(to), "%s.pending.0123456789abcdef", path);
	raw_link(root, to, &image.manifest);
}

static void
d_link_condemned(void)
{
	condemn(layout_revision(path, "a", &referrer.manifest), false);
}

static void
d_link_condemned_live(void)
{
	layout_revision(path, "a", &image.manifest);
	snprintf(to, sizeof(to), "%s.condemned." NONCES, path);
	raw_link(root, to, &image.manifest);
}

static void
d_layer_blob_missing(void)
{
	struct digest d = raw_blob(root, "x", 1);

	raw_link(root, layout_layer(path, "a", &d), &d);
	drop(layout_blob(path, &d));
}

#endif
