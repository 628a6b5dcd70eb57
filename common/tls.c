/* SPDX-License-Identifier: ISC */
/*
 * TLS connections of the workers, by OpenSSL: from the socket's bytes to
 * plain ones.  The context that they share is made in tls_context.c.
 */
#include "tls.h"

#include <sys/socket.h>

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "tls_context.h"

struct tls_conn {
	SSL	*ssl;
	int	 fd;
	bool	 begun;		/* the first byte was looked at */
	bool	 failed;	/* OpenSSL must not be asked to write again */
};

struct tls_conn *
tls_accept(struct tls_context *context, int fd)
{
	struct tls_conn *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->fd = fd;
	if ((c->ssl = SSL_new(tls_context_ssl(context))) == NULL ||
	    SSL_set_fd(c->ssl, fd) != 1) {
		tls_conn_free(c);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_accept_state(c->ssl);
	return c;
}

void
tls_conn_free(struct tls_conn *c)
{
	if (c == NULL)
		return;
	SSL_free(c->ssl);
	free(c);
}

static enum tls_result
result_of(struct tls_conn *c, int ret)
{
	int saved = errno;

	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_NONE:
		return TLS_OK;
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	case SSL_ERROR_SYSCALL:
		c->failed = true;
		ERR_clear_error();
		return saved == 0 ? TLS_CLOSED : TLS_ERROR;
	default:
		c->failed = true;
		ERR_clear_error();
		return TLS_ERROR;
	}
}

/*
 * A request line in the clear begins with a capital letter, which no TLS
 * record does.  OpenSSL itself knows only some of the methods.
 */
static enum tls_result
look_at_first(struct tls_conn *c)
{
	char first;
	ssize_t n;

	n = recv(c->fd, &first, 1, MSG_PEEK);
	if (n == 0)
		return TLS_CLOSED;
	if (n == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK ||
		    errno == EINTR ? TLS_WANT_READ : TLS_ERROR;
	if (first >= 'A' && first <= 'Z')
		return TLS_HTTP;
	c->begun = true;
	return TLS_OK;
}

enum tls_result
tls_handshake(struct tls_conn *c)
{
	enum tls_result r;

	if (!c->begun && (r = look_at_first(c)) != TLS_OK)
		return r;
	ERR_clear_error();
	errno = 0;
	return result_of(c, SSL_do_handshake(c->ssl));
}

enum tls_result
tls_read(struct tls_conn *c, void *data, size_t len, size_t *n)
{
	*n = 0;
	ERR_clear_error();
	errno = 0;
	return result_of(c, SSL_read_ex(c->ssl, data, len, n));
}

enum tls_result
tls_write(struct tls_conn *c, const void *data, size_t len, size_t *n)
{
	*n = 0;
	ERR_clear_error();
	errno = 0;
	return result_of(c, SSL_write_ex(c->ssl, data, len, n));
}

bool
tls_pending(const struct tls_conn *c)
{
	/*
	 * Not SSL_has_pending(), which counts the bytes of half a record:
	 * there is nothing to do about those but to wait for the rest.
	 */
	return SSL_pending(c->ssl) > 0;
}

void
tls_shutdown(struct tls_conn *c)
{
	if (c->failed || !SSL_is_init_finished(c->ssl))
		return;
	ERR_clear_error();
	/* Our close_notify is enough: the socket is shut down after it. */
	if (SSL_shutdown(c->ssl) < 0)
		ERR_clear_error();
}

const char *
tls_version(const struct tls_conn *c)
{
	return SSL_get_version(c->ssl);
}
