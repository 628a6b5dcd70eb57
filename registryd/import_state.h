/* SPDX-License-Identifier: ISC */
/*
 * What an import keeps in mind; private to import*.c.
 */
#ifndef IMPORT_STATE_H
#define IMPORT_STATE_H

#include <stdbool.h>

#include "digest.h"
#include "fsck_table.h"
#include "import.h"

#define IMPORT_SMALL	(4u << 20)	/* what may be a manifest */
#define IMPORT_INDEX	(64u << 20)	/* index.json */
#define IMPORT_ANY_SIZE	UINT64_MAX	/* of a blob: not known */

/* Of a digest in this import. */
#define IMPORT_BLOB	0x01u		/* it is in the repository */
#define IMPORT_MANIFEST	0x02u		/* with all that it names */

struct kept {				/* a small file of an archive */
	char		*name;
	char		*data;
	size_t		 len, at;	/* its place in the archive */
};

struct import {
	struct store	*store;
	const char	*repo;
	const struct import_options *options;
	struct import_report *report;
	char		*error;
	struct kept	*kept;
	size_t		 nkept, capkept;
	uint64_t	 kept_bytes;
	struct fsck_table seen;
	unsigned char	*buffer;
};

#define IMPORT_COPY_SIZE (256u * 1024)

/* ---- import.c ---- */
int	 import_fail(struct import *, const char *fmt, ...)
	    __attribute__((__format__(printf, 2, 3)));
/* The same when it is not about the layout. */
int	 import_stop(struct import *, const char *fmt, ...)
	    __attribute__((__format__(printf, 2, 3)));
int	 import_fail_store(struct import *, const char *what,
	    enum store_result);
/* May it still be written?  -1 and failed. */
int	 import_may_write(struct import *);
/* Has this import taken it as "flag" (IMPORT_*)?  And: it has now. */
bool	 import_was_taken(const struct import *, const struct digest *,
	    unsigned flag);
void	 import_note_taken(struct import *, const struct digest *,
	    unsigned flag);

/* ---- import_blob.c ---- */
/* The next bytes of what is being read; -1 and failed; 0 at the end. */
typedef ssize_t import_read_fn(struct import *, void *, size_t, void *arg);
/*
 * Is it there, as long as it is to be?  Then it stays for a while.  What is
 * not is pushed, which mends it.
 */
bool	 import_has_blob(struct import *, const struct digest *,
	    uint64_t size);
/* Push a blob from what "read" gives. */
int	 import_blob(struct import *, const struct digest *,
	    import_read_fn *, void *arg);

/* ---- import_source.c ---- */
/* Read an archive to its end: small files are kept, large blobs pushed. */
int	 import_read_tar(struct import *);
/*
 * A small file of the layout: malloc()ed.  1, 0 when it is not there, or -1
 * and failed.
 */
int	 import_small(struct import *, const char *name, char **data,
	    size_t *len);
/*
 * Take the blob that is in this file of the layout.  What is not in it may
 * be in the repository.
 */
int	 import_file(struct import *, const char *name,
	    const struct digest *);
void	 import_source_done(struct import *);

#endif
