/* SPDX-License-Identifier: ISC */
/*
 * Who does it: the registryd that runs on this host, through its control
 * socket, or this process, with the same code on the directory.  An answer is
 * believed when it has the form of one.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "control.h"
#include "json.h"
#include "registryctl.h"

/*
 * How long registryd may be silent.  Jobs tell of their progress, and are
 * silent in between only where the disk is slow; all else is done at once.
 */
#define SHORT_MS	30000
#define JOB_MS		600000

/* "changes": what was asked for would change something. */
static void
silent(unsigned ms, bool changes)
{
	warnx("registryd: no answer for %u s: its collector is stopped or "
	    "waits for the disk%s; see the log of registryd, try again, and "
	    "restart registryd when that does not help", ms / 1000, changes ?
	    ", and may still do what it was asked to" : "");
}

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
	ctl->client = control_connect(path, SHORT_MS);
	/* It is there: not a case for working on the directory. */
	if (ctl->client == NULL && errno == EAGAIN) {
		silent(SHORT_MS, false);
		exit(CTL_FAILED);
	}
	if (ctl->client == NULL)
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

/* What every registryd's answer to a command has. */
struct answer {
	const char	*command, *key;
	json_type	 type;
	unsigned	 silence_ms;	/* then there is none */
};

static const struct answer *
find_answer(const json_t *request)
{
	static const struct answer answers[] = {
		{ "status", "parent", JSON_INTEGER, SHORT_MS },
		{ "collect", "outcome", JSON_STRING, JOB_MS },
		{ "scrub", "outcome", JSON_STRING, JOB_MS },
		{ "repositories", "repositories", JSON_ARRAY, SHORT_MS },
		{ "tags", "tags", JSON_ARRAY, SHORT_MS },
		{ "uploads", "uploads", JSON_ARRAY, SHORT_MS },
		{ "repository-remove", "done", JSON_TRUE, SHORT_MS },
		{ "tag-remove", "done", JSON_TRUE, SHORT_MS },
		{ "upload-cancel", "done", JSON_TRUE, SHORT_MS },
		{ "readonly", "done", JSON_TRUE, SHORT_MS }
	};
	const char *command = ctl_text(request, "command");
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strcmp(answers[i].command, command) == 0)
			return &answers[i];
	return NULL;
}

static bool
is_answer(const struct answer *answer, const json_t *result)
{
	const json_t *value;

	if (answer == NULL)
		return json_is_object(result);
	value = json_object_get(result, answer->key);
	return value != NULL && json_typeof(value) == answer->type;
}

/* It may be anything, and may have done anything. */
static enum ctl_status
not_registryd(struct ctl *ctl)
{
	char *path = conf_control_path(ctl_conf(ctl));

	warnx("%s: what answers there is no registryd, or one of another "
	    "version", path != NULL ? path : "control socket");
	free(path);
	return CTL_FAILED;
}

enum ctl_status
ctl_tell(struct ctl *ctl, json_t *request, json_t **result)
{
	const struct answer *answer = find_answer(request);
	char error[CONTROL_ERROR_SIZE];
	enum control_status status;
	unsigned silence_ms;

	silence_ms = answer != NULL ? answer->silence_ms : SHORT_MS;
	status = control_call(ctl->client, request, silence_ms, on_progress,
	    ctl, result, error, sizeof(error));
	ctl_bar_end();
	if (status == CONTROL_OK) {
		if (is_answer(answer, *result))
			return CTL_OK;
		json_decref(*result);
		return not_registryd(ctl);
	}
	if (status == CONTROL_SILENT) {
		silent(silence_ms, answer == NULL || answer->type ==
		    JSON_TRUE);
		return CTL_FAILED;
	}
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
