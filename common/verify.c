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

static int
send_answer(struct msg_chan *chan, uint32_t reply, uint64_t id,
    enum cred_verdict verdict, const struct cred_answer *answer)
{
	struct msg_out	 out;

	msg_begin(&out, reply, id);
	cred_answer_put(&out, verdict, answer);
	return msg_send(chan, &out);
}

/* Without any answer we would count as busy for ever. */
static int
send_too_large(struct msg_chan *chan, uint32_t reply, uint64_t id)
{
	struct cred_answer	 none = { .reason = "too many groups" };

	log_error("a user's groups do not fit into an answer");
	return send_answer(chan, reply, id, CRED_UNAVAILABLE, &none);
}

static int
reply_to(struct msg_chan *chan, uint32_t reply, uint64_t id,
    enum cred_verdict verdict, struct cred_answer *answer)
{
	int	 error;

	error = send_answer(chan, reply, id, verdict, answer);
	if (error == -1 && errno == EMSGSIZE)
		error = send_too_large(chan, reply, id);
	/* Who has asked and gone has done nothing wrong. */
	if (error == -1 && errno != EPIPE)
		log_warn("answer to a check");
	cred_answer_done(answer);
	return 0;
}

int
verify_serve(struct msg_chan *chan, struct msg *msg, uint32_t reply,
    uint64_t deadline_ms, verify_fn *verify, void *state)
{
	struct cred_answer	 answer;
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
	return reply_to(chan, reply, msg->id, verdict, &answer);
}

int
verify_serve_lookup(struct msg_chan *chan, struct msg *msg, uint32_t reply,
    uint64_t deadline_ms, verify_lookup_fn *lookup, void *state)
{
	struct cred_answer	 answer;
	enum cred_verdict	 verdict;
	char			 user[CRED_MAX_USER + 1], peer[PEER_SIZE];

	msg_get_str(msg, user, sizeof(user));
	msg_get_str(msg, peer, sizeof(peer));
	if (msg_end(msg) == -1)
		return -1;
	memset(&answer, 0, sizeof(answer));
	set_alarm(deadline_ms);
	verdict = lookup(state, user, peer, &answer);
	set_alarm(0);
	return reply_to(chan, reply, msg->id, verdict, &answer);
}
