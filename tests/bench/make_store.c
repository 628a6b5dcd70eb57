/* SPDX-License-Identifier: ISC */
/*
 * Makes a store of a given size, right in every way:
 *	make_store DIRECTORY REPOSITORIES TAGS LAYERS [BYTES]
 * Each tag of each repository is an image with that many layers of its own;
 * one of eight has a referrer, and each repository has an index of its first
 * images.  Prints how many blobs and manifests there are.
 */
#include "raw_store.h"

#define INDEX_MAX	4

static unsigned long
number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || n == 0)
		raw_die(text);
	return n;
}

int
main(int argc, char *argv[])
{
	unsigned long repos, tags, layers, bytes = 64, r, t;
	unsigned long blobs = 0, manifests = 0;
	struct raw_image images[INDEX_MAX], image;
	char repo[64], tag[32];
	unsigned seed = 0;
	size_t n;
	int root;

	if (argc < 5 || argc > 6) {
		fputs("usage: make_store directory repositories tags layers "
		    "[bytes]\n", stderr);
		return 2;
	}
	repos = number(argv[2]);
	tags = number(argv[3]);
	layers = number(argv[4]);
	if (argc == 6)
		bytes = number(argv[5]);
	if (layers > RAW_LAYERS_MAX || bytes < 64)
		raw_die("layers or bytes");
	root = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (root == -1)
		raw_die(argv[1]);
	for (r = 0; r < repos; r++) {
		snprintf(repo, sizeof(repo), "group%lu/repo%lu", r / 100, r);
		for (n = t = 0; t < tags; t++) {
			snprintf(tag, sizeof(tag), "v%lu", t);
			image = raw_image(root, repo, tag, seed++, layers,
			    bytes, "");
			blobs += layers + 2;
			manifests++;
			if (n < INDEX_MAX)
				images[n++] = image;
			if (t % 8 != 0)
				continue;
			raw_referrer(root, repo, seed++, &image);
			blobs += 3;
			manifests++;
		}
		raw_index(root, repo, "index", images, n);
		blobs++;
		manifests++;
	}
	printf("%lu blobs, %lu manifests\n", blobs, manifests);
	return 0;
}
