/* SPDX-License-Identifier: ISC */
/*
 * The verifier's end of a check.  Runs in verifier processes only, as it
 * blocks for as long as the check does.
 */
#include "verify.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include "listener.h"
#include "log.h"

/* SIGALRM ends the process: nothing inside a driver can be relied upon. */
static void
set_alarm(uint64_t ms)
{
	struct itimerval	 timer = { .it_value = {
	    .tv_sec = (time_t)(ms / 1000),
	    .tv_usec = (suseconds_t)(ms % 1000 * 1000) } };

	if (setitimer(ITIMER_REAL, &timer, NULL) == -1)
		fatal("setitimer");
}

int
verify_serve(struct msg_chan *chan, struct msg *msg, uint32_t reply,
    uint64_t deadline_ms, verify_fn *verify, void *state)
{
	struct cred_answer	 answer;
	struct msg_out		 out;
	enum cred_verdict	 verdict = CRED_BAD;
	const void		*password;
	char			 user[CRED_MAX_USER + 1], peer[PEER_SIZE];
	size_t			 len;

	msg_get_str(msg, user, sizeof(user));
	password = msg_get_bytes(msg, CRED_MAX_PASSWORD, &len);
	msg_get_str(msg, peer, sizeof(peer));
	if (msg_end(msg) == -1)
		return -1;
	memset(&answer, 0, sizeof(answer));
	set_alarm(deadline_ms);
	if (len > 0 && memchr(password, '\0', len) == NULL)
		verdict = verify(state, user, password, len, peer, &answer);
	set_alarm(0);
	msg_begin(&out, reply, msg->id);
	cred_answer_put(&out, verdict, &answer);
	cred_answer_done(&answer);
	/* Who has asked and gone has done nothing wrong. */
	if (msg_send(chan, &out) == -1 && errno != EPIPE)
		log_warn("answer to a check");
	return 0;
}
