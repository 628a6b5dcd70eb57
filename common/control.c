/* SPDX-License-Identifier: ISC */
/*
 * The serving end of a control socket, in the one process that its daemon's
 * parent gave the listening descriptor to.  Owns connections, lines and
 * queues, and refuses strangers; what a command means is its owner's
 * business.  Nothing that a client sends can end the process.
 */
#include "control.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "compat.h"
#include "json.h"
#include "listener.h"
#include "log.h"
#include "str.h"

#define READ_SIZE	4096
#define QUEUE_MAX	(CONTROL_ANSWER_MAX + CONTROL_QUEUE_MAX + 4096)

/* A connection; it is its own call, since there is one at a time. */
struct control_call {
	struct control	*control;
	int		 fd;		/* -1: the client has gone */
	uid_t		 uid;
	struct loop_io	*io;
	struct loop_timer *idle;
	struct buf	 in, out;
	bool		 busy;		/* a request waits for its answer */
	bool		 running;	/* in call_run() */
	bool		 ending;	/* close when "out" is written */
	control_gone_fn	*gone;
	void		*gone_arg;
	LIST_ENTRY(control_call) entry;
};

struct control {
	struct loop	*loop;
	struct listener	*listener;
	struct loop_timer *reaper;	/* frees what has ended */
	control_request_fn *on_request;
	void		*arg;
	LIST_HEAD(, control_call) calls;
	size_t		 ncalls;
};

static void	 call_run(struct control_call *);

/* ---- the socket ---- */

