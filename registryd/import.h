/* SPDX-License-Identifier: ISC */
/*
 * Taking images from an OCI image layout into a repository, from a directory
 * or from a tar archive, with the checks and the order of a push.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

#define IMPORT_ERROR_SIZE 512
#define IMPORT_KEEP_MAX	(256u << 20)	/* small files of an archive: bytes, */
#define IMPORT_FILES_MAX 500000		/* and how many */

struct import_report {
	uint64_t	 tags, manifests, blobs, bytes;
	uint64_t	 present;	/* blobs that were there already */
	/* it could not go on, for no fault of the layout */
	bool		 stopped;
};

typedef void import_progress_fn(const struct import_report *, void *arg);

struct import_options {
	const char	*repo;
	const char	*tag;		/* this image only; NULL: all */
	int		 dirfd;		/* of the layout, or -1 */
	int		 tarfd;		/* to read an archive from, or -1 */
	uint64_t	 renew_ms;	/* leases older than this are renewed */
	import_progress_fn *progress;	/* or NULL */
	void		*arg;
};

/*
 * 0, or -1 with a reason.  What has been taken by then stays: complete images
 * with their tags, and blobs that a collection removes.  It ends when an
 * administrator lets nothing be written any more.
 */
int	 import_run(struct store *, const struct import_options *,
	    struct import_report *, char error[IMPORT_ERROR_SIZE]);

#endif
