/* SPDX-License-Identifier: ISC */
/*
 * The lists of registryctl and its counts, read from the directory.
 */
#include <sys/statvfs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "layout.h"
#include "log.h"
#include "reference.h"
#include "registryctl.h"
#include "repo.h"
#include "str.h"
#include "tag.h"
#include "upload.h"

#define PAGE	512

struct totals {
	uint64_t	 repositories, tags, uploads, upload_bytes;
	uint64_t	 blobs, blob_bytes;
};

typedef enum store_result repo_fn(struct store *, const char *repo,
		    struct totals *);
typedef enum store_result pages_fn(struct store *, const char *, size_t,
		    char ***, size_t *, bool *);

/* Call fn for each name of a paged list; NOTFOUND is an empty one. */
static enum store_result
each_repo(struct store *s, pages_fn *list, repo_fn *fn, struct totals *t)
{
	enum store_result r = STORE_OK;
	char last[REPO_NAME_SIZE] = "";
	char **names;
	size_t i, n;
	bool more = true;

	while (more && r == STORE_OK) {
		r = list(s, last[0] != '\0' ? last : NULL, PAGE, &names, &n,
		    &more);
		if (r != STORE_OK)
			return r;
		for (i = 0; i < n && r == STORE_OK; i++)
			r = fn(s, names[i], t);
		if (n > 0)
			str_copy(last, sizeof(last), names[n - 1]);
		store_names_free(names, n);
	}
	return r;
}

static enum store_result
print_repo(struct store *s, const char *repo, struct totals *t)
{
	(void)s;
	(void)t;
	puts(repo);
	return STORE_OK;
}