/* The directories above; what is wrong with them shows when binding. */
static void
make_directories(const char *path)
{
	char *copy = strdup(path), *slash = copy;

	while (slash != NULL && (slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		mkdir(copy, 0750);
		*slash = '/';
	}
	free(copy);
}

static int
listen_here(const char *path, char *error, size_t errsize)
{
	int fds[LISTENER_MAX];
	mode_t mask;
	int n;

	mask = umask(027);
	make_directories(path);
	umask(0177);
	n = listener_open("unix", path, fds, error, errsize);
	umask(mask);
	return n == 1 ? fds[0] : -1;
}

int
control_listen(const char *path, uid_t uid, gid_t gid, char *error,
    size_t errsize)
{
	uid_t olduid = geteuid();
	gid_t oldgid = getegid();
	int fd = -1;

	if (uid == (uid_t)-1 || olduid != 0)
		return listen_here(path, error, errsize);
	if (setegid(gid) == -1 || seteuid(uid) == -1)
		snprintf(error, errsize, "%s: as user %u: %s", path,
		    (unsigned)uid, strerror(errno));
	else
		fd = listen_here(path, error, errsize);
	/* Going on as somebody else would be worse than ending. */
	if (seteuid(olduid) == -1 || setegid(oldgid) == -1)
		fatal("user %u again", (unsigned)olduid);
	return fd;
}

/* ---- one connection ---- */

static void
call_free(struct control_call *call)
{
	LIST_REMOVE(call, entry);
	call->control->ncalls--;
	loop_io_free(call->io);
	loop_timer_free(call->idle);
	if (call->fd != -1)
		close(call->fd);
	/* Answers may hold what only their reader may know. */
	buf_wipe(&call->in);
	buf_wipe(&call->out);
	free(call);
}

static void
on_reap(void *arg)
{
	struct control *control = arg;
	struct control_call *call, *next;
	control_gone_fn *gone;

	for (call = LIST_FIRST(&control->calls); call != NULL; call = next) {
		next = LIST_NEXT(call, entry);
		if (call->fd != -1)
			continue;
		if (!call->busy)
			call_free(call);
		else if ((gone = call->gone) != NULL) {
			call->gone = NULL;
			gone(call, call->gone_arg);
		}
	}
	listener_pause(control->listener,
	    control->ncalls >= CONTROL_CLIENTS_MAX);
}

/*
 * The client has gone, or goes.  The struct stays while it has a request, and
 * its owner hears of it later, not in the middle of what he does.
 */
static void
call_close(struct control_call *call)
{
	if (call->fd == -1)
		return;
	loop_io_free(call->io);
	call->io = NULL;
	loop_timer_stop(call->idle);
	close(call->fd);
	call->fd = -1;
	loop_timer_start(call->control->reaper, 0);
}

static void
on_idle(void *arg)
{
	call_close(arg);
}

/* Watch for what can happen next, and do not wait for ever for the client. */
static void
call_watch(struct control_call *call)
{
	unsigned events = 0;

	if (call->fd == -1)
		return;
	if (call->in.len < CONTROL_REQUEST_MAX && !call->ending)
		events |= LOOP_READ;
	if (call->out.len > 0)
		events |= LOOP_WRITE;
	if (loop_io_want(call->io, events) == -1) {
		call_close(call);
		return;
	}
	if (call->busy && call->out.len == 0)
		loop_timer_stop(call->idle);
	else if (loop_timer_start(call->idle, CONTROL_IDLE_MS) == -1)
		call_close(call);
}

static void
call_write(struct control_call *call)
{
	ssize_t n;

	while (call->fd != -1 && call->out.len > 0) {
		n = send(call->fd, call->out.data, call->out.len,
		    MSG_NOSIGNAL);
		if (n > 0) {
			buf_consume(&call->out, (size_t)n);
			continue;
		}
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		call_close(call);
	}
	if (call->ending && call->out.len == 0)
		call_close(call);
}

/* Takes ownership of value. */
static void
call_put(struct control_call *call, const char *key, json_t *value)
{
	json_t *object = NULL;
	char *text = NULL;

	if (value != NULL)
		object = json_pack("{so}", key, value);
	if (object != NULL)
		text = json_dumps(object, JSON_COMPACT);
	if (text == NULL)
		buf_addstr(&call->out, "{\"error\":\"out of memory\"}\n");
	else if (strlen(text) > CONTROL_ANSWER_MAX)
		buf_addstr(&call->out, "{\"error\":\"the answer is too "
		    "large\"}\n");
	else {
		buf_addstr(&call->out, text);
		buf_addc(&call->out, '\n');
	}
	free(text);
	json_decref(object);
	if (buf_failed(&call->out))
		call_close(call);
}

/* ---- answers ---- */

uid_t
control_uid(const struct control_call *call)
{
	return call->uid;
}

void
control_on_gone(struct control_call *call, control_gone_fn *fn, void *arg)
{
	call->gone = fn;
	call->gone_arg = arg;
}

void
control_progress(struct control_call *call, json_t *value)
{
	if (call->fd == -1 || call->out.len > CONTROL_QUEUE_MAX ||
	    value == NULL) {
		json_decref(value);
		return;
	}
	call_put(call, "progress", value);
	call_write(call);
	call_watch(call);
}

static void
call_answer(struct control_call *call, const char *key, json_t *value)
{
	call->busy = false;
	call->gone = NULL;
	if (call->fd == -1) {
		json_decref(value);
		loop_timer_start(call->control->reaper, 0);
		return;
	}
	call_put(call, key, value);
	call_write(call);
	if (!call->running)
		call_run(call);
}

void
control_result(struct control_call *call, json_t *value)
{
	call_answer(call, "result", value);
}

void
control_error(struct control_call *call, const char *fmt, ...)
{
	char text[CONTROL_ERROR_SIZE], clean[CONTROL_ERROR_SIZE];
	json_t *value;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* NULL for what is not UTF-8. */
	if ((value = json_string(text)) == NULL)
		value = json_string(str_vis(clean, sizeof(clean), text,
		    strlen(text)));
	call_answer(call, "error", value);
}

/* ---- requests ---- */

json_t *
control_parse(const char *line, size_t len, char *error, size_t errsize)
{
	const char *command;
	json_t *request;

	if ((request = json_load_strict(line, len, error, errsize)) == NULL)
		return NULL;
	command = json_string_at(request, "command");
	if (command != NULL && command[0] != '\0' &&
	    strlen(command) <= CONTROL_COMMAND_MAX)
		return request;
	json_decref(request);
	snprintf(error, errsize, "expected an object with a \"command\"");
	return NULL;
}

/* A client that does not speak the protocol hears why and goes. */
static void
call_refuse(struct control_call *call, const char *why)
{
	call->ending = true;
	call->busy = true;
	control_error(call, "%s", why);
}

static void
call_line(struct control_call *call, const char *line, size_t len)
{
	struct control *control = call->control;
	char error[128];
	json_t *request;

	request = control_parse(line, len, error, sizeof(error));
	if (request == NULL) {
		call_refuse(call, error);
		return;
	}
	call->busy = true;
	control->on_request(call, json_string_at(request, "command"), request,
	    control->arg);
	json_decref(request);
}

/* Take requests from what has been read, one after the other. */
static void
call_run(struct control_call *call)
{
	const char *end;
	size_t len;

	call->running = true;
	while (!call->busy && !call->ending && call->fd != -1 &&
	    call->in.len > 0) {
		end = memchr(call->in.data, '\n', call->in.len);
		if (end == NULL && call->in.len >= CONTROL_REQUEST_MAX)
			call_refuse(call, "the request is too long");
		if (end == NULL)
			break;
		len = (size_t)(end - call->in.data);
		call_line(call, call->in.data, len);
		buf_consume(&call->in, len + 1);
	}
	call->running = false;
	call_watch(call);
}

static void
call_read(struct control_call *call)
{
	char *p;
	size_t room = CONTROL_REQUEST_MAX - call->in.len;
	ssize_t n;

	if (room > READ_SIZE)
		room = READ_SIZE;
	if ((p = buf_reserve(&call->in, room)) == NULL) {
		call_close(call);
		return;
	}
	n = recv(call->fd, p, room, 0);
	if (n > 0)
		buf_commit(&call->in, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN &&
	    errno != EWOULDBLOCK))
		call_close(call);
}

