/* SPDX-License-Identifier: ISC */
/*
 * What an export keeps in mind; private to export*.c.
 */
#ifndef EXPORT_STATE_H
#define EXPORT_STATE_H

#include <stdbool.h>

#include "digest.h"
#include "export.h"
#include "export_sink.h"
#include "fsck_table.h"
#include "reference.h"

#define EXPORT_DEPTH_MAX 32		/* indexes in indexes, referrers */

enum item_kind { ITEM_MANIFEST, ITEM_BLOB };

struct item {
	struct digest	 digest;
	enum item_kind	 kind;
	bool		 child;		/* something else leads to it */
	bool		 tagged;
	char		*artifact_type;	/* of a referrer, else NULL */
	uint64_t	 size;		/* of a manifest */
	char		*mediatype;
};

struct tagged {
	char		 tag[TAG_SIZE];
	struct digest	 digest;
};

struct export {
	struct store	*store;
	const char	*repo;
	const struct export_options *options;
	struct export_report *report;
	char		*error;
	struct export_sink sink;
	struct fsck_table seen;
	struct item	*items;
	size_t		 n, cap;
	struct tagged	*tags;
	size_t		 ntags;
	unsigned char	*buffer;
};

/* ---- export.c ---- */
int	 export_fail(struct export *, const char *fmt, ...)
	    __attribute__((__format__(printf, 2, 3)));
/* The same when it is not about what is in the store. */
int	 export_stop(struct export *, const char *fmt, ...)
	    __attribute__((__format__(printf, 2, 3)));
int	 export_fail_store(struct export *, const char *what,
	    enum store_result);

/* ---- export_select.c ---- */
/* Everything, or what the reference leads to; -1 and failed. */
int	 export_select(struct export *, const char *reference);

#endif
