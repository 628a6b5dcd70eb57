/* SPDX-License-Identifier: ISC */
/*
 * How often processes had to be started again.  The parent counts, since it
 * alone outlives them; the collector is told, and shows it.
 */
#include "restarts.h"

#include <sys/wait.h>

#include <string.h>

void
restarts_note(struct restarts *r, unsigned role, int status,
    uint64_t now_ms, time_t now)
{
	uint64_t *last;

	if (role == 0 || role > ROLE_MAX)
		return;
	r->roles[role].total++;
	last = r->roles[role].last_ms;
	memmove(last + 1, last, (RESTARTS_OFTEN - 1) * sizeof(*last));
	last[0] = now_ms;
	if (WIFEXITED(status) && WEXITSTATUS(status) == RESTARTS_EXIT_SYNC) {
		r->sync_failures++;
		r->sync_last = now;
	}
}

bool
restarts_often(const struct restarts *r, unsigned role, uint64_t now_ms)
{
	uint64_t first = r->roles[role].last_ms[RESTARTS_OFTEN - 1];

	return first != 0 && now_ms - first < RESTARTS_OFTEN_MS;
}

void
restarts_put(struct msg_out *m, const struct restarts *r)
{
	unsigned role, i;

	for (role = 1; role <= ROLE_MAX; role++) {
		msg_put_u64(m, r->roles[role].total);
		for (i = 0; i < RESTARTS_OFTEN; i++)
			msg_put_u64(m, r->roles[role].last_ms[i]);
	}
	msg_put_u64(m, r->sync_failures);
	msg_put_u64(m, (uint64_t)r->sync_last);
}

int
restarts_get(struct msg *m, struct restarts *r)
{
	struct restarts got;
	unsigned role, i;

	memset(&got, 0, sizeof(got));
	for (role = 1; role <= ROLE_MAX; role++) {
		got.roles[role].total = msg_get_u64(m);
		for (i = 0; i < RESTARTS_OFTEN; i++)
			got.roles[role].last_ms[i] = msg_get_u64(m);
	}
	got.sync_failures = msg_get_u64(m);
	got.sync_last = (time_t)msg_get_u64(m);
	if (msg_end(m) == -1)
		return -1;
	*r = got;
	return 0;
}
