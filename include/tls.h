/* SPDX-License-Identifier: ISC */
/*
 * TLS by OpenSSL: a server context from PEM bytes, and non-blocking
 * connections.  Tickets are encrypted with a key that all workers share, so
 * that a session resumes on any of them.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TLS_TICKET_KEY_SIZE	80	/* name 16, HMAC key 32, AES key 32 */

enum tls_client_auth {
	TLS_CLIENT_NONE,
	TLS_CLIENT_REQUEST,		/* request-client-cert */
	TLS_CLIENT_REQUIRE_ANY,		/* require-any-client-cert */
	TLS_CLIENT_VERIFY_IF_GIVEN,	/* verify-client-cert-if-given */
	TLS_CLIENT_REQUIRE		/* require-and-verify-client-cert */
};

struct tls_conf {
	const char	*certificate;	/* PEM, leaf first */
	size_t		 certificate_len;
	const char	*key;		/* PEM, not encrypted */
	size_t		 key_len;
	const char	*clientcas;	/* PEM, NULL when none */
	size_t		 clientcas_len;
	enum tls_client_auth client_auth;
	const char	*minimum;	/* "tls1.2" (default when NULL) or
					   "tls1.3"; "tls1.0", "tls1.1" are
					   taken as OpenSSL allows */
	const char *const *ciphersuites; /* Go names, NULL-terminated; NULL */
	unsigned char	 ticket_key[TLS_TICKET_KEY_SIZE];
};

struct tls_context;
struct tls_conn;

enum tls_result {
	TLS_OK,
	TLS_WANT_READ,
	TLS_WANT_WRITE,
	TLS_CLOSED,			/* close_notify or EOF */
	TLS_HTTP,			/* the peer speaks plain HTTP */
	TLS_ERROR
};

/* NULL with a reason that names the part that is wrong. */
struct tls_context *tls_context_new(const struct tls_conf *, char *error,
		    size_t errsize);
/* What clients will mind of a context that works; NULL: nothing. */
const char	*tls_context_warning(const struct tls_context *);
void		 tls_context_free(struct tls_context *);
/* "TLS_AES_128_GCM_SHA256" and the like: true when known to us. */
bool		 tls_ciphersuite_known(const char *go_name);

struct tls_conn	*tls_accept(struct tls_context *, int fd); /* borrows fd */
enum tls_result	 tls_handshake(struct tls_conn *);
enum tls_result	 tls_read(struct tls_conn *, void *, size_t, size_t *n);
enum tls_result	 tls_write(struct tls_conn *, const void *, size_t,
		    size_t *n);
/* Bytes decrypted and waiting inside: read again without polling. */
bool		 tls_pending(const struct tls_conn *);
void		 tls_shutdown(struct tls_conn *);
const char	*tls_version(const struct tls_conn *);	/* "TLSv1.3" */
void		 tls_conn_free(struct tls_conn *);

#endif
