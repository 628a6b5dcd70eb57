/* SPDX-License-Identifier: ISC */
/*
 * The commands of authctl, one file each.  Each gets its arguments, its own
 * name first, and returns the exit status; authctl_usage() does not return.
 */
#ifndef AUTHCTL_H
#define AUTHCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "secret.h"

/* conf: path of authd.yml. */
int	 authctl_key(const char *conf, int argc, char **argv);
int	 authctl_passwd(const char *conf, int argc, char **argv);
int	 authctl_explain(const char *conf, int argc, char **argv);
int	 authctl_test(const char *conf, int argc, char **argv);
int	 authctl_lint(const char *conf, int argc, char **argv);
int	 authctl_import(const char *conf, int argc, char **argv);

void	 authctl_usage(void) __attribute__((__noreturn__));
/* Arguments of a command that has only -f FILE: the file. */
const char *authctl_only_conf(const char *conf, int argc, char **argv);

/* ---- authctl_prompt.c ---- */
/*
 * A password: typed twice at the terminal, or one line of standard input
 * when that is none.  NULL when there is none; the reason was printed.
 */
struct secret	*authctl_read_password(const char *user);

/* ---- authctl_htpasswd.c ---- */
/* NULL when the name can be in an htpasswd file, else what is wrong. */
const char	*htpasswd_user_wrong(const char *user);
enum htpasswd_edit { HTPASSWD_ADDED, HTPASSWD_CHANGED, HTPASSWD_DELETED,
		    HTPASSWD_NO_USER, HTPASSWD_FAILED };
/*
 * Set the user's hash, or with NULL delete the user.  The file is replaced
 * as a whole, keeping mode and owner; a missing one is made, 0600.  On
 * HTPASSWD_FAILED it is as it was, and the reason was printed.
 */
enum htpasswd_edit htpasswd_set(const char *path, const char *user,
		    const char *hash);

#endif
