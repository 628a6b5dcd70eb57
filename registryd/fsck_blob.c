/* SPDX-License-Identifier: ISC */
/*
 * The tree of blobs in a check: fills the table of what is there, hashes
 * bytes when asked, and tells what nobody refers to.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsck_state.h"
#include "layout.h"
#include "store_fs.h"
#include "str.h"
#include "sysfs.h"

#define HASH_BUFFER	(256u * 1024)

struct blob {
	struct digest	 digest;
	struct fsck_entry *entry;
};

/* ---- bytes ---- */

/* FSCK_BYTES_OK or FSCK_BYTES_BAD; 0 when they could not be read. */
static unsigned
hash_fd(struct fsck *f, int fd, const struct digest *want)
{
	struct digest_ctx *ctx = digest_ctx_new(want->alg);
	uint64_t offset = 0;
	struct digest got;
	unsigned flag = 0;
	ssize_t n = -1;

	if (f->buffer == NULL)
		f->buffer = malloc(HASH_BUFFER);
	if (ctx == NULL || f->buffer == NULL) {
		digest_ctx_free(ctx);
		fsck_stop(f, STORE_NOMEM);
		return 0;
	}
	while ((n = sysfs_pread(fd, f->buffer, HASH_BUFFER, offset)) > 0) {
		if (digest_ctx_update(ctx, f->buffer, (size_t)n) == -1)
			break;
		offset += (uint64_t)n;
		f->report->hashed_bytes += (uint64_t)n;
		if (f->options.progress != NULL && n == HASH_BUFFER)
			f->options.progress(f->report,
			    f->options.progress_arg);
	}
	if (n == -1)
		fsck_report(f, FSCK_UNREADABLE, "at byte %llu: %s",
		    (unsigned long long)offset, strerror(errno));
	if (n == 0 && digest_ctx_result(ctx, &got) == 0)
		flag = digest_equal(&got, want) ? FSCK_BYTES_OK :
		    FSCK_BYTES_BAD;
	if (flag == FSCK_BYTES_BAD)
		fsck_report(f, FSCK_BLOB_DIGEST, "%llu bytes",
		    (unsigned long long)offset);
	digest_ctx_free(ctx);
	return flag;
}

/* The size that the store has noted with the file, if it has. */
static void
check_mark(struct fsck *f, int fd, uint64_t size)
{
	char text[FS_MARK_TEXT_SIZE];
	uint64_t noted;
	ssize_t n;

	n = sysfs_marked(fd, FS_MARK, text, sizeof(text));
	if (n == -1 || (str_parse_u64(text, (size_t)n, UINT64_MAX,
	    &noted) == 0 && noted == size))
		return;
	fsck_report(f, FSCK_BLOB_MARK, "%llu bytes, noted \"%.*s\"",
	    (unsigned long long)size, (int)n, text);
}

/* The path is that of the file. */
static void
hash_file(struct fsck *f, int dirfd, const char *name, const struct blob *b)
{
	int fd;

	fd = sysfs_open(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -1) {
		if (errno != ENOENT)
			fsck_report(f, FSCK_UNREADABLE, "%s",
			    strerror(errno));
		return;
	}
	b->entry->flags |= hash_fd(f, fd, &b->digest);
	check_mark(f, fd, b->entry->size);
	sysfs_close(fd);
}

struct fsck_entry *
fsck_find_blob(struct fsck *f, const struct digest *d)
{
	struct fsck_entry *e = fsck_table_find(&f->blobs, d);
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;

	if (e != NULL && (e->flags & (FSCK_LIVE | FSCK_CONDEMNED)) != 0)
		return e;
	/* It may have come since. */
	if (store_stat(f->store, layout_blob(path, d), &st) != STORE_OK ||
	    st.is_dir)
		return NULL;
	if ((e = fsck_table_add(&f->blobs, d)) == NULL) {
		fsck_stop(f, STORE_NOMEM);
		return NULL;
	}
	e->size = st.size;
	e->flags |= FSCK_LIVE;
	return e;
}

bool
fsck_hash_blob(struct fsck *f, const struct digest *d)
{
	struct blob b = { *d, fsck_find_blob(f, d) };
	char path[LAYOUT_PATH_SIZE], saved[FSCK_PATH_SIZE];
	size_t len = f->len;

	if (b.entry == NULL)
		return false;
	if ((b.entry->flags & (FSCK_BYTES_OK | FSCK_BYTES_BAD)) == 0) {
		memcpy(saved, f->path, len + 1);
		fsck_pop(f, 0);
		fsck_push(f, layout_blob(path, d));
		hash_file(f, f->root, path, &b);
		memcpy(f->path, saved, len + 1);
		f->len = len;
	}
	return (b.entry->flags & FSCK_BYTES_OK) != 0;
}

/* ---- the walk ---- */

