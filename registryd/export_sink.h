/* SPDX-License-Identifier: ISC */
/*
 * Where an export goes: files of a directory, or members of a tar archive.
 * -1: errno.
 */
#ifndef EXPORT_SINK_H
#define EXPORT_SINK_H

#include <stddef.h>
#include <stdint.h>

struct export_sink {
	int		 dirfd, tarfd;	/* one of them is -1 */
	int		 fd;		/* of the file at hand */
	uint64_t	 size;
};

/* A name that ends in '/' is a directory, and then that is all. */
int	 export_sink_begin(struct export_sink *, const char *name,
	    uint64_t size);
int	 export_sink_write(struct export_sink *, const void *, size_t);
int	 export_sink_end(struct export_sink *);
/* All at once. */
int	 export_sink_put(struct export_sink *, const char *name, const void *,
	    size_t);
/* Behind the last; an archive gets its end. */
int	 export_sink_finish(struct export_sink *);

#endif
