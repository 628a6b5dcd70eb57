/* SPDX-License-Identifier: ISC */
/*
 * Where the files of a layout come from: a directory, or an archive, which
 * can be read but once.  Of an archive small files are kept in memory, since
 * which of them are manifests shows later; large blobs go into the store at
 * once.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "import_state.h"
#include "tar.h"

static uint64_t
small_max(const char *name)
{
	return strcmp(name, "index.json") == 0 ? IMPORT_INDEX : IMPORT_SMALL;
}

/* ---- a directory ---- */

static int
open_file(struct import *im, const char *name, struct stat *st)
{
	int fd;

	fd = openat(im->options->dirfd, name, O_RDONLY | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return -1;
	if (fstat(fd, st) == -1 || !S_ISREG(st->st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

/* Root has become somebody else by now. */
static int
fail_open(struct import *im, const char *name)
{
	if (errno == EACCES)
		return import_stop(im, "%s: the owner of the registry's "
		    "directory may not read it: let him, or import an "
		    "archive from standard input", name);
	if (errno == EINVAL)
		return import_fail(im, "%s: not a file", name);
	return import_stop(im, "%s: %s", name, strerror(errno));
}

static ssize_t
read_fd(struct import *im, void *data, size_t len, void *arg)
{
	const int *fd = arg;
	ssize_t n;

	do
		n = read(*fd, data, len);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		import_stop(im, "reading the layout: %s", strerror(errno));
	return n;
}

static int
small_file(struct import *im, const char *name, char **data, size_t *len)
{
	struct stat st;
	ssize_t n = 0;
	size_t got = 0;
	int fd;

	if ((fd = open_file(im, name, &st)) == -1)
		return errno == ENOENT ? 0 : fail_open(im, name);
	if (st.st_size > (off_t)small_max(name)) {
		close(fd);
		return import_fail(im, "%s: too large for what it is", name);
	}
	if ((*data = malloc((size_t)st.st_size + 1)) == NULL) {
		close(fd);
		return import_stop(im, "out of memory");
	}
	while (got < (size_t)st.st_size && (n = read_fd(im, *data + got,
	    (size_t)st.st_size - got, &fd)) > 0)
		got += (size_t)n;
	close(fd);
	if (n == -1) {
		free(*data);
		return -1;
	}
	(*data)[got] = '\0';
	*len = got;
	return 1;
}

/* ---- an archive ---- */

struct member {				/* what is left of one */
	uint64_t	 left;
};

static ssize_t
read_member(struct import *im, void *data, size_t len, void *arg)
{
	struct member *m = arg;
	ssize_t n;

	if (len > m->left)
		len = (size_t)m->left;
	if (len == 0)
		return 0;
	do
		n = read(im->options->tarfd, data, len);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		import_stop(im, "reading the archive: %s", strerror(errno));
	else if (n == 0) {
		import_fail(im, "the archive ends in the middle of a file");
		n = -1;
	} else
		m->left -= (uint64_t)n;
	return n;
}

/* Exactly len bytes.  1; 0: at the end before the first; -1 and failed. */
static int
read_exactly(struct import *im, void *data, size_t len, bool end_ok)
{
	char *p = data;
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = read(im->options->tarfd, p + got, len - got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return import_stop(im, "reading the archive: %s",
			    strerror(errno));
		if (n == 0 && got == 0 && end_ok)
			return 0;
		if (n == 0)
			return import_fail(im, "the archive ends too early, "
			    "or is none");
		got += (size_t)n;
	}
	return 1;
}

static int
skip(struct import *im, uint64_t len)
{
	struct member m = { len };
	ssize_t n;

	while ((n = read_member(im, im->buffer, IMPORT_COPY_SIZE, &m)) > 0)
		continue;
	return n == -1 ? -1 : 0;
}

static int
keep(struct import *im, const struct tar_member *m)
{
	struct kept *grown, *k;
	size_t len = (size_t)m->size;

	if (im->kept_bytes + len > IMPORT_KEEP_MAX ||
	    im->nkept == IMPORT_FILES_MAX)
		return import_stop(im, "more than %u MiB or %u of small "
		    "files in the archive: unpack it, and import the "
		    "directory", IMPORT_KEEP_MAX >> 20, IMPORT_FILES_MAX);
	if (im->nkept == im->capkept) {
		im->capkept = im->capkept == 0 ? 64 : 2 * im->capkept;
		grown = reallocarray(im->kept, im->capkept, sizeof(*grown));
		if (grown == NULL)
			return import_stop(im, "out of memory");
		im->kept = grown;
	}
	k = &im->kept[im->nkept];
	k->len = len;
	if ((k->name = strdup(m->name)) == NULL ||
	    (k->data = malloc(len + 1)) == NULL) {
		free(k->name);
		return import_stop(im, "out of memory");
	}
	k->at = im->nkept++;
	im->kept_bytes += len;
	k->data[len] = '\0';
	return read_exactly(im, k->data, len, false) == 1 || len == 0 ? 0 :
	    -1;
}

/* "blobs/<alg>/<hex>" */
static bool
is_blob_name(const char *name, struct digest *d)
{
	char text[DIGEST_STR_SIZE];
	const char *slash;
	int n;

	if (strncmp(name, "blobs/", 6) != 0 ||
	    (slash = strchr(name + 6, '/')) == NULL)
		return false;
	n = snprintf(text, sizeof(text), "%.*s:%s",
	    (int)(slash - name - 6), name + 6, slash + 1);
	return n > 0 && (size_t)n < sizeof(text) &&
	    digest_parse(d, text) == 0;
}

static int
take_file(struct import *im, const struct tar_member *m)
{
	struct member member = { m->size };
	struct digest d;

	if (m->size <= small_max(m->name))
		return keep(im, m);
	if (!is_blob_name(m->name, &d))
		return skip(im, m->size);
	if (import_has_blob(im, &d, m->size))
		return skip(im, m->size);
	return import_blob(im, &d, read_member, &member);
}

static int
take_extra(struct import *im, const struct tar_member *m,
    struct tar_extra *extra)
{
	char *data;
	int failed;

	if (m->size > TAR_EXTRA_MAX)
		return import_fail(im, "a header of the archive is too "
		    "large");
	if ((data = malloc((size_t)m->size + 1)) == NULL)
		return import_stop(im, "out of memory");
	failed = read_exactly(im, data, (size_t)m->size, false) == -1;
	if (!failed && tar_take_extra(extra, m->type, data,
	    (size_t)m->size) == -1)
		failed = import_fail(im, "not a tar archive that can be read "
		    "here");
	free(data);
	return failed ? -1 : 0;
}

static int
take_member(struct import *im, const struct tar_member *m,
    struct tar_extra *extra)
{
	int failed;

	switch (m->type) {
	case TAR_FILE:
		failed = take_file(im, m);
		break;
	case TAR_PAX:
	case TAR_LONG_NAME:
		failed = take_extra(im, m, extra);
		break;
	default:
		failed = skip(im, m->size);
	}
	return failed != 0 ? -1 : skip(im, tar_padding(m->size));
}

/* By name, and those of one name in the order of the archive. */
static int
compare_kept(const void *a, const void *b)
{
	const struct kept *one = a, *other = b;
	int order = strcmp(one->name, other->name);

	return order != 0 ? order : (one->at > other->at) -
	    (one->at < other->at);
}

/* Up to the end of the archive; what is behind it is read, too. */
static int
read_members(struct import *im)
{
	unsigned char block[TAR_BLOCK];
	struct tar_extra extra = { .has_size = false };
	struct tar_member m;
	bool any = false;
	int r;

	for (;;) {
		if ((r = read_exactly(im, block, sizeof(block), true)) == -1)
			return -1;
		if (r == 0 && !any)
			return import_fail(im, "the archive is empty");
		if (r == 0)
			return 0;
		if (tar_parse(&m, block, &extra) == -1)
			return import_fail(im, any ? "damaged tar archive" :
			    "not a tar archive (a compressed one has to be "
			    "unpacked before)");
		if (m.type == TAR_END)
			break;
		any = true;
		if (take_member(im, &m, &extra) == -1)
			return -1;
	}
	/* Whoever writes it does not want to hear of a closed pipe. */
	while (read(im->options->tarfd, im->buffer, IMPORT_COPY_SIZE) > 0)
		continue;
	return 0;
}

int
import_read_tar(struct import *im)
{
	if (read_members(im) == -1)
		return -1;
	if (im->nkept > 0)
		qsort(im->kept, im->nkept, sizeof(*im->kept), compare_kept);
	return 0;
}

/* The last of a name is the one that counts in an archive. */
static const struct kept *
find_kept(const struct import *im, const char *name)
{
	size_t low = 0, high = im->nkept, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(im->kept[middle].name, name) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && strcmp(im->kept[low - 1].name, name) == 0 ?
	    &im->kept[low - 1] : NULL;
}

/* ---- either ---- */

int
import_small(struct import *im, const char *name, char **data, size_t *len)
{
	const struct kept *k;

	if (im->options->dirfd != -1)
		return small_file(im, name, data, len);
	if ((k = find_kept(im, name)) == NULL)
		return 0;
	if ((*data = malloc(k->len + 1)) == NULL)
		return import_stop(im, "out of memory");
	memcpy(*data, k->data, k->len + 1);
	*len = k->len;
	return 1;
}

struct text {
	const char	*data;
	size_t		 left;
};

static ssize_t
read_text(struct import *im, void *data, size_t len, void *arg)
{
	struct text *text = arg;

	(void)im;
	if (len > text->left)
		len = text->left;
	memcpy(data, text->data, len);
	text->data += len;
	text->left -= len;
	return (ssize_t)len;
}

/* Not in the layout: then it has to be here. */
static int
want_blob(struct import *im, const char *name, const struct digest *d)
{
	if (import_has_blob(im, d, IMPORT_ANY_SIZE))
		return 0;
	return import_fail(im, "%s: not in the layout", name);
}

static int
file_of_archive(struct import *im, const char *name, const struct digest *d)
{
	const struct kept *k = find_kept(im, name);
	struct text text;

	if (k == NULL)
		return want_blob(im, name, d);
	if (import_has_blob(im, d, k->len))
		return 0;
	text.data = k->data;
	text.left = k->len;
	return import_blob(im, d, read_text, &text);
}

int
import_file(struct import *im, const char *name, const struct digest *d)
{
	struct stat st;
	int fd, failed;

	if (im->options->dirfd == -1)
		return file_of_archive(im, name, d);
	if ((fd = open_file(im, name, &st)) == -1)
		return errno == ENOENT ? want_blob(im, name, d) :
		    fail_open(im, name);
	failed = import_has_blob(im, d, (uint64_t)st.st_size) ? 0 :
	    import_blob(im, d, read_fd, &fd);
	close(fd);
	return failed;
}

void
import_source_done(struct import *im)
{
	size_t i;

	for (i = 0; i < im->nkept; i++) {
		free(im->kept[i].name);
		free(im->kept[i].data);
	}
	free(im->kept);
	fsck_table_done(&im->seen);
}
