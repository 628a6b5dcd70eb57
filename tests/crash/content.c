/* SPDX-License-Identifier: ISC */
/*
 * Blobs and manifests of the scenarios, made once at the start.
 */
#include "content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYER_SIZE	3000	/* more than one sector, not whole ones */
#define OTHER_SIZE	1024
#define TYPE_MANIFEST	"application/vnd.oci.image.manifest.v1+json"
#define TYPE_INDEX	"application/vnd.oci.image.index.v1+json"
#define TYPED		"\"mediaType\":\"" TYPE_MANIFEST "\","

static struct content contents[C_MAX];

/* Bytes that differ in every sector and between seeds. */
static char *
random_text(size_t len, unsigned seed)
{
	char *text;
	size_t i;

	if ((text = malloc(len + 1)) == NULL)
		abort();
	for (i = 0; i < len; i++) {
		seed = seed * 1103515245u + 12345u;
		text[i] = (char)('a' + (seed >> 16) % 26);
	}
	text[len] = '\0';
	return text;
}

static void
content_set(enum content_id id, const char *name, enum digest_alg alg,
    const char *data)
{
	struct content *c = &contents[id];

	c->name = name;
	c->data = data;
	c->len = strlen(data);
	c->subject = C_NONE;
	c->artifact_type = "";
	c->is_manifest = id >= C_FIRST_MANIFEST;
	if (digest_of(&c->digest, alg, c->data, c->len) == -1)
		abort();
}

static size_t
describe(char *dst, size_t size, enum content_id id, const char *type)
{
	char text[DIGEST_STR_SIZE];
	int n;

	n = snprintf(dst, size,
	    "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}", type,
	    digest_format(text, &contents[id].digest), contents[id].len);
	if (n < 0 || (size_t)n >= size)
		abort();
	return (size_t)n;
}

static void
manifest_set(enum content_id id, const char *name, enum content_id layer,
    enum content_id subject, const char *type)
{
	char config[512], blob[512], of[600] = "", *data;
	struct content *c = &contents[id];
	int n;

	describe(config, sizeof(config), C_CONFIG, "application/x-config");
	describe(blob, sizeof(blob), layer, "application/x-layer");
	if (subject != C_NONE) {
		memcpy(of, ",\"subject\":", 12);
		describe(of + 11, sizeof(of) - 11, subject, TYPE_MANIFEST);
	}
	n = asprintf(&data, "{\"schemaVersion\":2,%s\"config\":%s,"
	    "\"layers\":[%s]%s}", type, config, blob, of);
	if (n < 0)
		abort();
	content_set(id, name, DIGEST_SHA256, data);
	c->refs[c->nrefs++] = C_CONFIG;
	c->refs[c->nrefs++] = layer;
	c->subject = subject;
	if (subject != C_NONE)
		c->artifact_type = "application/x-signature";
}

static void
index_set(enum content_id id, const char *name, enum content_id a,
    enum content_id b)
{
	char first[512], second[512], *data;
	struct content *c = &contents[id];
	int n;

	describe(first, sizeof(first), a, TYPE_MANIFEST);
	describe(second, sizeof(second), b, TYPE_MANIFEST);
	n = asprintf(&data, "{\"schemaVersion\":2,\"mediaType\":\""
	    TYPE_INDEX "\",\"manifests\":[%s,%s]}", first, second);
	if (n < 0)
		abort();
	content_set(id, name, DIGEST_SHA256, data);
	c->children[c->nchildren++] = a;
	c->children[c->nchildren++] = b;
}

void
content_init(void)
{
	content_set(C_CONFIG, "config", DIGEST_SHA256, "{\"os\":\"linux\"}");
	content_set(C_LAYER, "layer", DIGEST_SHA256,
	    random_text(LAYER_SIZE, 1));
	content_set(C_OTHER, "other", DIGEST_SHA256,
	    random_text(OTHER_SIZE, 2));
	content_set(C_EMPTY, "empty", DIGEST_SHA256, "");
	content_set(C_SMALL, "small", DIGEST_SHA512, "a few bytes");
	manifest_set(C_ONE, "one", C_LAYER, C_NONE, TYPED);
	manifest_set(C_TWO, "two", C_OTHER, C_NONE, TYPED);
	index_set(C_INDEX, "index", C_ONE, C_TWO);
	manifest_set(C_SIGNATURE, "signature", C_EMPTY, C_ONE, TYPED);
	manifest_set(C_NOTED, "noted", C_LAYER, C_NONE, "");
	contents[C_NOTED].mediatype = TYPE_MANIFEST;
}

const struct content *
content_get(enum content_id id)
{
	return &contents[id];
}

enum content_id
content_find(const struct digest *d)
{
	enum content_id id;

	for (id = 0; id < C_MAX; id++)
		if (digest_equal(&contents[id].digest, d))
			return id;
	return C_NONE;
}

bool
content_is_prefix(const void *data, size_t len)
{
	enum content_id id;

	for (id = 0; id < C_MAX; id++)
		if (len <= contents[id].len &&
		    memcmp(contents[id].data, data, len) == 0)
			return true;
	return false;
}
