/* SPDX-License-Identifier: ISC */
/*
 * A channel for messages: one end of a SOCK_SEQPACKET pair in the loop, with
 * a bounded queue for what the socket does not take at once.  Every message
 * that comes in is checked against the rule table before its handler runs;
 * a violation cuts off the sender and never harms the receiver.
 */
#include "msg.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define MSGS_PER_TURN	16	/* then other channels have their turn */
#define RETRY_MS	20	/* the kernel is out of some resource */
#define FLUSH_MS	5000

union control {
	struct cmsghdr	 align;
	char		 bytes[CMSG_SPACE(MSG_MAX_FDS * sizeof(int))];
};

struct queued {
	struct msg_out		 out;
	STAILQ_ENTRY(queued)	 entry;
};

struct msg_chan {
	struct loop_io		*io;
	struct loop_timer	*retry;
	int			 fd;		/* -1 when closed */
	unsigned		 role, instance;
	const struct msg_rule	*rules;
	size_t			 nrules;
	msg_closed_fn		*closed;
	void			*arg;
	STAILQ_HEAD(, queued)	 queue;
	size_t			 nqueued, queued_bytes;
	bool			 broken;	/* cannot send any more */
	bool			 busy;		/* a callback is running */
	bool			 freed;		/* by that callback */
	char			 why[96];
};

static void	on_io(int, unsigned, void *);
static void	on_retry(void *);

struct msg_chan *
msg_chan_new(struct loop *loop, int fd, unsigned role, unsigned instance,
    const struct msg_rule *rules, size_t nrules, msg_closed_fn *closed,
    void *arg)
{
	struct msg_chan *chan;
	int flags, saved;

	if ((chan = calloc(1, sizeof(*chan))) == NULL) {
		close(fd);
		return NULL;
	}
	STAILQ_INIT(&chan->queue);
	chan->fd = fd;
	chan->role = role;
	chan->instance = instance;
	chan->rules = rules;
	chan->nrules = nrules;
	chan->closed = closed;
	chan->arg = arg;
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    (chan->io = loop_io_new(loop, fd, on_io, chan)) == NULL ||
	    (chan->retry = loop_timer_new(loop, on_retry, chan)) == NULL ||
	    loop_io_want(chan->io, LOOP_READ) == -1) {
		saved = errno;
		msg_chan_free(chan);
		errno = saved;
		return NULL;
	}
	return chan;
}

static void
drop_first(struct msg_chan *chan)
{
	struct queued *q = STAILQ_FIRST(&chan->queue);

	STAILQ_REMOVE_HEAD(&chan->queue, entry);
	chan->nqueued--;
	chan->queued_bytes -= q->out.len;
	msg_drop(&q->out);
	free(q);
}

static void
chan_close(struct msg_chan *chan)
{
	while (!STAILQ_EMPTY(&chan->queue))
		drop_first(chan);
	loop_io_free(chan->io);
	chan->io = NULL;
	loop_timer_free(chan->retry);
	chan->retry = NULL;
	if (chan->fd != -1)
		close(chan->fd);
	chan->fd = -1;
	chan->broken = true;
}

void
msg_chan_free(struct msg_chan *chan)
{
	if (chan == NULL)
		return;
	chan_close(chan);
	if (chan->busy)
		chan->freed = true;
	else
		free(chan);
}

unsigned
msg_chan_role(const struct msg_chan *chan)
{
	return chan->role;
}

unsigned
msg_chan_instance(const struct msg_chan *chan)
{
	return chan->instance;
}

size_t
msg_chan_queued(const struct msg_chan *chan)
{
	return chan->nqueued;
}

/* ---- sending ---- */

enum sent { SENT, SENT_LATER, SENT_RETRY, SENT_BROKEN };

static enum sent
send_frame(int fd, const struct msg_out *out)
{
	union control control;
	struct cmsghdr *cmsg;
	struct msghdr hdr;
	struct iovec iov;
	ssize_t n;

	memset(&hdr, 0, sizeof(hdr));
	iov.iov_base = out->data;
	iov.iov_len = out->len;
	hdr.msg_iov = &iov;
	hdr.msg_iovlen = 1;
	if (out->nfds > 0) {
		memset(&control, 0, sizeof(control));
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(out->nfds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(out->nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), out->fds, out->nfds * sizeof(int));
	}
	do
		n = sendmsg(fd, &hdr, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n != -1)
		return SENT;
	switch (errno) {
	case EAGAIN:
		return SENT_LATER;
	case ENOBUFS:
	case ENOMEM:
	case ETOOMANYREFS:	/* descriptors in flight, of all processes */
		return SENT_RETRY;
	default:
		return SENT_BROKEN;
	}
}

