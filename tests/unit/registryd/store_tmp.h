/* SPDX-License-Identifier: ISC */
/*
 * For tests of the store: a store on a new temporary directory, ways to look
 * at the files behind its back, and content to put there.
 */
#ifndef STORE_TMP_H
#define STORE_TMP_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"
#include "layout.h"
#include "store.h"

struct tmp_store {
	char		 dir[256];
	struct store	*store;
};

static inline struct store *
tmp_reopen(const char *dir, bool writable, enum store_durability durability)
{
	struct store *s;
	int fd;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	s = store_fs_new(fd, dir, writable, durability);
	assert_non_null(s);
	return s;
}

static inline void
tmp_open(struct tmp_store *t)
{
	const char *base = getenv("TMPDIR");

	/* Thousands of syncs: in memory, unless the caller says where. */
	if (base == NULL)
		base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(t->dir, sizeof(t->dir), "%s/registryd-test.XXXXXX", base);
	assert_non_null(mkdtemp(t->dir));
	t->store = tmp_reopen(t->dir, true, STORE_FULL);
}

static inline int
tmp_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
tmp_close(struct tmp_store *t)
{
	store_free(t->store);
	assert_int_equal(nftw(t->dir, tmp_remove, 16, FTW_DEPTH | FTW_PHYS),
	    0);
}

static inline int
tmp_setup(void **state)
{
	struct tmp_store *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	tmp_open(t);
	*state = t;
	return 0;
}

static inline int
tmp_teardown(void **state)
{
	tmp_close(*state);
	free(*state);
	return 0;
}

static inline const char *
tmp_path(const struct tmp_store *t, const char *path)
{
	static char full[2048];

	snprintf(full, sizeof(full), "%s/%s", t->dir, path);
	return full;
}

static inline bool
tmp_exists(const struct tmp_store *t, const char *path)
{
	struct stat st;

	return lstat(tmp_path(t, path), &st) == 0;
}

/* Behind the store's back, with directories, as another program would. */
static inline void
tmp_write(const struct tmp_store *t, const char *path, const char *text)
{
	char full[2048], *p;
	FILE *f;

	snprintf(full, sizeof(full), "%s", tmp_path(t, path));
	for (p = full + strlen(t->dir) + 1; (p = strchr(p, '/')) != NULL;
	    p++) {
		*p = '\0';
		assert_true(mkdir(full, 0777) == 0 || errno == EEXIST);
		*p = '/';
	}
	assert_non_null(f = fopen(full, "w"));
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* What a file holds; a static buffer. */
static inline const char *
tmp_read(const struct tmp_store *t, const char *path)
{
	static char text[4096];
	size_t n;
	FILE *f;

	if ((f = fopen(tmp_path(t, path), "r")) == NULL)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

/* Entries of a directory, "." and ".." left out; -1 when there is none. */
static inline int
tmp_count(const struct tmp_store *t, const char *path)
{
	struct store *s = t->store;
	char **names;
	size_t n;
	bool more;

	if (store_list(s, path, NULL, 100000, &names, &n, &more) != STORE_OK)
		return -1;
	store_names_free(names, n);
	return (int)n;
}

static inline struct digest
tmp_digest(const char *text)
{
	struct digest d;

	assert_int_equal(digest_of(&d, DIGEST_SHA256, text, strlen(text)), 0);
	return d;
}

#endif
