/* SPDX-License-Identifier: ISC */
/*
 * One client that pushes a small image and pulls it PULLS times, again and
 * again until it is killed, over a connection that stays:
 *	rounds PORT LABEL-FILE PAUSE-MS
 * Prints a line for each push and pull, "LABEL LABEL WHAT MILLISECONDS", WHAT
 * being push, pull (the first one) or again, and pauses after it; the labels
 * are what the file says when it begins and when it ends.  What goes wrong is
 * told on the standard error.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>
#include <openssl/sha.h>

#include "http.h"

#define BLOB_SIZE	4096
#define DIGEST_SIZE	(7 + 2 * SHA256_DIGEST_LENGTH + 1)
#define LABEL_SIZE	32
#define NTAGS		50
#define PULLS		4	/* more pull than push */

#define OCI		"application/vnd.oci.image."
#define DESCRIPTOR	"{\"mediaType\":\"" OCI "%s\",\"size\":%d," \
			"\"digest\":\"%s\"}"

struct image {
	uint8_t	 blob[BLOB_SIZE];
	char	 digest[DIGEST_SIZE];
	char	 manifest[1024];
	char	 blob_path[256], manifest_path[64], upload_path[256];
};

static double
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void
label_read(const char *path, char label[LABEL_SIZE])
{
	FILE *f = fopen(path, "r");

	if (f == NULL || fscanf(f, "%31s", label) != 1)
		strcpy(label, "none");
	if (f != NULL)
		fclose(f);
}

static void
image_make(struct image *image, unsigned n)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];
	size_t i;

	if (RAND_bytes(image->blob, sizeof(image->blob)) != 1)
		errx(1, "no random bytes");
	SHA256(image->blob, sizeof(image->blob), sum);
	strcpy(image->digest, "sha256:");
	for (i = 0; i < sizeof(sum); i++)
		snprintf(image->digest + 7 + 2 * i, 3, "%02x", sum[i]);
	snprintf(image->manifest, sizeof(image->manifest),
	    "{\"schemaVersion\":2,\"mediaType\":\"" OCI "manifest.v1+json\","
	    "\"config\":" DESCRIPTOR ",\"layers\":[" DESCRIPTOR "]}",
	    "config.v1+json", BLOB_SIZE, image->digest,
	    "layer.v1.tar", BLOB_SIZE, image->digest);
	snprintf(image->upload_path, sizeof(image->upload_path),
	    "/v2/bench/app/blobs/uploads/?digest=%s", image->digest);
	snprintf(image->blob_path, sizeof(image->blob_path),
	    "/v2/bench/app/blobs/%s", image->digest);
	snprintf(image->manifest_path, sizeof(image->manifest_path),
	    "/v2/bench/app/manifests/t%u", n % NTAGS);
}

/* One request; a message where the answer is not as it should be. */
static void
ask(struct http *h, const char *method, const char *path, const char *type,
    const void *data, size_t len, int status, struct http_reply *reply)
{
	char headers[128];

	snprintf(headers, sizeof(headers), "Content-Type: %s\r\n", type);
	if (!http_request(h, method, path, headers, data, len, reply))
		warnx("%s %s: %s", method, path, h->trouble);
	else if (reply->status != status)
		warnx("%s %s: %d", method, path, reply->status);
}

static void
push(struct http *h, const struct image *image)
{
	struct http_reply reply;

	ask(h, "POST", image->upload_path, "application/octet-stream",
	    image->blob, sizeof(image->blob), 201, &reply);
	ask(h, "PUT", image->manifest_path, OCI "manifest.v1+json",
	    image->manifest, strlen(image->manifest), 201, &reply);
}

static void
pull(struct http *h, const struct image *image)
{
	struct http_reply reply;

	ask(h, "GET", image->manifest_path, "text/plain", NULL, 0, 200,
	    &reply);
	ask(h, "GET", image->blob_path, "text/plain", NULL, 0, 200, &reply);
	if (reply.len != sizeof(image->blob) ||
	    memcmp(reply.body, image->blob, sizeof(image->blob)) != 0)
		warnx("GET %s: other bytes", image->blob_path);
}

static void
measure(const char *what, void (*fn)(struct http *, const struct image *),
    struct http *h, const struct image *image, const char *label_path)
{
	char before[LABEL_SIZE], after[LABEL_SIZE];
	double begin, end;

	label_read(label_path, before);
	begin = now_ms();
	fn(h, image);
	end = now_ms();
	label_read(label_path, after);
	printf("%s %s %s %.3f\n", before, after, what, end - begin);
}

int
main(int argc, char *argv[])
{
	struct timespec pause = { 0 };
	struct image image;
	struct http http;
	unsigned n, i;

	if (argc != 4)
		errx(2, "usage: rounds port label-file pause-ms");
	http_init(&http, (uint16_t)strtoul(argv[1], NULL, 10));
	pause.tv_nsec = strtol(argv[3], NULL, 10) * 1000000;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (n = 0;; n++) {
		image_make(&image, n);
		measure("push", push, &http, &image, argv[2]);
		(void)nanosleep(&pause, NULL);
		for (i = 0; i < PULLS; i++) {
			measure(i == 0 ? "pull" : "again", pull, &http,
			    &image, argv[2]);
			(void)nanosleep(&pause, NULL);
		}
	}
}
