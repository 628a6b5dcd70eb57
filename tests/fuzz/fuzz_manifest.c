/* SPDX-License-Identifier: ISC */
/*
 * Manifests: a first line with the Content-Type, then any bytes.  What is
 * taken is read back as the same thing; what is refused has a reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "manifest.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool true_or_bug)
{
	if (!true_or_bug)
		abort();
}

static void
check_same(const struct manifest *a, const struct manifest *b)
{
	check(strcmp(a->mediatype, b->mediatype) == 0);
	check(strcmp(a->artifact_type, b->artifact_type) == 0);
	check(a->kind == b->kind);
	check(a->has_subject == b->has_subject);
	check(!a->has_subject || digest_equal(&a->subject, &b->subject));
}

static void
check_taken(const struct manifest *m, const char *body, size_t len)
{
	struct manifest again;
	struct manifest_refs refs;
	char error[160];

	check(mediatype_ok(m->mediatype));
	check(m->kind != MEDIATYPE_SCHEMA1);
	check(m->blobs.n + m->children.n + m->others.n <=
	    MANIFEST_MAX_DESCRIPTORS);
	check(m->kind == MEDIATYPE_INDEX || m->children.n == 0);
	check(m->kind != MEDIATYPE_INDEX || m->blobs.n == 0);
	check(m->kind != MEDIATYPE_OTHER || m->blobs.n == 0);

	check(manifest_read(&again, body, len,
	    m->told ? NULL : m->mediatype) == 0);
	check_same(m, &again);
	check(manifest_entries(&again, &refs) == 0);
	check(m->kind != MEDIATYPE_INDEX ||
	    refs.n >= m->children.n + m->others.n);
	manifest_refs_done(&refs);
	manifest_done(&again);

	check(manifest_parse(&again, body, len, m->mediatype, error,
	    sizeof(error)) == 0);
	check_same(m, &again);
	check(again.blobs.n == m->blobs.n && again.told == m->told);
	manifest_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
	const char *body;
	char type[300] = "", error[160];
	struct manifest m;
	size_t len, n;

	if (line == NULL)
		return 0;
	n = (size_t)(line - data);
	if (n >= sizeof(type) || memchr(data, '\0', n) != NULL)
		return 0;
	memcpy(type, data, n);
	type[n] = '\0';
	body = (const char *)line + 1;
	len = size - n - 1;

	if (manifest_parse(&m, body, len, type, error, sizeof(error)) == 0) {
		check_taken(&m, body, len);
		manifest_done(&m);
	} else {
		check(error[0] != '\0' && m.doc == NULL);
	}
	check(manifest_read(&m, body, len, NULL) == 0);
	manifest_done(&m);
	return 0;
}