static void
take_data(struct fsck *f, int dirfd, const char *name, struct blob *b,
    unsigned flag)
{
	struct stat st;

	if (sysfs_stat(dirfd, name, &st) == -1) {
		if (errno != ENOENT)
			fsck_report(f, FSCK_UNREADABLE, "%s",
			    strerror(errno));
		return;
	}
	fsck_check_mode(f, &st);
	if (fsck_has_other_names(f, &st))
		fsck_report(f, FSCK_BLOB_HARDLINK, "%u names",
		    (unsigned)st.st_nlink);
	fsck_count(f);
	f->report->blobs++;
	f->report->blob_bytes += (uint64_t)st.st_size;
	if (flag == FSCK_CONDEMNED)
		fsck_report(f, FSCK_BLOB_CONDEMNED, "%s", "");
	/* The live one counts. */
	if (flag == FSCK_LIVE || (b->entry->flags & FSCK_LIVE) == 0)
		b->entry->size = (uint64_t)st.st_size;
	b->entry->flags |= flag;
	if (f->options.strict && flag == FSCK_LIVE)
		hash_file(f, dirfd, name, b);
}

static void
on_data(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	struct blob *b = arg;
	bool live = strcmp(name, "data") == 0;

	if (!live && !fsck_is_condemned(name, "data"))
		fsck_unknown_name(f, name);
	else if (fsck_is(f, type, DT_REG))
		take_data(f, dirfd, name, b, live ? FSCK_LIVE :
		    FSCK_CONDEMNED);
}

static int
parse_hex(struct digest *d, enum digest_alg alg, const char *hex)
{
	char text[DIGEST_STR_SIZE];
	int n;

	n = snprintf(text, sizeof(text), "%s:%s", digest_alg_name(alg), hex);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -1;
	return digest_parse(d, text);
}

struct shard {
	enum digest_alg	 alg;
	const char	*name;		/* "ab" */
};

static void
on_blob(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	const unsigned both = FSCK_LIVE | FSCK_CONDEMNED;
	const struct shard *shard = arg;
	struct blob b;

	if (parse_hex(&b.digest, shard->alg, name) == -1) {
		fsck_report(f, FSCK_BLOB_NAME, "%s", "");
		return;
	}
	if (!fsck_is(f, type, DT_DIR))
		return;
	if (strncmp(name, shard->name, 2) != 0) {
		fsck_report(f, FSCK_BLOB_SHARD, "belongs in %.2s", name);
		return;
	}
	if ((b.entry = fsck_table_add(&f->blobs, &b.digest)) == NULL) {
		fsck_stop(f, STORE_NOMEM);
		return;
	}
	if (fsck_directory(f, dirfd, name, on_data, &b) != 0)
		return;
	if ((b.entry->flags & both) == 0)
		fsck_report(f, FSCK_BLOB_EMPTY, "%s", "");
	else if ((b.entry->flags & both) == both)
		fsck_report(f, FSCK_BLOB_CONDEMNED_LIVE, "%s", "");
}

static void
on_shard(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	struct shard shard = { *(enum digest_alg *)arg, name };

	if (strlen(name) != 2 || strspn(name, "0123456789abcdef") != 2) {
		fsck_unknown_name(f, name);
		return;
	}
	if (fsck_is(f, type, DT_DIR))
		fsck_directory(f, dirfd, name, on_blob, &shard);
}

static void
on_alg(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	enum digest_alg alg;

	(void)arg;
	if (digest_alg_parse(&alg, name) == -1)
		fsck_unknown_name(f, name);
	else if (fsck_is(f, type, DT_DIR))
		fsck_directory(f, dirfd, name, on_shard, &alg);
}

void
fsck_blobs(struct fsck *f)
{
	size_t old = fsck_push(f, LAYOUT_BLOBS);

	fsck_directory(f, f->root, LAYOUT_BLOBS, on_alg, NULL);
	fsck_pop(f, old);
}

/* ---- what nobody refers to ---- */

struct again {
	struct fsck	*f;
	enum digest_alg	 alg;
};

static int
on_name_again(const char *name, unsigned char type, void *arg)
{
	const struct again *again = arg;
	struct fsck *f = again->f;
	const struct fsck_entry *e;
	struct digest d;
	size_t old;

	(void)type;
	if (parse_hex(&d, again->alg, name) == -1 ||
	    (e = fsck_table_find(&f->blobs, &d)) == NULL ||
	    (e->flags & (FSCK_LIVE | FSCK_LINKED)) != FSCK_LIVE)
		return 0;
	old = fsck_push(f, name);
	fsck_report(f, FSCK_BLOB_UNREFERENCED, "%llu bytes",
	    (unsigned long long)e->size);
	fsck_pop(f, old);
	return 0;
}

/*
 * The table has no names, so the directories are listed again; what is wrong
 * with them has been reported.
 */
static void
list_unreferenced(struct fsck *f, enum digest_alg alg, unsigned shard)
{
	struct again again = { f, alg };
	char path[LAYOUT_PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), LAYOUT_BLOBS "/%s/%02x",
	    digest_alg_name(alg), shard);
	fd = sysfs_open(f->root, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return;
	fsck_pop(f, 0);
	fsck_push(f, path);
	sysfs_list(fd, on_name_again, &again);
	fsck_pop(f, 0);
}

void
fsck_unreferenced(struct fsck *f)
{
	const struct fsck_entry *e;
	uint64_t n = 0;
	unsigned shard;
	size_t i;

	for (i = 0; i < f->blobs.cap; i++) {
		e = &f->blobs.entries[i];
		if ((e->flags & (FSCK_LIVE | FSCK_LINKED)) == FSCK_LIVE)
			n++;
	}
	if (n == 0)
		return;
	for (shard = 0; shard < 256; shard++) {
		list_unreferenced(f, DIGEST_SHA256, shard);
		list_unreferenced(f, DIGEST_SHA512, shard);
	}
}
