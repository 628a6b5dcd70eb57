/* SPDX-License-Identifier: ISC */
/*
 * Who does it: the registryd that runs on this host, through its control
 * socket, or this process, with the same code on the directory.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "control.h"
#include "json.h"
#include "registryctl.h"

#define SILENCE_MS	600000		/* removing a large tree takes time */

/* Why there is no answer; absence is what "on the directory" is for. */
static void
not_running(const struct ctl *ctl, const char *path, int error)
{
	if (error == EACCES || error == EPERM)
		warnx("%s: %s: run this as root or as the user of "
		    "registryd", path, strerror(error));
	else if (ctl->verbose)
		warnx("no registryd at %s (%s): working on %s", path,
		    strerror(error), ctl->conf->root);
}

bool
ctl_running(struct ctl *ctl)
{
	char *path;

	if (ctl->tried)
		return ctl->client != NULL;
	ctl->tried = true;
	if ((path = conf_control_path(ctl_conf(ctl))) == NULL) {
		if (ctl->verbose)
			warnx("no control socket is configured: working "
			    "on %s", ctl->conf->root);
		return false;
	}
	if ((ctl->client = control_connect(path)) == NULL)
		not_running(ctl, path, errno);
	else if (ctl->verbose)
		warnx("asking the registryd at %s", path);
	free(path);
	return ctl->client != NULL;
}

static void
on_progress(const json_t *progress, void *arg)
{
	ctl_bar(arg, ctl_text(progress, "phase"), ctl_number(progress,
	    "done"), ctl_number(progress, "total"), "");
}

enum ctl_status
ctl_tell(struct ctl *ctl, json_t *request, json_t **result)
{
	char error[CONTROL_ERROR_SIZE];
	enum control_status status;

	status = control_call(ctl->client, request, SILENCE_MS, on_progress,
	    ctl, result, error, sizeof(error));
	ctl_bar_end();
	if (status == CONTROL_OK)
		return CTL_OK;
	warnx("%s%s", status == CONTROL_LOST ? "registryd: " : "", error);
	return status == CONTROL_LOST ? CTL_FAILED : CTL_PROBLEM;
}

enum ctl_status
ctl_ask(struct ctl *ctl, json_t *request, bool writes, json_t **result)
{
	char error[ADMIN_ERROR_SIZE];
	struct store *s;

	if (ctl_running(ctl))
		return ctl_tell(ctl, request, result);
	s = writes ? ctl_store_writable(ctl) : ctl_store(ctl);
	*result = admin_run(s, json_string_at(request, "command"), request,
	    error, sizeof(error));
	json_decref(request);
	if (*result != NULL)
		return CTL_OK;
	warnx("%s", error);
	return CTL_PROBLEM;
}
