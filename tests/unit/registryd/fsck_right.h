/* SPDX-License-Identifier: ISC */
/*
 * A right store with one of everything, for tests of checks.  Included by one
 * C file of a program.
 */
#ifndef FSCK_RIGHT_H
#define FSCK_RIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "fsck.h"
#include "raw_store.h"

/* The right store. */
static struct raw_image image, second, nested, referrer;
static struct digest an_index, note;
static int root;
static char path[LAYOUT_PATH_SIZE];

static void
make_right(void)
{
	struct raw_image both[2];

	image = raw_image(root, "a", "v1", 1, 3, 100, "");
	second = raw_image(root, "a", "v2", 2, 1, 5000, "");
	both[0] = image;
	both[1] = second;
	an_index = raw_index(root, "a", "all", both, 2);
	referrer = raw_referrer(root, "a", 3, &image);
	nested = raw_image(root, "a/b-c/d", "latest", 4, 2, 100, "");
	note = raw_manifest(root, "a/b-c/d", "odd", "{\"a\":1}");
	raw_text(root, layout_mediatype(path, "a/b-c/d", &note),
	    "application/vnd.odd");
	raw_put(root, layout_upload_data(path, "a", "1234-5678"), "abc", 3);
	raw_text(root, layout_upload_startedat(path, "a", "1234-5678"),
	    "2026-01-02T03:04:05Z");
	/* A repository that has only begun. */
	raw_put(root, layout_upload_data(path, "new", "1"), "", 0);
	raw_text(root, layout_upload_startedat(path, "new", "1"),
	    "2026-01-02T03:04:05Z");
	raw_text(root, ".registryd/locks/00", "");
	raw_text(root, ".registryd/clock", "");
}

#endif
