/* SPDX-License-Identifier: ISC */
/*
 * "registryctl export" and "import": always on the directory itself, also
 * beside a registryd that runs, as another host that serves it would be.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export.h"
#include "import.h"
#include "reference.h"
#include "registryctl.h"
#include "str.h"

static const struct option only_json[] = {
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 }
};

/*
 * "repository", "repository:tag" or "repository@digest"; *reference is NULL
 * when there is none.  Cuts the argument.
 */
static void
split_name(char *arg, const char **reference)
{
	struct reference ref;
	char *p, text[512];

	*reference = NULL;
	if ((p = strchr(arg, '@')) != NULL || (p = strrchr(arg, ':')) != NULL) {
		*p = '\0';
		*reference = p + 1;
	}
	ctl_repository(arg);
	if (*reference != NULL && reference_parse(&ref, *reference) == -1) {
		warnx("%s: neither a tag nor a digest", ctl_vis(text,
		    sizeof(text), *reference));
		exit(CTL_USAGE);
	}
}

/* ---- export ---- */

static bool
is_empty(int fd)
{
	struct dirent *entry;
	bool empty = true;
	DIR *dir;
	int copy;

	if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    (dir = fdopendir(copy)) == NULL)
		return false;
	while (empty && (entry = readdir(dir)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0;
	closedir(dir);
	return empty;
}

static int
open_target(const char *path, bool *made)
{
	int fd;

	*made = mkdir(path, 0777) == 0;
	if (!*made && errno != EEXIST) {
		warn("%s", path);
		return -1;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		warn("%s", path);
	else if (!is_empty(fd)) {
		warnx("%s: not empty: name a new directory", path);
		close(fd);
		fd = -1;
	}
	return fd;
}

static void
on_export(const struct export_report *report, void *arg)
{
	ctl_bar(arg, "exporting", report->bytes >> 20, 0, "MiB");
}

/* On standard error where standard output is the archive. */
static void
show_export(const struct ctl *ctl, const struct export_report *r, FILE *out)
{
	char size[16];

	if (ctl->json)
		fprintf(out, "{\"tags\":%llu,\"manifests\":%llu,"
		    "\"blobs\":%llu,\"bytes\":%llu}\n",
		    (unsigned long long)r->tags,
		    (unsigned long long)r->manifests,
		    (unsigned long long)r->blobs,
		    (unsigned long long)r->bytes);
	else
		fprintf(out, "%llu tags, %llu manifests, %llu blobs, %s\n",
		    (unsigned long long)r->tags,
		    (unsigned long long)r->manifests,
		    (unsigned long long)r->blobs,
		    str_bytes(size, sizeof(size), r->bytes));
}

enum ctl_status
ctl_export(struct ctl *ctl, int argc, char **argv)
{
	struct export_options options = { .dirfd = -1, .tarfd = -1,
	    .progress = on_export, .arg = ctl };
	char error[EXPORT_ERROR_SIZE], text[EXPORT_ERROR_SIZE];
	struct export_report report;
	bool archive, made = false;
	int failed;

	if (ctl_option(ctl, argc, argv, only_json) != -1 ||
	    optind != argc - 2)
		ctl_usage();
	split_name(argv[optind], &options.reference);
	options.repo = argv[optind];
	archive = strcmp(argv[optind + 1], "-") == 0;
	if (archive && isatty(STDOUT_FILENO) == 1) {
		warnx("an archive is not for a terminal: redirect it");
		return CTL_USAGE;
	}
	ctl_store(ctl);
	if (archive)
		options.tarfd = STDOUT_FILENO;
	else if ((options.dirfd = open_target(argv[optind + 1], &made)) == -1)
		return CTL_FAILED;
	failed = export_run(ctl->store, &options, &report, error);
	ctl_bar_end();
	if (options.dirfd != -1)
		close(options.dirfd);
	if (failed == -1) {
		/* Nothing is to be left of what has not begun. */
		if (made)
			(void)rmdir(argv[optind + 1]);
		warnx("%s", ctl_vis(text, sizeof(text), error));
		return report.stopped ? CTL_FAILED : CTL_PROBLEM;
	}
	show_export(ctl, &report, archive ? stderr : stdout);
	return CTL_OK;
}

/* ---- import ---- */

static void
on_import(const struct import_report *report, void *arg)
{
	ctl_bar(arg, "importing", report->bytes >> 20, 0, "MiB");
}

static void
show_import(const struct ctl *ctl, const struct import_report *r)
{
	char size[16];

	if (ctl->json)
		ctl_print_json(json_pack("{sI sI sI sI sI}", "tags",
		    (json_int_t)r->tags, "manifests",
		    (json_int_t)r->manifests, "blobs", (json_int_t)r->blobs,
		    "bytes", (json_int_t)r->bytes, "present",
		    (json_int_t)r->present));
	else
		printf("%llu tags, %llu manifests, %llu blobs, %s; %llu "
		    "blobs were there\n", (unsigned long long)r->tags,
		    (unsigned long long)r->manifests,
		    (unsigned long long)r->blobs,
		    str_bytes(size, sizeof(size), r->bytes),
		    (unsigned long long)r->present);
}

static enum ctl_status
import_from(struct ctl *ctl, struct import_options *options)
{
	char error[IMPORT_ERROR_SIZE], text[IMPORT_ERROR_SIZE];
	struct import_report report;
	int failed;

	ctl_store_writable(ctl);
	options->renew_ms = ctl->conf->collect_grace_ms / 4;
	failed = import_run(ctl->store, options, &report, error);
	ctl_bar_end();
	if (failed == -1) {
		warnx("%s", ctl_vis(text, sizeof(text), error));
		return report.stopped ? CTL_FAILED : CTL_PROBLEM;
	}
	show_import(ctl, &report);
	return CTL_OK;
}

enum ctl_status
ctl_import(struct ctl *ctl, int argc, char **argv)
{
	struct import_options options = { .dirfd = -1, .tarfd = -1,
	    .progress = on_import, .arg = ctl };
	enum ctl_status status;

	if (ctl_option(ctl, argc, argv, only_json) != -1 ||
	    optind != argc - 2)
		ctl_usage();
	split_name(argv[optind], &options.tag);
	options.repo = argv[optind];
	if (options.tag != NULL && !tag_ok(options.tag)) {
		warnx("%s: not a tag", options.tag);
		return CTL_USAGE;
	}
	ctl_conf(ctl);
	/* Opened before root becomes somebody else. */
	if (strcmp(argv[optind + 1], "-") == 0)
		options.tarfd = STDIN_FILENO;
	else if ((options.dirfd = open(argv[optind + 1], O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC)) == -1) {
		warn("%s", argv[optind + 1]);
		return CTL_FAILED;
	}
	status = import_from(ctl, &options);
	if (options.dirfd != -1)
		close(options.dirfd);
	return status;
}
