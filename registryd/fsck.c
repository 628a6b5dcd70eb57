/* SPDX-License-Identifier: ISC */
/*
 * A run over the store: blobs first, then what the repositories say about
 * them, then our own notes.  Owns the report.  Runs in registryctl and in
 * tests; changes nothing.
 *
 * The store may be in use: what has gone between two looks is no problem, and
 * what seems to be missing is looked for again before it is reported.
 */
#include "fsck.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsck_state.h"
#include "layout.h"
#include "store_root.h"
#include "sysfs.h"

#define PROGRESS_EACH	1024		/* objects */

static void
problem_found(struct fsck *f, struct fsck_problem *p, const char *fmt,
    va_list ap)
    __attribute__((__format__(printf, 3, 0)));

static void
problem_found(struct fsck *f, struct fsck_problem *p, const char *fmt,
    va_list ap)
{
	enum fsck_severity severity = fsck_kind_severity(p->kind);
	struct fsck_report *report = f->report;

	report->kinds[p->kind]++;
	switch (severity) {
	case FSCK_BROKEN:
		report->broken++;
		break;
	case FSCK_ODD:
		report->odd++;
		break;
	case FSCK_NOTE:
		report->notes++;
		break;
	}
	if (severity != FSCK_BROKEN && !f->options.strict)
		return;
	if (f->repo[0] != '\0')
		p->repo = f->repo;
	vsnprintf(p->detail, sizeof(p->detail), fmt, ap);
	if (f->found != NULL)
		f->found(p, f->arg);
}

void
fsck_report(struct fsck *f, enum fsck_kind kind, const char *fmt, ...)
{
	struct fsck_problem p = { .kind = kind, .path = f->path };
	va_list ap;

	va_start(ap, fmt);
	problem_found(f, &p, fmt, ap);
	va_end(ap);
}

void
fsck_report_at(struct fsck *f, enum fsck_kind kind, const char *path,
    const char *fmt, ...)
{
	struct fsck_problem p = { .kind = kind, .path = path };
	va_list ap;

	va_start(ap, fmt);
	problem_found(f, &p, fmt, ap);
	va_end(ap);
}

void
fsck_count(struct fsck *f)
{
	if (++f->report->objects % PROGRESS_EACH == 0 &&
	    f->options.progress != NULL)
		f->options.progress(f->report, f->options.progress_arg);
}

void
fsck_stop(struct fsck *f, enum store_result r)
{
	if (f->result == STORE_OK)
		f->result = r;
}

void
fsck_unreadable(struct fsck *f, const char *path, enum store_result r)
{
	if (r == STORE_NOMEM || r == STORE_LIMIT)
		fsck_stop(f, r);
	else
		fsck_report_at(f, FSCK_UNREADABLE, path, "%s",
		    store_result_text(r));
}

/* The directories above blobs and repositories, and what they may hold. */
struct top {
	const char	*path;
	const char	*names[2];
};

static void
on_top(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	const struct top *top = arg;
	size_t i;

	(void)dirfd;
	for (i = 0; i < 2; i++)
		if (strcmp(name, top->names[i]) == 0) {
			fsck_is(f, type, DT_DIR);
			return;
		}
	fsck_unknown_name(f, name);
}

/* What hangs beneath the root is looked for by name: what else has it? */
static void
check_root(struct fsck *f)
{
	static const char *const names[] = { "docker", LAYOUT_OWN };
	struct stat st;
	size_t i, old;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (sysfs_stat(f->root, names[i], &st) == -1 ||
		    S_ISDIR(st.st_mode))
			continue;
		old = fsck_push(f, names[i]);
		if (S_ISLNK(st.st_mode))
			fsck_report(f, FSCK_SYMLINK, "%s", "");
		else
			fsck_report(f, FSCK_FILE_TYPE, "no directory");
		fsck_pop(f, old);
	}
}

static void
check_top(struct fsck *f)
{
	struct top tops[] = {
		{ "docker", { "registry", "" } },
		{ "docker/registry", { "v2", "" } },
		{ "docker/registry/v2", { "blobs", "repositories" } }
	};
	size_t i, old;

	for (i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		old = fsck_push(f, tops[i].path);
		fsck_directory(f, f->root, tops[i].path, on_top, &tops[i]);
		fsck_pop(f, old);
	}
}

enum store_result
fsck_run(struct store *s, const struct fsck_options *options,
    fsck_found_fn *found, void *arg, struct fsck_report *report)
{
	struct fsck *f;
	struct stat st;
	enum store_result r;

	memset(report, 0, sizeof(*report));
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return STORE_NOMEM;
	f->store = s;
	f->root = store_root_fd(s);
	f->options = *options;
	f->found = found;
	f->arg = arg;
	f->report = report;
	if (sysfs_fstat(f->root, &st) == -1) {
		r = store_result_errno(errno);
		free(f);
		return r;
	}
	f->owner = st.st_uid;
	fsck_push(f, ".");
	fsck_check_mode(f, &st);
	fsck_pop(f, 0);
	check_root(f);
	check_top(f);
	fsck_blobs(f);
	if (f->result == STORE_OK)
		fsck_repositories(f);
	if (f->result == STORE_OK)
		fsck_unreferenced(f);
	if (f->result == STORE_OK)
		fsck_own(f);
	r = f->result;
	fsck_table_done(&f->blobs);
	fsck_table_done(&f->layers);
	fsck_table_done(&f->revisions);
	free(f->todo);
	free(f->buffer);
	free(f);
	return r;
}

bool
fsck_failed(const struct fsck_report *report, bool strict)
{
	return report->broken > 0 || (strict && report->odd > 0);
}
