/* SPDX-License-Identifier: ISC */
/*
 * Takes commands from the control socket to the database.  A command that
 * takes something away is answered when the broker has forgotten what it
 * knew: who hears "revoked" can rely on it.  Runs in the vault.
 */
#include "vault_control.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "control.h"
#include "log.h"

#define FORGET_MS	1000		/* a broker that does not answer */

/* A command that is done, and whose answer waits. */
struct waiting {
	struct control_call	*call;
	json_t			*result;
	uint64_t		 number;
	STAILQ_ENTRY(waiting)	 next;
};

struct vault_control {
	struct control		*control;
	struct vault_db		*db;
	const struct vault_limits *limits;
	vault_forget_fn		*forget;
	void			*arg;
	STAILQ_HEAD(, waiting)	 waiting;
	struct loop_timer	*timer;
	uint64_t		 last;		/* number */
};

void
vault_control_forgotten(struct vault_control *vc, uint64_t number)
{
	struct waiting	*w;

	while ((w = STAILQ_FIRST(&vc->waiting)) != NULL &&
	    w->number <= number) {
		STAILQ_REMOVE_HEAD(&vc->waiting, next);
		control_result(w->call, w->result);
		free(w);
	}
	if (STAILQ_EMPTY(&vc->waiting))
		loop_timer_stop(vc->timer);
}

static void
on_late(void *arg)
{
	log_warnx("the broker does not say that it has forgotten");
	vault_control_forgotten(arg, UINT64_MAX);
}

/* false: it cannot wait, and is answered at once. */
static bool
wait_for_broker(struct vault_control *vc, struct control_call *call,
    json_t *result)
{
	struct waiting	*w;

	vc->last++;
	if (!vc->forget(vc->last, vc->arg) ||
	    (w = calloc(1, sizeof(*w))) == NULL)
		return false;
	w->call = call;
	w->result = result;
	w->number = vc->last;
	STAILQ_INSERT_TAIL(&vc->waiting, w, next);
	loop_timer_start(vc->timer, FORGET_MS);
	return true;
}

/* Who did what; the secrets themselves never come here. */
static void
log_command(const struct control_call *call, const char *command,
    const json_t *request, const struct vault_outcome *out)
{
	const char		*id;
	char			 uid[16];
	struct log_field	 fields[6] = {
		{ "command", command },
		{ "uid", uid },
		{ "user", json_string_value(json_object_get(request,
		    "user")) },
		{ "name", json_string_value(json_object_get(request,
		    "name")) },
		{ "credential", NULL },
		{ "error", out->result == NULL ? out->error : NULL }
	};

	snprintf(uid, sizeof(uid), "%u", (unsigned)control_uid(call));
	id = json_string_value(json_object_get(request, "id"));
	if (id == NULL)
		id = json_string_value(json_object_get(out->result, "id"));
	fields[4].value = id;
	log_event(LOG_LEVEL_INFO, "credentials", fields, 6);
}

static bool
is_list(const char *command)
{
	const char	*dot = strchr(command, '.');

	return dot != NULL && strcmp(dot, ".list") == 0;
}

static void
on_request(struct control_call *call, const char *command, json_t *request,
    void *arg)
{
	struct vault_control	*vc = arg;
	struct vault_outcome	 out = { .result = NULL };

	vault_command(vc->db, vc->limits, command, request,
	    (int64_t)clock_wall(), &out);
	if (!is_list(command))
		log_command(call, command, request, &out);
	if (out.result == NULL) {
		/* It may be done all the same; but there is no "revoked". */
		if (out.takes_away)
			vc->forget(0, vc->arg);
		control_error(call, "%s", out.error);
	} else if (!out.takes_away || !wait_for_broker(vc, call, out.result)) {
		control_result(call, out.result);
	}
}

struct vault_control *
vault_control_new(struct loop *loop, int fd, struct vault_db *db,
    const struct vault_limits *limits, vault_forget_fn *forget, void *arg)
{
	struct vault_control	*vc;

	if ((vc = calloc(1, sizeof(*vc))) == NULL)
		fatal("control");
	STAILQ_INIT(&vc->waiting);
	vc->db = db;
	vc->limits = limits;
	vc->forget = forget;
	vc->arg = arg;
	vc->timer = loop_timer_new(loop, on_late, vc);
	vc->control = control_new(loop, fd, on_request, vc);
	if (vc->timer == NULL || vc->control == NULL) {
		vault_control_free(vc);
		return NULL;
	}
	return vc;
}

void
vault_control_free(struct vault_control *vc)
{
	struct waiting	*w;

	if (vc == NULL)
		return;
	control_free(vc->control);
	while ((w = STAILQ_FIRST(&vc->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&vc->waiting, next);
		json_decref(w->result);
		free(w);
	}
	loop_timer_free(vc->timer);
	free(vc);
}
