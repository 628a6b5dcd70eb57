/* SPDX-License-Identifier: ISC */
/*
 * The commands of authctl, one file each.  Each gets its arguments, its own
 * name first, and returns the exit status; authctl_usage() does not return.
 */
#ifndef AUTHCTL_H
#define AUTHCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secret.h"

#include "credential.h"

/* conf: path of authd.yml. */
int	 authctl_key(const char *conf, int argc, char **argv);
int	 authctl_passwd(const char *conf, int argc, char **argv);
int	 authctl_explain(const char *conf, int argc, char **argv);
int	 authctl_test(const char *conf, int argc, char **argv);
int	 authctl_lint(const char *conf, int argc, char **argv);
int	 authctl_import(const char *conf, int argc, char **argv);

int	 authctl_token(const char *conf, int argc, char **argv);
int	 authctl_robot(const char *conf, int argc, char **argv);

void	 authctl_usage(void) __attribute__((__noreturn__));
/* Arguments of a command that has only -f FILE: the file. */
const char *authctl_only_conf(const char *conf, int argc, char **argv);

/* ---- authctl_prompt.c ---- */
/*
 * A password: typed twice at the terminal, or one line of standard input
 * when that is none.  NULL when there is none; the reason was printed.
 */
struct secret	*authctl_read_password(const char *user);

/* ---- authctl_vault.c ---- */
struct authctl_vault;
/*
 * The database of credentials of a configuration: through the control socket
 * while authd runs, else the file itself.  NULL after a message.
 */
struct authctl_vault *authctl_vault_open(const char *conf);
void	 authctl_vault_close(struct authctl_vault *);
/*
 * Do a command of vault_command.h.  Takes ownership of the request; NULL
 * after a message.
 */
json_t	*authctl_vault_call(struct authctl_vault *, json_t *request);

/* ---- authctl_options.c: of tokens and robots ---- */
#define AUTHCTL_MAX_LIST	64
struct authctl_options {
	const char	*conf;
	bool		 json;
	const char	*comment, *user, *kind;
	int64_t		 lifetime, overlap;	/* seconds; -1: not given */
	const char	*networks[AUTHCTL_MAX_LIST];
	const char	*rights[AUTHCTL_MAX_LIST];
	size_t		 nnetworks, nrights;
};
/*
 * Read them, of which "accepted" holds the letters as for getopt(3), with
 * --json besides; optind is then the first argument.  Exits when one is
 * wrong.
 */
void	 authctl_options(struct authctl_options *, const char *accepted,
	    int argc, char **argv);
/* A request with those that are given. */
json_t	*authctl_request(const char *command,
	    const struct authctl_options *);
/* Make a secret, and put its hash into the request.  -1 after a message. */
int	 authctl_add_secret(json_t *request, enum credential_kind,
	    char secret[CREDENTIAL_SIZE]);
/*
 * Show a result: as JSON with the secret (NULL: none) in it, or the secret
 * alone on standard output, and "note" on standard error.  Wipes the secret.
 */
int	 authctl_show(const struct authctl_options *, json_t *result,
	    char secret[CREDENTIAL_SIZE], const char *note);
/* "2026-01-02", "never", or "expired" */
const char *authctl_day(const json_t *when, bool ends, char text[16]);
/* A list as "a, b"; "" when there is none.  Borrowed until the next call. */
const char *authctl_list(const json_t *array);
/* A text without what a terminal would take for a command. */
const char *authctl_text(const json_t *object, const char *key,
	    char *dst, size_t size);

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
