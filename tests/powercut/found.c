/* SPDX-License-Identifier: ISC */
/*
 * What a run has found: printed, counted, and kept in directory/found-* with
 * an image of the disk.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "run.h"
#include "xmem.h"

#define KEPT_MAX	20		/* findings kept with their image */

/* The disk as it was before anybody mounted it after the last cut. */
static void
save_image(const struct run *r, const char *path)
{
	struct disk		*d = disk_new(r->image);
	struct cut_result	 left;

	if (r->at_image)
		disk_cut(d, r->disk, &r->cut, &left);
	disk_save(d, path);
	disk_free(d);
}

static void
describe(const struct run *r, FILE *f, const char *what, const char *text)
{
	static const char *const	 names[CUT_CACHES] = {
		[CUT_KEEPS] = "keeps all", [CUT_LOSES] = "loses all",
		[CUT_MIXES] = "mixes", [CUT_DROPS_ONE] = "drops one",
	};

	fprintf(f, "%s: FOUND %s cut %zu: %s\n%s: the cache %s, %u%% kept, "
	    "%u%% torn, mounted with %s\n%s", r->name,
	    r->at_image ? "at another moment of" : "after",
	    r->totals.n[TOTAL_CUTS], what, r->name, names[r->cut.cache],
	    r->cut.keep, r->cut.tear, r->options, text);
}

void
found_keep(struct run *r, const char *what, const char *text)
{
	char	*path, *file;
	FILE	*f;

	describe(r, stdout, what, text);
	if (r->n_kept++ >= KEPT_MAX)
		return;
	path = xasprintf("%s/found-%s-%d-%zu", r->dir, r->name,
	    (int)getpid(), r->n_kept);
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		err(1, "%s", path);
	file = xasprintf("%s/text", path);
	if ((f = fopen(file, "we")) == NULL)
		err(1, "%s", file);
	describe(r, f, what, text);
	fclose(f);
	free(file);
	file = xasprintf("%s/image", path);
	save_image(r, file);
	free(file);
	printf("kept: %s\n", path);
	free(path);
}

void
found_count(struct run *r)
{
	static const enum total	 kinds[FINDING_KINDS] = {
		[FINDING_LOST] = TOTAL_LOST,
		[FINDING_BACK] = TOTAL_BACK,
		[FINDING_WRONG] = TOTAL_WRONG,
		[FINDING_ANSWER] = TOTAL_UNSERVED,
		[FINDING_UPLOAD] = TOTAL_UPLOAD,
	};
	size_t			*n = r->totals.n;
	int			 i;

	n[TOTAL_OBJECTS] += r->check->objects;
	n[TOTAL_PROMISES] += r->check->acked;
	n[TOTAL_COLLECTED] += r->check->collected;
	for (i = 0; i < FINDING_KINDS; i++)
		n[kinds[i]] += r->check->findings[i];
}