/*
 * A peer that cannot be written to is gone.  Reading goes on, for what it
 * has sent before, until end of file tells the owner.
 */
static void
chan_break(struct msg_chan *chan)
{
	chan->broken = true;
	while (!STAILQ_EMPTY(&chan->queue))
		drop_first(chan);
	shutdown(chan->fd, SHUT_RDWR);
	loop_io_want(chan->io, LOOP_READ);
}

static void
send_queue(struct msg_chan *chan)
{
	enum sent sent = SENT;

	while (sent == SENT && !STAILQ_EMPTY(&chan->queue)) {
		sent = send_frame(chan->fd, &STAILQ_FIRST(&chan->queue)->out);
		if (sent == SENT)
			drop_first(chan);
	}
	switch (sent) {
	case SENT:
		loop_io_want(chan->io, LOOP_READ);
		break;
	case SENT_LATER:
		loop_io_want(chan->io, LOOP_READ | LOOP_WRITE);
		break;
	case SENT_RETRY:
		loop_io_want(chan->io, LOOP_READ);
		loop_timer_start(chan->retry, RETRY_MS);
		break;
	case SENT_BROKEN:
		chan_break(chan);
		break;
	}
}

static void
on_retry(void *arg)
{
	send_queue(arg);
}

/* 0: queued; or an errno, and the message still is the caller's. */
static int
enqueue(struct msg_chan *chan, struct msg_out *out)
{
	struct queued *q;

	if (chan->nqueued >= MSG_MAX_QUEUE ||
	    chan->queued_bytes + out->len > MSG_MAX_QUEUE_BYTES)
		return ENOBUFS;
	if ((q = malloc(sizeof(*q))) == NULL)
		return ENOMEM;
	q->out = *out;
	if (out->borrowed) {
		if ((q->out.data = malloc(out->len)) == NULL) {
			free(q);
			return ENOMEM;
		}
		memcpy(q->out.data, out->data, out->len);
		q->out.cap = out->len;
		q->out.borrowed = false;
	}
	STAILQ_INSERT_TAIL(&chan->queue, q, entry);
	chan->nqueued++;
	chan->queued_bytes += out->len;
	return 0;
}

int
msg_send(struct msg_chan *chan, struct msg_out *out)
{
	enum sent sent = SENT_LATER;
	int error = 0;

	if (out->failed)
		error = out->error;
	else if (chan->broken)
		error = EPIPE;
	else {
		if (STAILQ_EMPTY(&chan->queue))
			sent = send_frame(chan->fd, out);
		if (sent == SENT_BROKEN) {
			chan_break(chan);
			error = EPIPE;
		} else if (sent != SENT && (error = enqueue(chan, out)) == 0) {
			if (sent == SENT_RETRY)
				loop_timer_start(chan->retry, RETRY_MS);
			else if (chan->nqueued == 1)
				loop_io_want(chan->io, LOOP_READ | LOOP_WRITE);
			return 0;
		}
	}
	msg_drop(out);
	errno = error;
	return error == 0 ? 0 : -1;
}

int
msg_send_empty(struct msg_chan *chan, uint32_t type, uint64_t id)
{
	struct msg_out out;

	msg_begin(&out, type, id);
	return msg_send(chan, &out);
}

int
msg_chan_flush(struct msg_chan *chan)
{
	struct pollfd pfd;
	uint64_t deadline;

	deadline = clock_monotonic_ms() + FLUSH_MS;
	while (!chan->broken && !STAILQ_EMPTY(&chan->queue)) {
		if (clock_monotonic_ms() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		pfd.fd = chan->fd;
		pfd.events = POLLOUT;
		if (poll(&pfd, 1, RETRY_MS) == -1 && errno != EINTR)
			return -1;
		send_queue(chan);
	}
	if (chan->broken) {
		errno = EPIPE;
		return -1;
	}
	return 0;
}

/* ---- receiving ---- */

/* Collect the descriptors of a message; all that fit are ours to close. */
static void
take_fds(struct msghdr *hdr, struct msg *msg)
{
	struct cmsghdr *cmsg;
	size_t i, n;
	int fd;

	for (cmsg = CMSG_FIRSTHDR(hdr); cmsg != NULL;
	    cmsg = CMSG_NXTHDR(hdr, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int),
			    sizeof(fd));
			if (msg->nfds < MSG_MAX_FDS)
				msg->fds[msg->nfds++] = fd;
			else
				close(fd);
		}
	}
}

