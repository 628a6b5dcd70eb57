/* SPDX-License-Identifier: ISC */
/*
 * Stores made file by file, past the code of the store: right ones of any
 * size, and what a test puts into them.  Included by one C file of a program.
 */
#ifndef RAW_STORE_H
#define RAW_STORE_H

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"
#include "layout.h"

#define RAW_IMAGE_TYPE	"application/vnd.oci.image.manifest.v1+json"
#define RAW_INDEX_TYPE	"application/vnd.oci.image.index.v1+json"
#define RAW_LAYERS_MAX	64

struct raw_image {
	struct digest	 manifest, config;
	struct digest	 layers[RAW_LAYERS_MAX];
	size_t		 nlayers, len;	/* of the manifest */
};

static inline void
raw_die(const char *what)
{
	perror(what);
	exit(2);
}

static inline void
raw_mkdirs(int root, const char *path)
{
	char copy[2 * LAYOUT_PATH_SIZE], *slash;

	snprintf(copy, sizeof(copy), "%s", path);
	for (slash = strchr(copy, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(root, copy, 0750) == -1 && errno != EEXIST)
			raw_die(copy);
		*slash = '/';
	}
}

/* A file with its directories. */
static inline void
raw_put(int root, const char *path, const void *data, size_t len)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
	int fd;

	fd = openat(root, path, flags, 0640);
	if (fd == -1 && errno == ENOENT) {
		raw_mkdirs(root, path);
		fd = openat(root, path, flags, 0640);
	}
	if (fd == -1 || write(fd, data, len) != (ssize_t)len)
		raw_die(path);
	close(fd);
}

static inline void
raw_text(int root, const char *path, const char *text)
{
	raw_put(root, path, text, strlen(text));
}

static inline void
raw_link(int root, const char *path, const struct digest *d)
{
	char text[DIGEST_STR_SIZE];

	raw_text(root, path, digest_format(text, d));
}

static inline struct digest
raw_blob(int root, const void *data, size_t len)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d;

	if (digest_of(&d, DIGEST_SHA256, data, len) == -1)
		raw_die("digest");
	raw_put(root, layout_blob(path, &d), data, len);
	return d;
}

static inline void
raw_tag(int root, const char *repo, const char *tag, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	raw_link(root, layout_tag_index(path, repo, tag, d), d);
	raw_link(root, layout_tag_current(path, repo, tag), d);
}

/* A manifest with its link; a tag unless that is NULL. */
static inline struct digest
raw_manifest(int root, const char *repo, const char *tag, const char *text)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d = raw_blob(root, text, strlen(text));

	raw_link(root, layout_revision(path, repo, &d), &d);
	if (tag != NULL)
		raw_tag(root, repo, tag, &d);
	return d;
}

/*
 * An image whose bytes come from "seed"; layers of "size" bytes.  "more" is
 * put into the document, "" or ",\"subject\":...".
 */
static inline struct raw_image
raw_image(int root, const char *repo, const char *tag, unsigned seed,
    size_t nlayers, size_t size, const char *more)
{
	char path[LAYOUT_PATH_SIZE], d[DIGEST_STR_SIZE], *text, *data;
	struct raw_image image = { .nlayers = nlayers };
	size_t i, n, cap = 1024 + nlayers * 256 + strlen(more);

	text = malloc(cap);
	data = calloc(1, size + 64);
	if (text == NULL || data == NULL)
		raw_die("memory");
	n = (size_t)snprintf(data, 64, "{\"seed\":%u}", seed);
	image.config = raw_blob(root, data, n);
	raw_link(root, layout_layer(path, repo, &image.config),
	    &image.config);
	n = (size_t)snprintf(text, cap, "{\"schemaVersion\":2,"
	    "\"mediaType\":\"" RAW_IMAGE_TYPE "\",\"config\":{"
	    "\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
	    "\"digest\":\"%s\",\"size\":%zu},\"layers\":[",
	    digest_format(d, &image.config), n);
	for (i = 0; i < nlayers; i++) {
		memset(data, 0, size);
		snprintf(data, 64, "layer %u %zu", seed, i);
		image.layers[i] = raw_blob(root, data, size);
		raw_link(root, layout_layer(path, repo, &image.layers[i]),
		    &image.layers[i]);
		n += (size_t)snprintf(text + n, cap - n, "%s{\"mediaType\":"
		    "\"application/vnd.oci.image.layer.v1.tar+gzip\","
		    "\"digest\":\"%s\",\"size\":%zu}", i > 0 ? "," : "",
		    digest_format(d, &image.layers[i]), size);
	}
	n += (size_t)snprintf(text + n, cap - n, "]%s}", more);
	image.manifest = raw_manifest(root, repo, tag, text);
	image.len = n;
	free(data);
	free(text);
	return image;
}

/* A manifest of it with this subject, its entry and its note. */
static inline struct raw_image
raw_referrer(int root, const char *repo, unsigned seed,
    const struct raw_image *subject)
{
	char path[LAYOUT_PATH_SIZE], d[DIGEST_STR_SIZE], more[512];
	struct raw_image image;

	snprintf(more, sizeof(more), ",\"artifactType\":\"application/x\","
	    "\"subject\":{\"mediaType\":\"" RAW_IMAGE_TYPE "\","
	    "\"digest\":\"%s\",\"size\":%zu}",
	    digest_format(d, &subject->manifest), subject->len);
	image = raw_image(root, repo, NULL, seed, 1, 100, more);
	raw_text(root, layout_referrer(path, repo, &subject->manifest,
	    &image.manifest), "application/x");
	raw_link(root, layout_subject(path, repo, &image.manifest),
	    &subject->manifest);
	return image;
}

/* An index of these images. */
static inline struct digest
raw_index(int root, const char *repo, const char *tag,
    const struct raw_image *images, size_t n)
{
	char text[8192], d[DIGEST_STR_SIZE];
	size_t i, len;

	len = (size_t)snprintf(text, sizeof(text), "{\"schemaVersion\":2,"
	    "\"mediaType\":\"" RAW_INDEX_TYPE "\",\"manifests\":[");
	for (i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s{\"mediaType\":\"" RAW_IMAGE_TYPE "\",\"digest\":"
		    "\"%s\",\"size\":%zu}", i > 0 ? "," : "",
		    digest_format(d, &images[i].manifest), images[i].len);
	snprintf(text + len, sizeof(text) - len, "]}");
	return raw_manifest(root, repo, tag, text);
}

#endif
