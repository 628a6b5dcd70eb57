/* SPDX-License-Identifier: ISC */
/*
 * Messages between processes: writing and reading their fields, and the one
 * check of a message against a rule table.  Runs in every process; sends
 * nothing itself (msg_chan.c does) and knows no daemon's types.
 */
#include "msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- writing ---- */

static void
out_fail(struct msg_out *out, int error)
{
	if (!out->failed) {
		out->failed = true;
		out->error = error;
	}
}

/* Room for n bytes more, or NULL and a failed message. */
static uint8_t *
out_reserve(struct msg_out *out, size_t n)
{
	uint8_t *data;
	size_t cap;

	if (out->failed)
		return NULL;
	if (n > MSG_HEADER_SIZE + MSG_MAX_SIZE - out->len) {
		out_fail(out, EMSGSIZE);
		return NULL;
	}
	if (n > out->cap - out->len) {
		cap = out->cap == 0 ? 128 : out->cap;
		while (cap - out->len < n)
			cap *= 2;
		if ((data = malloc(cap)) == NULL) {
			out_fail(out, ENOMEM);
			return NULL;
		}
		if (out->len > 0)	/* may be a password: leave no copy */
			memcpy(data, out->data, out->len);
		if (out->data != NULL)
			explicit_bzero(out->data, out->cap);
		if (!out->borrowed)
			free(out->data);
		out->borrowed = false;
		out->data = data;
		out->cap = cap;
	}
	data = out->data + out->len;
	out->len += n;
	return data;
}

