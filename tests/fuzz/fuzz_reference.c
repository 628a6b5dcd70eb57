/* SPDX-License-Identifier: ISC */
/*
 * reference: whatever passes is safe as path components, and fits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "reference.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_component(const char *s, size_t len)
{
	if (len == 0 || s[0] == '.' || memchr(s, '\\', len) != NULL ||
	    memchr(s, '%', len) != NULL)
		abort();
}

static void
check_repo(const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d;
	size_t len;

	memset(&d, 0, sizeof(d));
	d.alg = DIGEST_SHA512;
	layout_revision(path, name, &d);
	if (strlen(name) > REPO_NAME_MAX || strstr(path, "//") != NULL)
		abort();
	for (;;) {
		len = strcspn(name, "/");
		check_component(name, len);
		if (name[0] == '_')
			abort();
		if (name[len] == '\0')
			return;
		name += len + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reference ref;
	char *text;

	if ((text = malloc(size + 1)) == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (repo_name_ok(text))
		check_repo(text);
	if (tag_ok(text)) {
		check_component(text, strlen(text));
		if (strlen(text) > TAG_MAX || strchr(text, '/') != NULL)
			abort();
	}
	if (upload_id_ok(text)) {
		check_component(text, strlen(text));
		if (strlen(text) > UPLOAD_ID_MAX || strchr(text, '/') != NULL)
			abort();
	}
	if (reference_parse(&ref, text) == 0 && !ref.is_digest &&
	    strcmp(ref.tag, text) != 0)
		abort();
	free(text);
	return 0;
}
