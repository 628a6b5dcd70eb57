/* SPDX-License-Identifier: ISC */
/*
 * registryctl: looks at the directory of a registry from the command line.
 * Reads only, as the user who calls it; needs no daemon to run.
 */
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "layout.h"
#include "log.h"
#include "reference.h"
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

static _Noreturn void
usage(void)
{
	fputs("usage: registryctl [-f file] repository list\n"
	    "       registryctl [-f file] tag list repository\n"
	    "       registryctl [-f file] upload list\n"
	    "       registryctl [-f file] status\n"
	    "       registryctl --version\n", stderr);
	exit(2);
}

static void
check(enum store_result r, const char *what)
{
	if (r != STORE_OK)
		fatalx("%s: %s", what, store_result_text(r));
}

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

static void
show_status(struct store *s)
{
	struct totals t = { 0 };
	struct statvfs fs;
	char a[16], b[16];

	check(each_repo(s, repo_list, count_repo, &t), "repositories");
	check(each_repo(s, repo_list_uploads, count_uploads, &t), "uploads");
	check(count_blobs(s, DIGEST_SHA256, &t), "blobs");
	check(count_blobs(s, DIGEST_SHA512, &t), "blobs");
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
}

static struct store *
open_store(const char *file)
{
	extern char **environ;
	struct registry_conf *conf;
	struct store *s;
	int fd;

	if ((conf = conf_load(file, environ, stderr)) == NULL)
		exit(1);
	fd = open(conf->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		fatal("%s", conf->root);
	if ((s = store_fs_new(fd, conf->root, false, STORE_FULL)) == NULL)
		fatal("%s", conf->root);
	conf_free(conf);
	return s;
}

int
main(int argc, char *argv[])
{
	const char *file = NULL;
	struct totals t = { 0 };
	struct store *s;
	int opt;

	log_init("registryctl");
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("registryctl " VERSION);
		return 0;
	}
	while ((opt = getopt(argc, argv, "+f:")) != -1) {
		if (opt != 'f')
			usage();
		file = optarg;
	}
	argc -= optind;
	argv += optind;
	file = conf_path(file);
	if (argc == 1 && strcmp(argv[0], "status") == 0) {
		s = open_store(file);
		show_status(s);
	} else if (argc == 2 && strcmp(argv[0], "repository") == 0 &&
	    strcmp(argv[1], "list") == 0) {
		s = open_store(file);
		check(each_repo(s, repo_list, print_repo, &t), "repositories");
	} else if (argc == 3 && strcmp(argv[0], "tag") == 0 &&
	    strcmp(argv[1], "list") == 0) {
		if (!repo_name_ok(argv[2]))
			fatalx("%s: not the name of a repository", argv[2]);
		s = open_store(file);
		check(repo_stat(s, argv[2]), argv[2]);
		check(each_tag(s, argv[2], &t, true), argv[2]);
	} else if (argc == 2 && strcmp(argv[0], "upload") == 0 &&
	    strcmp(argv[1], "list") == 0) {
		s = open_store(file);
		check(each_repo(s, repo_list_uploads, print_uploads, &t),
		    "uploads");
	} else
		usage();
	store_free(s);
	return fflush(stdout) == 0 ? 0 : 1;
}
