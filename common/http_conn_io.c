/* SPDX-License-Identifier: ISC */
/*
 * Bytes in and out of one connection, plain or TLS, with the results of
 * recv(2) and send(2), so that the rest does not ask which kind it is.
 */
#include "http_conn.h"

#include <sys/socket.h>

#include <errno.h>

#include "compat/sendfile.h"

/* Records are small: fill the buffer, or take all there is. */
static ssize_t
tls_fill(struct http_conn *c, char *data, size_t len)
{
	enum tls_result r = TLS_OK;
	size_t total = 0, n;

	while (total < len) {
		r = tls_read(c->tls, data + total, len - total, &n);
		if (r != TLS_OK)
			break;
		total += n;
	}
	c->read_wants_write = r == TLS_WANT_WRITE;
	if (total > 0)
		return (ssize_t)total;
	if (r == TLS_CLOSED)
		return 0;
	errno = r == TLS_WANT_READ || r == TLS_WANT_WRITE ?
	    EAGAIN : ECONNRESET;
	return -1;
}

static ssize_t
eagain(ssize_t n)
{
	if (n == -1 && (errno == EINTR || errno == EWOULDBLOCK))
		errno = EAGAIN;
	return n;
}

ssize_t
http_conn_read(struct http_conn *c, void *data, size_t len)
{
	/* What comes after our shutdown is only thrown away. */
	if (c->tls != NULL && c->state != HTTP_CONN_LINGER)
		return tls_fill(c, data, len);
	c->read_wants_write = false;
	return eagain(recv(c->fd, data, len, 0));
}

ssize_t
http_conn_write(struct http_conn *c, const void *data, size_t len)
{
	enum tls_result r;
	size_t n;

	if (c->tls == NULL)
		return eagain(send(c->fd, data, len, compat_msg_nosignal));
	r = tls_write(c->tls, data, len, &n);
	c->write_wants_read = r == TLS_WANT_READ;
	if (r == TLS_OK)
		return (ssize_t)n;
	errno = r == TLS_WANT_READ || r == TLS_WANT_WRITE ? EAGAIN : EPIPE;
	return -1;
}

void
http_conn_shutdown(struct http_conn *c)
{
	if (c->tls != NULL)
		tls_shutdown(c->tls);
	(void)shutdown(c->fd, SHUT_WR);
}