static void
close_fds(struct msg *msg)
{
	int fd;

	while ((fd = msg_get_fd(msg)) != -1)
		close(fd);
}

/*
 * Close, tell the owner, and free when the owner said so.  why is NULL when
 * the peer has simply gone.
 */
static void
chan_end(struct msg_chan *chan, const char *why)
{
	chan_close(chan);
	chan->busy = true;
	chan->closed(chan, why, chan->arg);
	chan->busy = false;
	if (chan->freed)
		free(chan);
}

static void
chan_violation(struct msg_chan *chan, uint32_t type, const char *name,
    const char *why)
{
	if (name != NULL)
		snprintf(chan->why, sizeof(chan->why), "%s: %s", name, why);
	else
		snprintf(chan->why, sizeof(chan->why), "message type %u: %s",
		    (unsigned)type, why);
	chan_end(chan, chan->why);
}

/* False when the channel has gone and must not be touched any more. */
static bool
dispatch(struct msg_chan *chan, struct msg *msg)
{
	const struct msg_rule *rule;
	const char *why;
	int result;

	rule = msg_check(chan->rules, chan->nrules, chan->role, msg, &why);
	if (rule == NULL) {
		close_fds(msg);
		chan_violation(chan, msg->type, NULL, why);
		return false;
	}
	chan->busy = true;
	result = rule->handler(chan, msg, chan->arg);
	chan->busy = false;
	close_fds(msg);
	if (chan->freed) {
		free(chan);
		return false;
	}
	if (result == -1) {
		chan_violation(chan, msg->type, rule->name, "refused");
		return false;
	}
	return true;
}

/* One frame; false when there is none now, or the channel has gone. */
static bool
recv_frame(struct msg_chan *chan)
{
	/* One byte more than any frame, so that a longer one shows. */
	static uint8_t frame[MSG_HEADER_SIZE + MSG_MAX_SIZE + 1];
	union control control;
	struct msghdr hdr;
	struct iovec iov;
	struct msg msg;
	ssize_t n;
	bool more;

	memset(&hdr, 0, sizeof(hdr));
	iov.iov_base = frame;
	iov.iov_len = sizeof(frame);
	hdr.msg_iov = &iov;
	hdr.msg_iovlen = 1;
	hdr.msg_control = &control;
	hdr.msg_controllen = sizeof(control);
	do
		n = recvmsg(chan->fd, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1 && errno == EAGAIN)
		return false;
	if (n == -1) {
		chan_end(chan, NULL);
		return false;
	}
	if (msg_parse(&msg, frame, (size_t)n) == -1)
		hdr.msg_flags |= MSG_TRUNC;
	take_fds(&hdr, &msg);
	/* An empty frame looks like the end, but for its descriptors. */
	if (n == 0 && msg.nfds == 0) {
		chan_end(chan, NULL);
		return false;
	}
	if ((hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
	    (size_t)n == sizeof(frame)) {
		close_fds(&msg);
		chan_violation(chan, msg.type, NULL,
		    (hdr.msg_flags & MSG_CTRUNC) != 0 ?
		    "descriptors do not fit" : "frame too short or too long");
		return false;
	}
	more = dispatch(chan, &msg);
	explicit_bzero(frame, (size_t)n);
	return more;
}

void
msg_chan_drain(struct msg_chan *chan)
{
	int i;

	for (i = 0; i < MSG_MAX_QUEUE; i++)
		if (!recv_frame(chan))
			break;
}

static void
on_io(int fd, unsigned events, void *arg)
{
	struct msg_chan *chan = arg;
	int i;

	(void)fd;
	if ((events & LOOP_WRITE) != 0)
		send_queue(chan);
	if ((events & LOOP_READ) == 0)
		return;
	for (i = 0; i < MSGS_PER_TURN; i++)
		if (!recv_frame(chan))
			break;
}