static enum store_result
each_tag(struct store *s, const char *repo, struct totals *t, bool print)
{
	char last[TAG_SIZE] = "", digest[DIGEST_STR_SIZE];
	enum store_result r = STORE_OK;
	struct digest d;
	char **tags;
	size_t i, n;
	bool more = true;

	while (more && r == STORE_OK) {
		r = tag_list(s, repo, last[0] != '\0' ? last : NULL, PAGE,
		    &tags, &n, &more);
		if (r != STORE_OK)
			break;
		t->tags += n;
		for (i = 0; i < n && print; i++)
			if (tag_get(s, repo, tags[i], &d) == STORE_OK)
				printf("%s %s\n", tags[i],
				    digest_format(digest, &d));
		if (n > 0)
			str_copy(last, sizeof(last), tags[n - 1]);
		store_names_free(tags, n);
	}
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

static enum store_result
count_repo(struct store *s, const char *repo, struct totals *t)
{
	t->repositories++;
	return each_tag(s, repo, t, false);
}

static enum store_result
each_upload(struct store *s, const char *repo, struct totals *t, bool print)
{
	char last[256] = "", path[LAYOUT_PATH_SIZE], size[16], when[32];
	enum store_result r = STORE_OK;
	struct store_stat st;
	char **ids;
	size_t i, n;
	bool more = true;

	while (more && r == STORE_OK) {
		r = upload_list(s, repo, last[0] != '\0' ? last : NULL, PAGE,
		    &ids, &n, &more);
		if (r != STORE_OK)
			break;
		for (i = 0; i < n; i++) {
			if (!upload_id_ok(ids[i]) || store_stat(s,
			    layout_upload_data(path, repo, ids[i]), &st) !=
			    STORE_OK)
				continue;
			t->uploads++;
			t->upload_bytes += st.size;
			if (print)
				printf("%s %s %s %s\n", repo, ids[i],
				    str_bytes(size, sizeof(size), st.size),
				    clock_rfc3339(when, sizeof(when),
				    st.mtime));
		}
		if (n > 0)
			str_copy(last, sizeof(last), ids[n - 1]);
		store_names_free(ids, n);
	}
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

static enum store_result
print_uploads(struct store *s, const char *repo, struct totals *t)
{
	return each_upload(s, repo, t, true);
}

static enum store_result
count_uploads(struct store *s, const char *repo, struct totals *t)
{
	return each_upload(s, repo, t, false);
}

/* Digests of one shard, blobs/<alg>/<hh>. */
static enum store_result
count_shard(struct store *s, enum digest_alg alg, const char *shard,
    struct totals *t)
{
	char dir[LAYOUT_PATH_SIZE], path[LAYOUT_PATH_SIZE];
	char text[DIGEST_STR_SIZE + 1];
	enum store_result r;
	struct store_stat st;
	struct digest d;
	char **names, *last = NULL;
	size_t i, n;
	bool more = true;

	snprintf(dir, sizeof(dir), LAYOUT_BLOBS "/%s/%s",
	    digest_alg_name(alg), shard);
	do {
		r = store_list(s, dir, last, PAGE, &names, &n, &more);
		free(last);
		last = NULL;
		if (r != STORE_OK)
			return r;
		for (i = 0; i < n; i++) {
			snprintf(text, sizeof(text), "%s:%s",
			    digest_alg_name(alg), names[i]);
			if (digest_parse(&d, text) == -1 || store_stat(s,
			    layout_blob(path, &d), &st) != STORE_OK)
				continue;
			t->blobs++;
			t->blob_bytes += st.size;
		}
		if (more && n > 0) {
			last = names[n - 1];
			names[n - 1] = NULL;
		}
		store_names_free(names, n);
	} while (last != NULL);
	return STORE_OK;
}

static enum store_result
count_blobs(struct store *s, enum digest_alg alg, struct totals *t)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	char **shards;
	size_t i, n;
	bool more;

	snprintf(path, sizeof(path), LAYOUT_BLOBS "/%s",
	    digest_alg_name(alg));
	r = store_list(s, path, NULL, 256, &shards, &n, &more);
	if (r == STORE_NOTFOUND)
		return STORE_OK;
	if (r != STORE_OK)
		return r;
	for (i = 0; i < n; i++) {
		r = count_shard(s, alg, shards[i], t);
		/* A file in the way, or a directory that has just gone. */
		if (r != STORE_OK && r != STORE_NOTFOUND)
			break;
		r = STORE_OK;
	}
	store_names_free(shards, n);
	return r;
}

enum ctl_status
ctl_status_command(struct ctl *ctl, int argc, char **argv)
{
	struct store *s = ctl_store(ctl);
	struct totals t = { 0 };
	enum store_result r;
	struct statvfs fs;
	char a[16], b[16];

	(void)argv;
	if (argc != 1)
		ctl_usage();
	if ((r = each_repo(s, repo_list, count_repo, &t)) != STORE_OK ||
	    (r = each_repo(s, repo_list_uploads, count_uploads, &t)) !=
	    STORE_OK || (r = count_blobs(s, DIGEST_SHA256, &t)) != STORE_OK ||
	    (r = count_blobs(s, DIGEST_SHA512, &t)) != STORE_OK)
		return ctl_fail(store_path(s), r);
	printf("directory:    %s\n", store_path(s));
	printf("repositories: %llu\n", (unsigned long long)t.repositories);
	printf("tags:         %llu\n", (unsigned long long)t.tags);
	printf("blobs:        %llu, %s\n", (unsigned long long)t.blobs,
	    str_bytes(a, sizeof(a), t.blob_bytes));
	printf("uploads:      %llu, %s\n", (unsigned long long)t.uploads,
	    str_bytes(a, sizeof(a), t.upload_bytes));
	if (statvfs(store_path(s), &fs) == 0)
		printf("free:         %s of %s\n", str_bytes(a, sizeof(a),
		    (uint64_t)fs.f_bavail * fs.f_frsize), str_bytes(b,
		    sizeof(b), (uint64_t)fs.f_blocks * fs.f_frsize));
	return CTL_OK;
}

enum ctl_status
ctl_repository_list(struct ctl *ctl, int argc, char **argv)
{
	struct totals t = { 0 };
	enum store_result r;

	(void)argv;
	if (argc != 1)
		ctl_usage();
	r = each_repo(ctl_store(ctl), repo_list, print_repo, &t);
	return r == STORE_OK ? CTL_OK : ctl_fail("repositories", r);
}

enum ctl_status
ctl_tag_list(struct ctl *ctl, int argc, char **argv)
{
	struct totals t = { 0 };
	enum store_result r;

	if (argc != 2)
		ctl_usage();
	ctl_repository(argv[1]);
	r = repo_stat(ctl_store(ctl), argv[1]);
	if (r == STORE_OK)
		r = each_tag(ctl->store, argv[1], &t, true);
	return r == STORE_OK ? CTL_OK : ctl_fail(argv[1], r);
}

enum ctl_status
ctl_upload_list(struct ctl *ctl, int argc, char **argv)
{
	struct totals t = { 0 };
	enum store_result r;

	(void)argv;
	if (argc != 1)
		ctl_usage();
	r = each_repo(ctl_store(ctl), repo_list_uploads, print_uploads, &t);
	return r == STORE_OK ? CTL_OK : ctl_fail("uploads", r);
}
