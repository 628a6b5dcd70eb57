/* SPDX-License-Identifier: ISC */
/*
 * The contents are a private mapping of the image file; the log holds a
 * copy of each write.  One thread serves the one connection (disk_nbd.c);
 * the rest may be called only while it does not run, disk_cut() on dst also
 * while nothing is written there, disk_dirty() at any time.
 */
#include "disk.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "disk_local.h"
#include "xmem.h"

#define LOG_MAX		((size_t)4 << 30)	/* bytes of writes kept */

uint64_t
disk_now(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

uint64_t
disk_chance(uint64_t *state)
{
	uint64_t	 x = (*state += 0x9e3779b97f4a7c15ULL);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

void
disk_map(struct disk *d)
{
	struct stat	 st;

	if ((d->image = open(d->path, O_RDWR | O_CLOEXEC)) == -1)
		err(1, "%s", d->path);
	if (fstat(d->image, &st) == -1)
		err(1, "%s", d->path);
	d->size = (size_t)st.st_size;
	d->contents = mmap(NULL, d->size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_NORESERVE, d->image, 0);
	if (d->contents == MAP_FAILED)
		err(1, "mmap %s", d->path);
}

static void
disk_unmap(struct disk *d)
{
	munmap(d->contents, d->size);
	close(d->image);
}

void
disk_log_clear(struct disk *d)
{
	size_t	 i;

	for (i = 0; i < d->n_events; i++)
		free(d->events[i].data);
	d->n_events = 0;
	d->logged = 0;
	d->n_writes = d->n_covered = 0;
	atomic_store(&d->dirty, 0);
}

struct disk *
disk_new(const char *image)
{
	struct disk	*d = xcalloc(1, sizeof(*d));

	d->path = xstrdup(image);
	d->fd = -1;
	disk_map(d);
	return d;
}

void
disk_free(struct disk *d)
{
	if (d == NULL)
		return;
	disk_wait(d);
	disk_log_clear(d);
	disk_unmap(d);
	free(d->events);
	free(d->in);
	free(d->path);
	free(d);
}

void
disk_reload(struct disk *d)
{
	disk_unmap(d);
	disk_log_clear(d);
	disk_map(d);
}

size_t
disk_events(const struct disk *d)
{
	return d->n_events;
}

uint64_t
disk_event_time(const struct disk *d, size_t n)
{
	return d->events[n].received;
}

size_t
disk_log_add(struct disk *d, bool is_flush, uint64_t offset, uint32_t len,
    const uint8_t *data)
{
	struct event	*e;

	if (d->n_events == d->max_events) {
		d->max_events = d->max_events == 0 ? 1024 : d->max_events * 2;
		d->events = xreallocarray(d->events, d->max_events,
		    sizeof(*d->events));
	}
	if ((d->logged += len) > LOG_MAX)
		errx(1, "the guest writes too much");
	e = &d->events[d->n_events];
	memset(e, 0, sizeof(*e));
	e->received = disk_now();
	e->is_flush = is_flush;
	e->offset = offset;
	e->len = len;
	if (!is_flush) {
		e->data = xmalloc(len);
		memcpy(e->data, data, len);
		memcpy(d->contents + offset, data, len);
		d->n_writes++;
		atomic_fetch_add(&d->dirty, 1);
	}
	return d->n_events++;
}

void
disk_log_covered(struct disk *d, size_t covered)
{
	if (covered > d->n_covered)
		d->n_covered = covered;
	atomic_store(&d->dirty, d->n_writes - d->n_covered);
}

size_t
disk_dirty(struct disk *d)
{
	return atomic_load(&d->dirty);
}

int
disk_save(const struct disk *d, const char *path)
{
	static const uint8_t	 zeroes[4096];
	size_t			 at, len;
	int			 fd;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1 || ftruncate(fd, (off_t)d->size) == -1)
		goto bad;
	for (at = 0; at < d->size; at += len) {
		len = d->size - at < sizeof(zeroes) ? d->size - at :
		    sizeof(zeroes);
		if (memcmp(d->contents + at, zeroes, len) != 0 &&
		    pwrite(fd, d->contents + at, len, (off_t)at) !=
		    (ssize_t)len)
			goto bad;
	}
	return close(fd);
bad:
	warn("%s", path);
	if (fd != -1)
		close(fd);
	return -1;
}
