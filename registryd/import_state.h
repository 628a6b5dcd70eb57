/* SPDX-License-Identifier: ISC */
/*
 * What an import keeps in mind; private to import*.c.
 */
#ifndef IMPORT_STATE_H
#define IMPORT_STATE_H

#include <stdbool.h>

#include "digest.h"
#include "import.h"

#define IMPORT_SMALL	(4u << 20)	/* what may be a manifest */
#define IMPORT_INDEX	(64u << 20)	/* index.json */

struct kept {				/* a small file of an archive */
	char		*name;
	char		*data;
	size_t		 len;
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
	unsigned char	*buffer;
};

#define IMPORT_COPY_SIZE (256u * 1024)

/* ---- import.c ---- */
int	 import_fail(struct import *, const char *fmt, ...)
	    __attribute__((__format__(printf, 2, 3)));
int	 import_fail_store(struct import *, const char *what,
	    enum store_result);

/* ---- import_blob.c ---- */
/* The next bytes of what is being read; -1 and failed; 0 at the end. */
typedef ssize_t import_read_fn(struct import *, void *, size_t, void *arg);
/* Push a blob from what "read" gives. */
int	 import_blob(struct import *, const struct digest *,
	    import_read_fn *, void *arg);
/* Is it there?  Then it stays for a while. */
bool	 import_has_blob(struct import *, const struct digest *);

/* ---- import_source.c ---- */
/* Read an archive to its end: small files are kept, large blobs pushed. */
int	 import_read_tar(struct import *);
/*
 * A small file of the layout: malloc()ed.  1, 0 when it is not there, or -1
 * and failed.
 */
int	 import_small(struct import *, const char *name, char **data,
	    size_t *len);
/* Push the blob that is in this file of the layout. */
int	 import_file(struct import *, const char *name,
	    const struct digest *);
void	 import_source_done(struct import *);

#endif