static void
on_io(int fd, unsigned events, void *arg)
{
	struct control_call *call = arg;

	(void)fd;
	if ((events & LOOP_WRITE) != 0)
		call_write(call);
	if (call->fd != -1 && (events & LOOP_READ) != 0 && !call->ending)
		call_read(call);
	call_run(call);
}

static struct control_call *
call_new(struct control *control, int fd, uid_t uid)
{
	struct control_call *call;

	if ((call = calloc(1, sizeof(*call))) == NULL) {
		close(fd);
		return NULL;
	}
	call->control = control;
	call->fd = fd;
	call->uid = uid;
	buf_init(&call->in, CONTROL_REQUEST_MAX);
	buf_init(&call->out, QUEUE_MAX);
	LIST_INSERT_HEAD(&control->calls, call, entry);
	control->ncalls++;
	if ((call->io = loop_io_new(control->loop, fd, on_io, call)) ==
	    NULL || (call->idle = loop_timer_new(control->loop, on_idle,
	    call)) == NULL) {
		call_free(call);
		return NULL;
	}
	return call;
}

static void
on_accept(int fd, const struct peer *peer, void *arg)
{
	struct control *control = arg;
	struct control_call *call;
	uid_t uid;

	(void)peer;
	if (compat_peer_uid(fd, &uid) == -1) {
		close(fd);
		return;
	}
	if ((call = call_new(control, fd, uid)) == NULL)
		return;
	if (uid != 0 && uid != geteuid())
		call_refuse(call, "only root and the user of the daemon may "
		    "do that");
	call_watch(call);
	listener_pause(control->listener,
	    control->ncalls >= CONTROL_CLIENTS_MAX);
}

struct control *
control_new(struct loop *loop, int fd, control_request_fn *fn, void *arg)
{
	struct control *control;
	int saved;

	if ((control = calloc(1, sizeof(*control))) == NULL) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	control->loop = loop;
	control->on_request = fn;
	control->arg = arg;
	LIST_INIT(&control->calls);
	control->listener = listener_new(loop, fd, on_accept, control);
	if (control->listener == NULL || (control->reaper =
	    loop_timer_new(loop, on_reap, control)) == NULL) {
		saved = errno;
		control_free(control);
		errno = saved;
		return NULL;
	}
	return control;
}

void
control_free(struct control *control)
{
	struct control_call *call;

	if (control == NULL)
		return;
	while ((call = LIST_FIRST(&control->calls)) != NULL)
		call_free(call);
	listener_free(control->listener);
	loop_timer_free(control->reaper);
	free(control);
}
