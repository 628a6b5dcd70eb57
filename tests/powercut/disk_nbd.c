/* SPDX-License-Identifier: ISC */
/*
 * Serves a disk to qemu by NBD, in a thread of its own.
 *
 * A flush covers the writes whose completion was sent before the flush was
 * received.  Replies are held back until all that has arrived is read, so
 * that what the guest has sent together is not in order, and flushes take
 * some milliseconds, so that a cut finds the cache full.  Forced unit access
 * and zeroing are not offered: qemu writes and flushes instead, and drops
 * what the guest discards.  A request that has not arrived as a whole when
 * qemu is killed is none.
 */
#include "disk.h"

#include <sys/socket.h>

#include <endian.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk_local.h"
#include "xmem.h"

#define NBD_MAGIC	0x4e42444d41474943ULL
#define NBD_OPTION	0x49484156454f5054ULL
#define NBD_OPT_REPLY	0x0003e889045565a9ULL
#define NBD_REQUEST	0x25609513U
#define NBD_REPLY	0x67446698U
#define NBD_FIXED	1U		/* handshake flags, of both sides */
#define NBD_NO_ZEROES	2U
#define NBD_OPT_EXPORT	1U
#define NBD_OPT_ABORT	2U
#define NBD_OPT_INFO	6U
#define NBD_OPT_GO	7U
#define NBD_REP_ACK	1U
#define NBD_REP_INFO	3U
#define NBD_REP_UNSUP	0x80000001U
#define NBD_HAS_FLAGS	1U		/* transmission flags */
#define NBD_SEND_FLUSH	4U
#define NBD_CMD_READ	0U
#define NBD_CMD_WRITE	1U
#define NBD_CMD_DISC	2U
#define NBD_CMD_FLUSH	3U

#define REQUEST_SIZE	28
#define REPLY_SIZE	16
#define OPTION_MAX	65536U
#define TRANSFER_MAX	(32U << 20)	/* the protocol's own */
#define BATCH_MAX	256		/* requests between replies */
#define FLUSH_TIME	16000000U	/* at most; nanoseconds */

/* A request that is carried out and not yet answered. */
struct answer {
	uint64_t	 handle;
	size_t		 event;		/* SIZE_MAX: a read */
	const uint8_t	*data;
	size_t		 len;
	uint32_t	 error;
};

