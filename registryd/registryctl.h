/* SPDX-License-Identifier: ISC */
/*
 * Shared by the registryctl*.c files only: what the command line said, the
 * store or the daemon that it is about, and how results are shown.
 */
#ifndef REGISTRYCTL_H
#define REGISTRYCTL_H

#include <getopt.h>
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

struct control_client;

struct ctl {
	const char	*file;		/* of the configuration */
	bool		 json, verbose;
	struct registry_conf *conf;
	struct store	*store;
	bool		 writable;	/* how "store" is open */
	struct control_client *client;	/* NULL: no registryd, or not tried */
	bool		 tried;
};

typedef enum ctl_status ctl_command_fn(struct ctl *, int argc, char **argv);

/* ---- registryctl_open.c ---- */
const struct registry_conf *ctl_conf(struct ctl *);
/* The store, opened for reading; exits with CTL_FAILED when it cannot be. */
struct store	*ctl_store(struct ctl *);
/*
 * For writing, as the owner of the directory, whom root becomes for that;
 * exits when we may not, or the configuration says read-only.
 */
struct store	*ctl_store_writable(struct ctl *);
/* The same for a collection: see gc_new(). */
struct store	*ctl_store_collect(struct ctl *);
/* A name that is none is a usage error: exits. */
void		 ctl_repository(const char *name);
/* Say on standard error what could not be done. */
enum ctl_status	 ctl_fail(const char *what, enum store_result);
_Noreturn void	 ctl_usage(void);
/* Flush standard output; a closed pipe is a failure. */
enum ctl_status	 ctl_finish(enum ctl_status);
/*
 * The next option of a command, -1 behind the last.  --json, which all take,
 * is dealt with; anything unknown is a usage error.
 */
int		 ctl_option(struct ctl *, int argc, char **argv,
		    const struct option *);
void		 ctl_close(struct ctl *);

/* ---- registryctl_ask.c ---- */
/* Is there a registryd on this host?  Connects to it. */
bool		 ctl_running(struct ctl *);
/*
 * Ask the registryd that runs, or do it on the directory; "writes": needs
 * the right to.  Takes ownership of the request.  CTL_OK: *result is the
 * caller's.
 */
enum ctl_status	 ctl_ask(struct ctl *, json_t *request, bool writes,
		    json_t **result);
/* Tell a registryd that runs only; CTL_FAILED is reported. */
enum ctl_status	 ctl_tell(struct ctl *, json_t *request, json_t **result);

/* ---- registryctl_show.c ---- */
/* Text that others chose, safe for a terminal.  Returns dst. */
char		*ctl_vis(char *dst, size_t size, const char *);
/* One object on one line; takes ownership. */
void		 ctl_print_json(json_t *);
uint64_t	 ctl_number(const json_t *object, const char *key);
/* The string, "" when it is not there. */
const char	*ctl_text(const json_t *object, const char *key);
/*
 * A line on standard error that is redrawn, if that is a terminal and no
 * JSON is wanted; total 0: not known.
 */
void		 ctl_bar(const struct ctl *, const char *what, uint64_t done,
		    uint64_t total, const char *unit);
void		 ctl_bar_end(void);

/* ---- commands, each in its own file ---- */
ctl_command_fn	 ctl_status_command, ctl_repository_list, ctl_tag_list,
		 ctl_upload_list, ctl_fsck, ctl_collect, ctl_scrub,
		 ctl_repository_remove, ctl_tag_remove, ctl_upload_cancel,
		 ctl_readonly, ctl_export, ctl_import, ctl_usage_command;

#endif
