/* SPDX-License-Identifier: ISC */
/*
 * Shared by the registryctl*.c files only: what the command line said, the
 * store or the daemon that it is about, and how results are shown.
 */
#ifndef REGISTRYCTL_H
#define REGISTRYCTL_H

#include <jansson.h>
#include <stdbool.h>

#include "conf.h"
#include "store.h"

/* Exit status, in the manual. */
enum ctl_status {
	CTL_OK,
	CTL_PROBLEM,			/* it ran, and found or met trouble */
	CTL_USAGE,
	CTL_FAILED			/* it could not run */
};

struct ctl {
	const char	*file;		/* of the configuration */
	bool		 json, verbose;
	struct registry_conf *conf;
	struct store	*store;
};

typedef enum ctl_status ctl_command_fn(struct ctl *, int argc, char **argv);

/* ---- registryctl_open.c ---- */
/* The store, opened for reading; exits with CTL_FAILED when it cannot be. */
struct store	*ctl_store(struct ctl *);
/* A name that is none is a usage error: exits. */
void		 ctl_repository(const char *name);
/* Say on standard error what could not be done. */
enum ctl_status	 ctl_fail(const char *what, enum store_result);
_Noreturn void	 ctl_usage(void);
/* Flush standard output; a closed pipe is a failure. */
enum ctl_status	 ctl_finish(enum ctl_status);

/* ---- registryctl_show.c ---- */
/* Text that others chose, safe for a terminal.  Returns dst. */
char		*ctl_vis(char *dst, size_t size, const char *);
/* One object on one line; takes ownership. */
void		 ctl_print_json(json_t *);
/*
 * A line on standard error that is redrawn, if that is a terminal and no
 * JSON is wanted; total 0: not known.
 */
void		 ctl_bar(const struct ctl *, const char *what, uint64_t done,
		    uint64_t total, const char *unit);
void		 ctl_bar_end(void);

/* ---- commands, each in its own file ---- */
ctl_command_fn	 ctl_status_command, ctl_repository_list, ctl_tag_list,
		 ctl_upload_list, ctl_fsck;

#endif