static bool
send_all(int fd, const void *data, size_t len)
{
	const char	*p = data;
	ssize_t		 n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
recv_all(int fd, void *data, size_t len)
{
	char	*p = data;
	ssize_t	 n;

	while (len > 0) {
		n = recv(fd, p, len, 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static uint32_t
get32(const uint8_t *p)
{
	uint32_t	 v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static uint64_t
get64(const uint8_t *p)
{
	uint64_t	 v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static uint8_t *
put16(uint8_t *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *
put32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *
put64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static bool
option_reply(int fd, uint32_t option, uint32_t type, const uint8_t *data,
    uint32_t len)
{
	uint8_t	 head[20];

	put32(put32(put32(put64(head, NBD_OPT_REPLY), option), type), len);
	return send_all(fd, head, sizeof(head)) && send_all(fd, data, len);
}

/* 1: go on with options, 0: transmission begins, -1: the peer has gone. */
static int
option_answer(struct disk *d, uint32_t option, bool zeroes)
{
	uint8_t	 export[8 + 2 + 124] = { 0 };
	uint8_t	 info[2 + 8 + 2];

	switch (option) {
	case NBD_OPT_EXPORT:
		put16(put64(export, d->size), NBD_HAS_FLAGS | NBD_SEND_FLUSH);
		return send_all(d->fd, export,
		    zeroes ? sizeof(export) : 10) ? 0 : -1;
	case NBD_OPT_GO:
	case NBD_OPT_INFO:
		put16(put64(put16(info, 0), d->size),
		    NBD_HAS_FLAGS | NBD_SEND_FLUSH);
		if (!option_reply(d->fd, option, NBD_REP_INFO, info,
		    sizeof(info)) ||
		    !option_reply(d->fd, option, NBD_REP_ACK, NULL, 0))
			return -1;
		return option == NBD_OPT_GO ? 0 : 1;
	case NBD_OPT_ABORT:
		return -1;
	default:
		return option_reply(d->fd, option, NBD_REP_UNSUP, NULL, 0) ?
		    1 : -1;
	}
}

static bool
handshake(struct disk *d)
{
	uint8_t		 hello[18], flags[4], head[16], *data;
	uint32_t	 len;
	int		 more = 1;
	bool		 got;

	put16(put64(put64(hello, NBD_MAGIC), NBD_OPTION),
	    NBD_FIXED | NBD_NO_ZEROES);
	if (!send_all(d->fd, hello, sizeof(hello)) ||
	    !recv_all(d->fd, flags, sizeof(flags)))
		return false;
	while (more == 1) {
		if (!recv_all(d->fd, head, sizeof(head)) ||
		    get64(head) != NBD_OPTION)
			return false;
		if ((len = get32(head + 12)) > OPTION_MAX)
			return false;
		data = xmalloc(len + 1);
		got = recv_all(d->fd, data, len);
		free(data);
		if (!got)
			return false;
		more = option_answer(d, get32(head + 8),
		    (get32(flags) & NBD_NO_ZEROES) == 0);
	}
	return more == 0;
}

/* Carry out the request at the head of d->in.  Its size, or 0: not all. */
static size_t
request_run(struct disk *d, const uint8_t *p, size_t have, struct answer *a,
    bool *gone)
{
	uint64_t	 offset;
	uint32_t	 len, type;

	if (have < REQUEST_SIZE)
		return 0;
	type = get32(p + 4) & 0xffff;
	offset = get64(p + 16);
	len = get32(p + 24);
	memset(a, 0, sizeof(*a));
	a->handle = get64(p + 8);
	a->event = SIZE_MAX;
	if (get32(p) != NBD_REQUEST || len > TRANSFER_MAX ||
	    offset > d->size || len > d->size - offset ||
	    type == NBD_CMD_DISC) {
		*gone = true;
		return 0;
	}
	switch (type) {
	case NBD_CMD_READ:
		a->data = d->contents + offset;
		a->len = len;
		return REQUEST_SIZE;
	case NBD_CMD_WRITE:
		if (have - REQUEST_SIZE < len)
			return 0;
		a->event = disk_log_add(d, false, offset, len,
		    p + REQUEST_SIZE);
		return REQUEST_SIZE + len;
	case NBD_CMD_FLUSH:
		a->event = disk_log_add(d, true, 0, 0, NULL);
		return REQUEST_SIZE;
	default:
		a->error = EINVAL;
		return REQUEST_SIZE;
	}
}

static bool
answer_send(struct disk *d, uint64_t handle, uint32_t error, size_t event,
    const uint8_t *data, size_t len)
{
	uint8_t	 head[REPLY_SIZE];

	put64(put32(put32(head, NBD_REPLY), error), handle);
	/* Before it is sent: the guest may know from now on. */
	if (event != SIZE_MAX)
		d->events[event].done = disk_now();
	return send_all(d->fd, head, sizeof(head)) &&
	    send_all(d->fd, data, len);
}

static bool
is_flush(const struct disk *d, const struct answer *a)
{
	return a->event != SIZE_MAX && d->events[a->event].is_flush;
}

static void
flush_add(struct disk *d, const struct answer *a)
{
	struct flush	*f = &d->flushes[d->n_flushes++];

	f->handle = a->handle;
	f->event = a->event;
	f->covered = d->n_writes;
	f->due = disk_now() + disk_chance(&d->dice) % FLUSH_TIME;
}

/* Whatever is not a flush is done at once. */
static bool
answers_send(struct disk *d, const struct answer *answers, size_t n)
{
	const struct answer	*a;

	for (a = answers; a < answers + n; a++)
		if (is_flush(d, a) && d->n_flushes < FLUSH_MAX)
			flush_add(d, a);
		else if (!answer_send(d, a->handle, a->error, a->event,
		    a->data, a->len))
			return false;
	return true;
}

/* Those that have taken long enough.  Sets the time until the next. */
static bool
flushes_run(struct disk *d, int *wait)
{
	struct flush	 f;
	uint64_t	 now = disk_now(), next = UINT64_MAX;
	size_t		 i = 0;

	while (i < d->n_flushes) {
		f = d->flushes[i];
		if (f.due > now) {
			if (f.due - now < next)
				next = f.due - now;
			i++;
			continue;
		}
		d->flushes[i] = d->flushes[--d->n_flushes];
		if (!answer_send(d, f.handle, 0, f.event, NULL, 0))
			return false;
		disk_log_covered(d, f.covered);
	}
	*wait = next == UINT64_MAX ? -1 : (int)(next / 1000000 + 1);
	return true;
}

/* Whatever has arrived.  False when the peer has gone. */
static bool
input_read(struct disk *d)
{
	ssize_t	 n;

	for (;;) {
		if (d->in_max - d->in_len < TRANSFER_MAX / 16) {
			d->in_max += TRANSFER_MAX / 8;
			d->in = xreallocarray(d->in, d->in_max, 1);
		}
		n = recv(d->fd, d->in + d->in_len, d->in_max - d->in_len,
		    MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (n <= 0)
			return false;
		d->in_len += (size_t)n;
	}
}

static bool
input_run(struct disk *d)
{
	struct answer	 answers[BATCH_MAX];
	size_t		 used = 0, size = 1, n;
	bool		 gone = false;

	while (size != 0 && !gone && !atomic_load(&d->frozen)) {
		for (n = 0; n < BATCH_MAX; n++) {
			size = request_run(d, d->in + used, d->in_len - used,
			    &answers[n], &gone);
			if (size == 0)
				break;
			used += size;
		}
		if (!answers_send(d, answers, n))
			return false;
	}
	memmove(d->in, d->in + used, d->in_len - used);
	d->in_len -= used;
	return !gone;
}

static void *
disk_main(void *arg)
{
	struct disk	*d = arg;
	struct pollfd	 pfd = { .fd = d->fd, .events = POLLIN };
	int		 wait, n;

	d->in_len = 0;
	d->n_flushes = 0;
	if (!handshake(d)) {
		close(d->fd);
		return NULL;
	}
	while (!atomic_load(&d->frozen) && flushes_run(d, &wait) &&
	    (n = poll(&pfd, 1, wait)) != -1 &&
	    (n == 0 || (input_read(d) && input_run(d))))
		;
	while (atomic_load(&d->frozen) && poll(&pfd, 1, -1) != -1 &&
	    input_read(d))
		d->in_len = 0;
	close(d->fd);
	return NULL;
}

void
disk_serve(struct disk *d, int fd)
{
	disk_wait(d);
	d->fd = fd;
	atomic_store(&d->frozen, false);
	if ((errno = pthread_create(&d->thread, NULL, disk_main, d)) != 0)
		err(1, "pthread_create");
	d->serving = true;
}

void
disk_freeze(struct disk *d)
{
	atomic_store(&d->frozen, true);
}

void
disk_wait(struct disk *d)
{
	if (d->serving)
		pthread_join(d->thread, NULL);
	d->serving = false;
}
