/* SPDX-License-Identifier: ISC */
/*
 * The asking end of a control socket, for the command line tools: blocks
 * until the daemon has answered, and believes only what is well formed.
 */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "control.h"
#include "json.h"
#include "str.h"

#define READ_SIZE	65536

struct control_client {
	int		 fd;
	struct buf	 in;
};

/* A queue of clients that nobody takes is as long as connect() waits for. */
static int
set_patience(int fd, unsigned timeout_ms)
{
	struct timeval tv = { .tv_sec = timeout_ms / 1000,
	    .tv_usec = (timeout_ms % 1000) * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

struct control_client *
control_connect(const char *path, unsigned timeout_ms)
{
	struct control_client *client;
	struct sockaddr_un sun;
	int saved;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (str_copy(sun.sun_path, sizeof(sun.sun_path), path) == -1 ||
	    (client = calloc(1, sizeof(*client))) == NULL)
		return NULL;
	buf_init(&client->in, CONTROL_ANSWER_MAX + READ_SIZE);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd != -1 && set_patience(client->fd, timeout_ms) == 0 &&
	    connect(client->fd,
	    (const struct sockaddr *)&sun, sizeof(sun)) == 0)
		return client;
	saved = errno;
	control_close(client);
	errno = saved;
	return NULL;
}

void
control_close(struct control_client *client)
{
	if (client == NULL)
		return;
	if (client->fd != -1)
		close(client->fd);
	buf_wipe(&client->in);
	free(client);
}

static int
send_request(struct control_client *client, json_t *request)
{
	size_t len, sent = 0;
	ssize_t n;
	char *text;

	if ((text = json_dumps(request, JSON_COMPACT)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	len = strlen(text);
	text[len] = '\n';		/* in the place of the NUL */
	if (len >= CONTROL_REQUEST_MAX) {
		free(text);
		errno = EMSGSIZE;
		return -1;
	}
	while (sent < len + 1) {
		n = send(client->fd, text + sent, len + 1 - sent,
		    MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		else if (errno != EINTR)
			break;
	}
	free(text);
	return sent == len + 1 ? 0 : -1;
}

/* Until something has come or timeout_ms (0: none) are over. */
static int
wait_input(int fd, unsigned timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t end = clock_monotonic_ms() + timeout_ms, now;
	int n, left;

	for (;;) {
		left = -1;
		if (timeout_ms != 0) {
			now = clock_monotonic_ms();
			left = now < end ? (int)(end - now) : 0;
		}
		n = poll(&pfd, 1, left);
		if (n > 0)
			return 0;
		if (n == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (errno != EINTR)
			return -1;
	}
}

/* *len: of the line at the start of "in", which has a newline behind. */
static int
read_line(struct control_client *client, unsigned timeout_ms, size_t *len)
{
	const char *end = NULL;
	ssize_t n;
	char *p;

	for (;;) {
		if (client->in.len > 0)
			end = memchr(client->in.data, '\n', client->in.len);
		if (end != NULL) {
			*len = (size_t)(end - client->in.data);
			return 0;
		}
		if ((p = buf_reserve(&client->in, READ_SIZE)) == NULL ||
		    wait_input(client->fd, timeout_ms) == -1)
			return -1;
		n = recv(client->fd, p, READ_SIZE, 0);
		if (n > 0)
			buf_commit(&client->in, (size_t)n);
		else if (n == 0) {
			errno = ECONNRESET;
			return -1;
		} else if (errno != EINTR)
			return -1;
	}
}

static enum control_status
set_lost(char *error, size_t errsize)
{
	if (errno == ETIMEDOUT || errno == EAGAIN || errno == EWOULDBLOCK) {
		snprintf(error, errsize, "no answer in time");
		return CONTROL_SILENT;
	}
	if (errno == ECONNRESET || errno == EPIPE)
		snprintf(error, errsize, "the connection was closed before "
		    "the answer");
	else
		snprintf(error, errsize, "%s", strerror(errno));
	return CONTROL_LOST;
}

static enum control_status
take_answer(json_t *answer, json_t **result, char *error, size_t errsize)
{
	const char *text = json_string_at(answer, "error");
	json_t *value = json_object_get(answer, "result");

	if (value != NULL) {
		*result = json_incref(value);
		return CONTROL_OK;
	}
	if (text != NULL) {
		str_vis(error, errsize, text, strlen(text));
		return CONTROL_REFUSED;
	}
	snprintf(error, errsize, "an answer without sense");
	return CONTROL_LOST;
}

enum control_status
control_call(struct control_client *client, json_t *request,
    unsigned timeout_ms, control_progress_fn *progress, void *arg,
    json_t **result, char *error, size_t errsize)
{
	enum control_status status;
	const json_t *value;
	json_t *answer;
	size_t len;
	int sent;

	sent = request != NULL ? send_request(client, request) : -1;
	json_decref(request);
	/* A stranger is told so, and cut off, before he has asked. */
	if (sent == -1 && errno != EPIPE && errno != ECONNRESET)
		return set_lost(error, errsize);
	for (;;) {
		if (read_line(client, timeout_ms, &len) == -1)
			return set_lost(error, errsize);
		answer = json_load_strict(client->in.data, len, error,
		    errsize);
		buf_consume(&client->in, len + 1);
		if (answer == NULL)
			return CONTROL_LOST;
		if ((value = json_object_get(answer, "progress")) == NULL)
			break;
		if (progress != NULL)
			progress(value, arg);
		json_decref(answer);
	}
	status = take_answer(answer, result, error, errsize);
	json_decref(answer);
	return status;
}
