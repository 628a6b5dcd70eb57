/* SPDX-License-Identifier: ISC */
/*
 * The bytes of a connection that came in and are not consumed yet.  They lie
 * in the server's scratch buffer while the connection runs, and in memory of
 * their own only when something is left over; an idle connection has none.
 * Passwords come in here, and nothing of them stays.
 */
#include "http_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"

#define WIPE_MAX	16384

size_t
http_input_left(const struct http_conn *c)
{
	return c->in.len - c->in.off;
}

/*
 * Heads and forms are small; wiping the large reads that bring the bytes of
 * a blob would cost and hide nothing.
 */
static void
wipe_input(struct http_conn *c)
{
	if (c->in.data != NULL && (c->in.own || c->in.len <= WIPE_MAX))
		secret_wipe(c->in.data, c->in.len);
}

void
http_input_drop(struct http_conn *c)
{
	wipe_input(c);
	if (c->in.own)
		free(c->in.data);
	memset(&c->in, 0, sizeof(c->in));
}

/* 1: there is input now; 0: wait for it; -1: none will come. */
int
http_input_fill(struct http_conn *c, size_t want)
{
	ssize_t n;

	if (c->eof)
		return -1;
	if (!c->can_read)
		return 0;
	http_input_drop(c);
	n = http_conn_read(c, c->server->scratch, want);
	c->can_read = false;
	if (n > 0) {
		c->in.data = c->server->scratch;
		c->in.len = (size_t)n;
		c->got += (size_t)n;
		return 1;
	}
	if (n == -1 && errno == EAGAIN)
		return 0;
	c->eof = true;
	return -1;
}

/* The scratch buffer is the next connection's: keep what is left apart. */
int
http_input_keep(struct http_conn *c)
{
	size_t left = http_input_left(c);
	char *copy;

	if (left == 0) {
		http_input_drop(c);
		return 0;
	}
	if (c->in.own)
		return 0;
	if ((copy = malloc(left)) == NULL) {
		wipe_input(c);
		memset(&c->in, 0, sizeof(c->in));
		return -1;
	}
	memcpy(copy, c->in.data + c->in.off, left);
	wipe_input(c);
	c->in.data = copy;
	c->in.off = 0;
	c->in.len = left;
	c->in.own = true;
	return 0;
}
