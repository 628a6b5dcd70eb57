/* SPDX-License-Identifier: ISC */
/*
 * Writes the files of distribution without any part of ours: one image, one
 * tag, a tag whose link was cut to nothing by a crash, and a temporary file
 * that was never renamed.
 */
#include "foreign.h"

#include <string.h>

#include "layout.h"

static void
write_link(struct world *w, const char *path, enum content_id id)
{
	char text[DIGEST_STR_SIZE];

	digest_format(text, &content_get(id)->digest);
	world_write(w, path, text, strlen(text));
}

static void
write_bytes(struct world *w, enum content_id id)
{
	const struct content *c = content_get(id);
	char path[LAYOUT_PATH_SIZE];

	world_write(w, layout_blob(path, &c->digest), c->data, c->len);
}

enum store_result
foreign_make(struct world *w, enum repo_id id)
{
	const struct digest *one = &content_get(C_ONE)->digest;
	const char *repo = world_repo(id);
	char path[LAYOUT_PATH_SIZE], tag[16];
	enum content_id c;

	write_bytes(w, C_ONE);
	for (c = C_CONFIG; c <= C_LAYER; c++) {
		write_bytes(w, c);
		write_link(w, layout_layer(path, repo,
		    &content_get(c)->digest), c);
	}
	write_link(w, layout_revision(path, repo, one), C_ONE);
	write_link(w, layout_tag_index(path, repo, world_tag(tag, 0), one),
	    C_ONE);
	write_link(w, layout_tag_current(path, repo, tag), C_ONE);
	world_write(w, layout_tag_current(path, repo, world_tag(tag, 1)), "",
	    0);
	strcat(path, ".0123.tmp");
	world_write(w, path, "sha256:", 7);
	return STORE_OK;
}
