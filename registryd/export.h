/* SPDX-License-Identifier: ISC */
/*
 * Writing images of a repository as an OCI image layout: a directory, or a
 * tar archive of one.  What is written is what was pushed, byte for byte,
 * and its digests are checked on the way.
 */
#ifndef EXPORT_H
#define EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

#define EXPORT_ERROR_SIZE 512

struct export_report {
	uint64_t	 tags, manifests, blobs, bytes;
	/* it could not go on, for no fault of the images */
	bool		 stopped;
};

typedef void export_progress_fn(const struct export_report *, void *arg);

struct export_options {
	const char	*repo;
	const char	*reference;	/* tag or digest; NULL: everything */
	int		 dirfd;		/* an empty directory, or -1 */
	int		 tarfd;		/* where a tar archive goes, or -1 */
	export_progress_fn *progress;	/* or NULL */
	void		*arg;
};

/* 0, or -1 with a reason; what has been written by then stays. */
int	 export_run(struct store *, const struct export_options *,
	    struct export_report *, char error[EXPORT_ERROR_SIZE]);

#endif
