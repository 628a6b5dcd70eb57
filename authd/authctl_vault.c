/* SPDX-License-Identifier: ISC */
/*
 * authctl's way to the database of credentials: the vault of a running authd
 * by its control socket, or, when nobody listens there, the file itself,
 * under a lock that keeps a vault from starting meanwhile.
 */
#include "authctl.h"

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "str.h"
#include "xmem.h"

#include "conf.h"
#include "vault_command.h"

#define LOCK_WAIT_MS	2000
#define ANSWER_MS	10000

struct authctl_vault {
	struct authd_conf	*conf;
	struct control_client	*client;	/* or */
	struct vault_db		*db;
	struct vault_limits	 limits;
};

/*
 * As root, nothing is done in a directory of somebody else with more rights
 * than his; and what is made there is his.
 */
static int
become_owner(const char *database)
{
	char		 copy[PATH_MAX];
	struct stat	 st;

	if (geteuid() != 0 || str_copy(copy, sizeof(copy), database) == -1 ||
	    stat(dirname(copy), &st) == -1 || st.st_uid == 0)
		return 0;
	if (setgroups(1, &st.st_gid) == 0 && setgid(st.st_gid) == 0 &&
	    setuid(st.st_uid) == 0)
		return 0;
	warn("cannot become user %u", (unsigned)st.st_uid);
	return -1;
}

/* Nobody listens: then nobody but us may have the file. */
static int
open_file(struct authctl_vault *vault, int connect_error)
{
	const struct conf_credentials	*conf = &vault->conf->credentials;
	char				 error[512];

	umask(077);
	if (become_owner(conf->database) == -1)
		return -1;
	vault->limits.lifetime = (int64_t)(conf->lifetime_ms / 1000);
	vault->limits.max_lifetime = (int64_t)(conf->max_lifetime_ms / 1000);
	vault->db = vault_db_open(conf->database, true, LOCK_WAIT_MS, error,
	    sizeof(error));
	if (vault->db != NULL)
		return 0;
	warnx("authd does not answer at %s: %s", conf->control,
	    strerror(connect_error));
	warnx("the database cannot be opened either: %s", error);
	return -1;
}

static int
connect_or_open(struct authctl_vault *vault)
{
	const struct conf_credentials	*conf = &vault->conf->credentials;

	if (conf->database == NULL) {
		warnx("%s: credentials.database is not configured: no tokens "
		    "are kept", vault->conf->name);
		return -1;
	}
	vault->client = control_connect(conf->control, ANSWER_MS);
	if (vault->client != NULL)
		return 0;
	if (errno == ENOENT || errno == ECONNREFUSED)
		return open_file(vault, errno);
	warn("%s", conf->control);
	if (errno == EACCES || errno == EPERM)
		warnx("only root and %s may use it", conf->user);
	return -1;
}

struct authctl_vault *
authctl_vault_open(const char *path)
{
	struct authctl_vault	*vault = xcalloc(1, sizeof(*vault));

	vault->conf = conf_load(path, stderr);
	if (vault->conf != NULL && connect_or_open(vault) == 0)
		return vault;
	authctl_vault_close(vault);
	return NULL;
}

void
authctl_vault_close(struct authctl_vault *vault)
{
	if (vault == NULL)
		return;
	control_close(vault->client);
	vault_db_close(vault->db);
	conf_free(vault->conf);
	free(vault);
}

json_t *
authctl_vault_call(struct authctl_vault *vault, json_t *request)
{
	struct vault_outcome	 out = { .result = NULL };
	json_t			*result = NULL;
	char			 error[CONTROL_ERROR_SIZE] = "";
	enum control_status	 status;

	if (vault->client != NULL) {
		status = control_call(vault->client, request, ANSWER_MS, NULL,
		    NULL, &result, error, sizeof(error));
		if (status == CONTROL_REFUSED)
			warnx("%s", error);
		else if (status != CONTROL_OK)
			warnx("%s: %s: see the log of authd",
			    vault->conf->credentials.control, error);
		return result;
	}
	vault_command(vault->db, &vault->limits, json_string_value(
	    json_object_get(request, "command")), request,
	    (int64_t)clock_wall(), &out);
	json_decref(request);
	if (out.result == NULL)
		warnx("%s", out.error);
	return out.result;
}
