/* SPDX-License-Identifier: ISC */
/*
 * The process that modules run in, and the words that it and its verifier
 * exchange: a request with user, password and peer, then its answer.  The
 * verifier takes the answer for what it is, the word of a process in which
 * anybody's code runs.
 */
#include "cred_pam.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listener.h"
#include "msg.h"
#include "secret.h"

#define PAM_REQUEST	1
#define PAM_ANSWER	2
#define PAM_LOOKUP	3
#define REQUEST_SIZE	(MSG_HEADER_SIZE + CRED_MAX_USER + PEER_SIZE + \
			    CRED_PAM_MAX_PASSWORD + 64)
#define ANSWER_SIZE	(MSG_HEADER_SIZE + MSG_MAX_SIZE)

static int
send_frame(int fd, struct msg_out *out)
{
	ssize_t	 n = -1;
	int	 saved;

	if (out->failed)
		errno = out->error;
	else
		do
			n = send(fd, out->data, out->len, MSG_NOSIGNAL);
		while (n == -1 && errno == EINTR);
	saved = errno;
	msg_drop(out);
	errno = saved;
	return n == -1 ? -1 : 0;
}

static ssize_t
recv_frame(int fd, void *frame, size_t size)
{
	ssize_t	 n;

	do
		n = recv(fd, frame, size, MSG_TRUNC);
	while (n == -1 && errno == EINTR);
	if (n > 0 && (size_t)n > size) {
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}

/* ---- in the verifier ---- */

int
cred_pam_send(int fd, const char *user, const char *password, size_t len,
    const char *peer)
{
	struct msg_out	 out;

	/* One byte too many is enough for the helper to know. */
	if (len > CRED_PAM_MAX_PASSWORD)
		len = CRED_PAM_MAX_PASSWORD + 1;
	msg_begin(&out, password == NULL ? PAM_LOOKUP : PAM_REQUEST, 0);
	msg_put_str(&out, user);
	msg_put_bytes(&out, password, password == NULL ? 0 : len);
	msg_put_str(&out, peer);
	return send_frame(fd, &out);
}

static int
read_answer(struct msg *msg, struct cred_pam_result *result)
{
	result->dirty = msg_get_bool(msg);
	if (cred_answer_get(msg, &result->verdict, &result->answer) == -1)
		return -1;
	return result->verdict == CRED_OK && *result->answer.user == '\0' ?
	    -1 : 0;
}

int
cred_pam_recv(int fd, struct cred_pam_result *result)
{
	struct msg	 msg;
	uint8_t		*frame;
	ssize_t		 n;
	int		 error = -1;

	if ((frame = malloc(ANSWER_SIZE)) == NULL)
		return -1;
	n = recv_frame(fd, frame, ANSWER_SIZE);
	if (n == 0 || (n == -1 && errno == ECONNRESET)) {
		error = 1;
	} else if (n > 0) {
		errno = EBADMSG;
		if (msg_parse(&msg, frame, (size_t)n) == 0 &&
		    msg.type == PAM_ANSWER && read_answer(&msg, result) == 0)
			error = 0;
	}
	free(frame);
	return error;
}

/* ---- in the helper ---- */

/* Processes that modules have started here and not waited for. */
static bool
has_children(void)
{
	pid_t	 pid;

	do
		pid = waitpid(-1, NULL, WNOHANG);
	while (pid > 0 || (pid == -1 && errno == EINTR));
	return pid == 0;
}

static int
send_answer(int fd, enum cred_verdict verdict,
    const struct cred_answer *answer)
{
	struct msg_out	 out;

	msg_begin(&out, PAM_ANSWER, 0);
	msg_put_bool(&out, has_children());
	cred_answer_put(&out, verdict, answer);
	return send_frame(fd, &out);
}

static int
serve_one(const struct conf_pam *pam, int fd, struct msg *msg)
{
	struct cred_answer	 answer;
	enum cred_verdict	 verdict;
	const void		*bytes;
	char			 user[CRED_MAX_USER + 1], peer[PEER_SIZE];
	char			 password[CRED_PAM_MAX_PASSWORD + 2];
	size_t			 len;
	int			 error;

	msg_get_str(msg, user, sizeof(user));
	bytes = msg_get_bytes(msg, CRED_PAM_MAX_PASSWORD + 1, &len);
	msg_get_str(msg, peer, sizeof(peer));
	if ((msg->type != PAM_REQUEST && msg->type != PAM_LOOKUP) ||
	    msg_end(msg) == -1)
		return -1;
	memset(&answer, 0, sizeof(answer));
	if (msg->type == PAM_REQUEST) {
		memcpy(password, bytes, len);
		password[len] = '\0';
		verdict = cred_pam_check(pam, user, password, len, peer,
		    &answer);
		secret_wipe(password, sizeof(password));
	} else {
		verdict = cred_pam_lookup(pam, user, peer, &answer);
	}
	error = send_answer(fd, verdict, &answer);
	cred_answer_done(&answer);
	return error;
}

_Noreturn void
cred_pam_helper(const struct conf_pam *pam, int fd)
{
	struct msg	 msg;
	uint8_t		 frame[REQUEST_SIZE];
	ssize_t		 n;
	int		 error;

	for (;;) {
		n = recv_frame(fd, frame, sizeof(frame));
		if (n <= 0)
			_exit(n == 0 ? 0 : 1);
		error = msg_parse(&msg, frame, (size_t)n);
		if (error == 0)
			error = serve_one(pam, fd, &msg);
		secret_wipe(frame, sizeof(frame));
		if (error == -1)
			_exit(1);
	}
}
