/* SPDX-License-Identifier: ISC */
/*
 * The blobs and manifests of gcstress.  Contents come from their numbers
 * alone, so every process and every run has the same.
 */
#include "world.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST_SIZE	4096
#define TYPE_CONFIG	"application/vnd.oci.image.config.v1+json"
#define TYPE_LAYER	"application/vnd.oci.image.layer.v1.tar"
#define TYPE_IMAGE	"application/vnd.oci.image.manifest.v1+json"
#define TYPE_INDEX	"application/vnd.oci.image.index.v1+json"

struct blob world_blobs[NBLOBS];
struct manifest world_manifests[NMANIFESTS];

const char *
world_repo(unsigned i)
{
	static const char *const names[NREPOS] = { "a", "b/c", "b/d/e" };

	return names[i];
}

const char *
world_tag(unsigned i)
{
	static const char *const names[NTAGS] = { "latest", "v1", "v2", "x" };

	return names[i];
}

static void
set_digest(struct digest *d, const void *data, size_t len)
{
	if (digest_of(d, DIGEST_SHA256, data, len) == -1)
		errx(1, "hash");
}

/* Some small, some larger than a page, one of many pages. */
static void
make_blob(struct blob *b, unsigned number)
{
	unsigned x = number * 2654435761u + 1;
	size_t i;

	b->len = number == 0 ? 200000 : 50 + number * 700;
	if ((b->data = malloc(b->len)) == NULL)
		err(1, NULL);
	for (i = 0; i < b->len; i++) {
		x = x * 1103515245u + 12345u;
		b->data[i] = (char)(x >> 16);
	}
	set_digest(&b->digest, b->data, b->len);
}

static void
add(char *text, const char *more)
{
	if (strlen(text) + strlen(more) >= MANIFEST_SIZE)
		errx(1, "manifest too large");
	strcat(text, more);
}

static void
describe(char *text, const char *type, const struct digest *d, size_t size)
{
	char one[512], name[DIGEST_STR_SIZE];

	snprintf(one, sizeof(one),
	    "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}", type,
	    digest_format(name, d), size);
	add(text, one);
}

static void
finish(struct manifest *m, const char *text)
{
	m->len = strlen(text);
	if ((m->data = strdup(text)) == NULL)
		err(1, NULL);
	set_digest(&m->digest, m->data, m->len);
}

/* Config, one to three layers, and the subject of an artifact. */
static void
make_image(struct manifest *m, unsigned number, int subject)
{
	char text[MANIFEST_SIZE] = "", note[64];
	const struct blob *b;
	unsigned i;

	m->nblobs = 2 + number % 3;
	m->subject = subject;
	add(text, "{\"schemaVersion\":2,\"mediaType\":\"" TYPE_IMAGE "\","
	    "\"config\":");
	for (i = 0; i < m->nblobs; i++) {
		m->blobs[i] = (number * 5 + i * (1 + number % 2)) % NBLOBS;
		b = &world_blobs[m->blobs[i]];
		if (i > 0)
			add(text, i == 1 ? ",\"layers\":[" : ",");
		describe(text, i == 0 ? TYPE_CONFIG : TYPE_LAYER, &b->digest,
		    b->len);
	}
	add(text, "]");
	if (subject != -1) {
		add(text, ",\"artifactType\":\"application/x-test\","
		    "\"subject\":");
		describe(text, TYPE_IMAGE, &world_manifests[subject].digest,
		    world_manifests[subject].len);
	}
	snprintf(note, sizeof(note), ",\"annotations\":{\"n\":\"%u\"}}",
	    number);
	add(text, note);
	finish(m, text);
}

static void
make_index(struct manifest *m, unsigned number)
{
	char text[MANIFEST_SIZE] = "";
	unsigned i;

	m->nchildren = 2;
	m->subject = -1;
	add(text, "{\"schemaVersion\":2,\"mediaType\":\"" TYPE_INDEX "\","
	    "\"manifests\":[");
	for (i = 0; i < m->nchildren; i++) {
		m->children[i] = (number * 3 + i * 2) % NIMAGES;
		if (i > 0)
			add(text, ",");
		describe(text, TYPE_IMAGE,
		    &world_manifests[m->children[i]].digest,
		    world_manifests[m->children[i]].len);
	}
	add(text, "]}");
	finish(m, text);
}

void
world_make(void)
{
	unsigned i;

	for (i = 0; i < NBLOBS; i++)
		make_blob(&world_blobs[i], i);
	for (i = 0; i < NIMAGES; i++)
		make_image(&world_manifests[i], i, -1);
	for (i = 0; i < NINDEXES; i++)
		make_index(&world_manifests[NIMAGES + i], i);
	for (i = 0; i < NARTIFACTS; i++)
		make_image(&world_manifests[NIMAGES + NINDEXES + i],
		    NIMAGES + i, (int)(i * 4));
}

int
world_find_blob(const struct digest *d)
{
	int i;

	for (i = 0; i < NBLOBS; i++)
		if (digest_equal(&world_blobs[i].digest, d))
			return i;
	return -1;
}

int
world_find_manifest(const struct digest *d)
{
	int i;

	for (i = 0; i < NMANIFESTS; i++)
		if (digest_equal(&world_manifests[i].digest, d))
			return i;
	return -1;
}
