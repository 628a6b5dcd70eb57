/* SPDX-License-Identifier: ISC */
/*
 * A growing byte buffer with a maximum, for every process.  Owns its bytes;
 * never exits and never logs.
 */
#include "buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"

#define BUF_MIN	64			/* first allocation */
#define WIPE_MAX	65536

void
buf_init(struct buf *buf, size_t max)
{
	memset(buf, 0, sizeof(*buf));
	/* Room for the NUL and for doubling without overflow. */
	buf->max = max < SIZE_MAX / 4 ? max : SIZE_MAX / 4;
}

void
buf_done(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max);
}

void
buf_wipe(struct buf *buf)
{
	secret_wipe(buf->data, buf->cap);
	buf_done(buf);
}

void
buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

/* Small ones may hold a secret: no copy of it is left behind. */
static char *
grow(struct buf *buf, size_t cap)
{
	char *data;

	if (buf->data == NULL || buf->cap > WIPE_MAX)
		return realloc(buf->data, cap);
	if ((data = malloc(cap)) == NULL)
		return NULL;
	memcpy(data, buf->data, buf->len);
	secret_wipe(buf->data, buf->cap);
	free(buf->data);
	return data;
}

char *
buf_reserve(struct buf *buf, size_t n)
{
	size_t need, cap;
	char *data;

	if (buf->failed || n > buf->max - buf->len) {
		buf->failed = true;
		errno = EMSGSIZE;
		return NULL;
	}
	need = buf->len + n + 1;
	if (need > buf->cap) {
		cap = buf->cap < BUF_MIN ? BUF_MIN : buf->cap;
		while (cap < need)
			cap *= 2;
		if (cap > buf->max + 1)
			cap = buf->max + 1;
		data = grow(buf, cap);
		if (data == NULL) {
			buf->failed = true;
			errno = ENOMEM;
			return NULL;
		}
		buf->data = data;
		buf->cap = cap;
		buf->data[buf->len] = '\0';
	}
	return buf->data + buf->len;
}

void
buf_commit(struct buf *buf, size_t n)
{
	if (n == 0)
		return;
	buf->len += n;
	buf->data[buf->len] = '\0';
}

int
buf_add(struct buf *buf, const void *src, size_t len)
{
	char *dst = buf_reserve(buf, len);

	if (dst == NULL)
		return -1;
	if (len > 0)
		memcpy(dst, src, len);
	buf_commit(buf, len);
	return 0;
}

int
buf_addc(struct buf *buf, char c)
{
	return buf_add(buf, &c, 1);
}

int
buf_addstr(struct buf *buf, const char *s)
{
	return buf_add(buf, s, strlen(s));
}

int
buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_addvf(buf, fmt, ap);
	va_end(ap);
	return r;
}

int
buf_addvf(struct buf *buf, const char *fmt, va_list ap)
{
	va_list again;
	char *dst;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0) {
		buf->failed = true;
		errno = EMSGSIZE;
		return -1;
	}
	dst = buf_reserve(buf, (size_t)len);
	if (dst == NULL)
		return -1;
	vsnprintf(dst, (size_t)len + 1, fmt, ap);
	buf_commit(buf, (size_t)len);
	return 0;
}

void
buf_consume(struct buf *buf, size_t n)
{
	if (n > buf->len)
		n = buf->len;
	if (n == 0)
		return;
	buf->len -= n;
	memmove(buf->data, buf->data + n, buf->len);
	buf->data[buf->len] = '\0';
}

bool
buf_failed(const struct buf *buf)
{
	return buf->failed;
}

const char *
buf_str(const struct buf *buf)
{
	return buf->data == NULL ? "" : buf->data;
}

char *
buf_steal(struct buf *buf, size_t *len)
{
	char *data;

	/* An empty buffer still gives a string that can be freed. */
	if (buf->failed || buf_reserve(buf, 0) == NULL) {
		buf_done(buf);
		return NULL;
	}
	data = buf->data;
	if (len != NULL)
		*len = buf->len;
	buf_init(buf, buf->max);
	return data;
}
