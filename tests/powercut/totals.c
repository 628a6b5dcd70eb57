/* SPDX-License-Identifier: ISC */
/*
 * Counters by name, one in each line of their file.
 */
#include "totals.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xmem.h"

static const char *const	 names[TOTALS] = {
	[TOTAL_CUTS] = "cuts",
	[TOTAL_COLLECTING] = "collecting",
	[TOTAL_RECOVERY] = "recovery",
	[TOTAL_DISKS] = "disks",
	[TOTAL_IMAGES] = "images",
	[TOTAL_ACKNOWLEDGED] = "acknowledged",
	[TOTAL_PROMISES] = "promises",
	[TOTAL_OBJECTS] = "objects",
	[TOTAL_COLLECTED] = "collected",
	[TOTAL_WRITES] = "writes",
	[TOTAL_UNSAFE] = "unsafe",
	[TOTAL_LOST] = "lost",
	[TOTAL_BACK] = "back",
	[TOTAL_WRONG] = "wrong",
	[TOTAL_UNSERVED] = "unserved",
	[TOTAL_UPLOAD] = "upload",
	[TOTAL_FSCK] = "fsck",
	[TOTAL_UNMOUNTABLE] = "unmountable",
	[TOTAL_FAILED] = "failed",
	[TOTAL_ODD] = "odd",
	[TOTAL_SECONDS] = "seconds",
};

size_t
totals_bad(const struct totals *t)
{
	size_t	 n = 0;
	int	 i;

	for (i = TOTAL_FIRST_BAD; i <= TOTAL_LAST_BAD; i++)
		n += t->n[i];
	return n;
}

void
totals_load(struct totals *t, const char *path)
{
	char	 line[100], *end;
	FILE	*f;
	int	 i;

	memset(t, 0, sizeof(*t));
	if ((f = fopen(path, "re")) == NULL) {
		if (errno == ENOENT)
			return;
		err(2, "%s", path);
	}
	for (i = 0; i < TOTALS; i++) {
		if (fgets(line, sizeof(line), f) == NULL ||
		    (end = strchr(line, ' ')) == NULL ||
		    strncmp(line, names[i], (size_t)(end - line)) != 0)
			errx(2, "%s: not the totals of a campaign", path);
		t->n[i] = strtoul(end, NULL, 10);
	}
	fclose(f);
}

void
totals_save(const struct totals *t, const char *path)
{
	char	*next = xasprintf("%s.new", path);
	FILE	*f;
	int	 i;

	if ((f = fopen(next, "we")) == NULL)
		err(2, "%s", next);
	for (i = 0; i < TOTALS; i++)
		fprintf(f, "%s %zu\n", names[i], t->n[i]);
	if (fclose(f) != 0 || rename(next, path) == -1)
		err(2, "%s", path);
	free(next);
}

void
totals_print(const struct totals *t, FILE *f)
{
	const size_t	*n = t->n;
	int		 i;

	fprintf(f, "%zu cuts, %zu of them while collecting, %zu in recovery, "
	    "%zu images, %zu of %zu writes not flushed, %zu acknowledged, "
	    "%zu promises checked on %zu objects, %zu collected;",
	    n[TOTAL_CUTS], n[TOTAL_COLLECTING], n[TOTAL_RECOVERY],
	    n[TOTAL_IMAGES], n[TOTAL_UNSAFE], n[TOTAL_WRITES],
	    n[TOTAL_ACKNOWLEDGED], n[TOTAL_PROMISES], n[TOTAL_OBJECTS],
	    n[TOTAL_COLLECTED]);
	for (i = TOTAL_FIRST_BAD; i <= TOTAL_LAST_BAD; i++)
		fprintf(f, " %zu %s,", n[i], names[i]);
	fprintf(f, " %zu %s\n", n[TOTAL_ODD], names[TOTAL_ODD]);
}