static void
put_be(struct msg_out *out, uint64_t v, size_t n)
{
	uint8_t *p;

	if ((p = out_reserve(out, n)) == NULL)
		return;
	while (n-- > 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

void
msg_begin(struct msg_out *out, uint32_t type, uint64_t id)
{
	msg_begin_on(out, type, id, NULL, 0);
}

void
msg_begin_on(struct msg_out *out, uint32_t type, uint64_t id, void *buf,
    size_t size)
{
	memset(out, 0, sizeof(*out));
	out->data = buf;
	out->cap = size;
	out->borrowed = buf != NULL;
	out->type = type;
	out->id = id;
	put_be(out, type, 4);
	put_be(out, id, 8);
}

void
msg_put_u8(struct msg_out *out, uint8_t v)
{
	put_be(out, v, 1);
}

void
msg_put_u32(struct msg_out *out, uint32_t v)
{
	put_be(out, v, 4);
}

void
msg_put_u64(struct msg_out *out, uint64_t v)
{
	put_be(out, v, 8);
}

void
msg_put_bool(struct msg_out *out, bool v)
{
	put_be(out, v ? 1 : 0, 1);
}

void
msg_put_str(struct msg_out *out, const char *str)
{
	msg_put_bytes(out, str, str == NULL ? 0 : strlen(str));
}

void
msg_put_bytes(struct msg_out *out, const void *bytes, size_t len)
{
	uint8_t *p;

	if (len > MSG_MAX_SIZE) {
		out_fail(out, EMSGSIZE);
		return;
	}
	put_be(out, len, 4);
	if (len > 0 && (p = out_reserve(out, len)) != NULL)
		memcpy(p, bytes, len);
}

void
msg_put_fd(struct msg_out *out, int fd)
{
	int copy;

	if (out->failed)
		return;
	if (out->nfds == MSG_MAX_FDS)
		out_fail(out, EMSGSIZE);
	else if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
		out_fail(out, errno);
	else
		out->fds[out->nfds++] = copy;
}

void
msg_drop(struct msg_out *out)
{
	size_t i;

	for (i = 0; i < out->nfds; i++)
		close(out->fds[i]);
	if (out->data != NULL)
		explicit_bzero(out->data, out->cap);
	if (!out->borrowed)
		free(out->data);
	out->data = NULL;
	out->len = out->cap = out->nfds = 0;
}

/* ---- reading ---- */

/* The next n bytes, or NULL and a bad message. */
static const uint8_t *
in_take(struct msg *msg, size_t n)
{
	const uint8_t *p;

	if (msg->bad || n > msg->len - msg->pos) {
		msg->bad = true;
		return NULL;
	}
	p = msg->data + msg->pos;
	msg->pos += n;
	return p;
}

static uint64_t
get_be(struct msg *msg, size_t n)
{
	const uint8_t *p;
	uint64_t v = 0;
	size_t i;

	if ((p = in_take(msg, n)) == NULL)
		return 0;
	for (i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

int
msg_parse(struct msg *msg, const void *frame, size_t len)
{
	memset(msg, 0, sizeof(*msg));
	msg->data = frame;
	msg->len = len;
	msg->type = (uint32_t)get_be(msg, 4);
	msg->id = get_be(msg, 8);
	if (msg->bad)
		return -1;
	msg->data += MSG_HEADER_SIZE;
	msg->len -= MSG_HEADER_SIZE;
	msg->pos = 0;
	return 0;
}

const struct msg_rule *
msg_check(const struct msg_rule *rules, size_t nrules, unsigned from,
    const struct msg *msg, const char **why)
{
	const struct msg_rule *rule = NULL;
	size_t i;

	*why = "unknown type";
	for (i = 0; i < nrules && rule == NULL; i++) {
		if (rules[i].type != msg->type)
			continue;
		*why = "not allowed to this sender";
		if (rules[i].from == from)
			rule = &rules[i];
	}
	if (rule == NULL)
		return NULL;
	if (msg->len < rule->min)
		*why = "too short";
	else if (msg->len > rule->max)
		*why = "too long";
	else if (msg->nfds != rule->nfds)
		*why = "wrong number of descriptors";
	else {
		*why = NULL;
		return rule;
	}
	return NULL;
}

uint8_t
msg_get_u8(struct msg *msg)
{
	return (uint8_t)get_be(msg, 1);
}

uint32_t
msg_get_u32(struct msg *msg)
{
	return (uint32_t)get_be(msg, 4);
}

uint64_t
msg_get_u64(struct msg *msg)
{
	return get_be(msg, 8);
}

bool
msg_get_bool(struct msg *msg)
{
	uint64_t v = get_be(msg, 1);

	if (v > 1)
		msg->bad = true;
	return v == 1;
}

/* The bytes of a string of at most max, or NULL. */
static const uint8_t *
get_text(struct msg *msg, size_t max, size_t *len)
{
	const uint8_t *p;

	p = msg_get_bytes(msg, max, len);
	if (p != NULL && memchr(p, '\0', *len) != NULL) {
		msg->bad = true;
		return NULL;
	}
	return p;
}

void
msg_get_str(struct msg *msg, char *dst, size_t size)
{
	const uint8_t *p;
	size_t len;

	dst[0] = '\0';
	if ((p = get_text(msg, size - 1, &len)) == NULL)
		return;
	memcpy(dst, p, len);
	dst[len] = '\0';
}

char *
msg_get_strdup(struct msg *msg, size_t max)
{
	const uint8_t *p;
	char *str;
	size_t len;

	if ((p = get_text(msg, max, &len)) == NULL ||
	    (str = malloc(len + 1)) == NULL)
		return NULL;
	memcpy(str, p, len);
	str[len] = '\0';
	return str;
}

const void *
msg_get_bytes(struct msg *msg, size_t max, size_t *len)
{
	size_t n;

	*len = 0;
	n = (size_t)get_be(msg, 4);
	if (n > max)
		msg->bad = true;
	if (msg->bad)
		return NULL;
	/* Not NULL for an empty string: the data is there, zero bytes long. */
	*len = n <= msg->len - msg->pos ? n : 0;
	return in_take(msg, n);
}

int
msg_get_fd(struct msg *msg)
{
	int fd;

	if (msg->fdpos >= msg->nfds)
		return -1;
	fd = msg->fds[msg->fdpos];
	msg->fds[msg->fdpos++] = -1;
	return fd;
}

int
msg_end(struct msg *msg)
{
	if (msg->bad || msg->pos != msg->len)
		return -1;
	return 0;
}
