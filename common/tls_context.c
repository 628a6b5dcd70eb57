/* SPDX-License-Identifier: ISC */
/*
 * The server side's TLS context: certificate, key, versions, cipher suites,
 * client certificates, tickets.  Made at start and at reload from bytes that
 * the parent read; what is wrong with them is said in words.
 */
#include "tls_context.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"
#include "str.h"
#include "tls_cipher.h"

#define TICKET_NAME_SIZE	16
#define TICKET_KEY_SIZE		32
#define CIPHER_LIST_MAX		2048

/* Forward secrecy only; the last are for clients without AEAD suites. */
#define DEFAULT_CIPHERS	\
	"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES+SHA1:!aNULL:!PSK"

struct tls_context {
	SSL_CTX		*ssl;
	unsigned char	 ticket_key[TLS_TICKET_KEY_SIZE];
};

struct reason {
	char	*text;
	size_t	 size;
};

/*
 * Say what is wrong, with the name that the configuration gave (or NULL), and
 * with OpenSSL's own reason when there is one.
 */
static int
wrong_name(const struct reason *r, const char *text, const char *name)
{
	unsigned long err = ERR_peek_last_error();
	const char *detail = err != 0 ? ERR_reason_error_string(err) : NULL;
	const char *quote = name != NULL ? " \"" : "";

	(void)snprintf(r->text, r->size, "%s%s%s%s%s%s", text, quote,
	    name != NULL ? name : "", name != NULL ? "\"" : "",
	    detail != NULL ? ": " : "", detail != NULL ? detail : "");
	ERR_clear_error();
	return -1;
}

static int
wrong(const struct reason *r, const char *text)
{
	return wrong_name(r, text, NULL);
}

/* OpenSSL would ask for a password at the terminal. */
static int
no_password(char *dst, int size, int rwflag, void *arg)
{
	(void)dst;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

static BIO *
bio_of(const char *data, size_t len)
{
	if (data == NULL || len == 0 || len > INT_MAX)
		return NULL;
	return BIO_new_mem_buf(data, (int)len);
}

static bool
at_end_of_pem(void)
{
	unsigned long err = ERR_peek_last_error();

	if (ERR_GET_LIB(err) != ERR_LIB_PEM ||
	    ERR_GET_REASON(err) != PEM_R_NO_START_LINE)
		return false;
	ERR_clear_error();
	return true;
}

static int
load_chain(SSL_CTX *ssl, BIO *bio, const struct reason *r)
{
	X509 *cert;
	int ok;

	cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	if (cert == NULL)
		return wrong(r, "certificate: no PEM certificate");
	ok = SSL_CTX_use_certificate(ssl, cert);
	X509_free(cert);
	if (ok != 1)
		return wrong(r, "certificate: cannot be used");
	while ((cert = PEM_read_bio_X509(bio, NULL, no_password,
	    NULL)) != NULL) {
		if (SSL_CTX_add0_chain_cert(ssl, cert) != 1) {
			X509_free(cert);
			return wrong(r, "certificate: bad chain");
		}
	}
	if (!at_end_of_pem())
		return wrong(r, "certificate: bad chain");
	return 0;
}

static int
load_key(SSL_CTX *ssl, BIO *bio, const struct reason *r)
{
	EVP_PKEY *key;
	int ok;

	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (key == NULL)
		return wrong(r, "key: no PEM private key, or an encrypted one");
	ok = SSL_CTX_use_PrivateKey(ssl, key);
	EVP_PKEY_free(key);
	if (ok != 1)
		return wrong(r, "key: cannot be used with the certificate");
	if (SSL_CTX_check_private_key(ssl) != 1)
		return wrong(r, "key: does not belong to the certificate");
	return 0;
}

static int
set_identity(SSL_CTX *ssl, const struct tls_conf *conf, const struct reason *r)
{
	BIO *bio;
	int result;

	if ((bio = bio_of(conf->certificate, conf->certificate_len)) == NULL)
		return wrong(r, "certificate: empty");
	result = load_chain(ssl, bio, r);
	BIO_free(bio);
	if (result == -1)
		return -1;
	if ((bio = bio_of(conf->key, conf->key_len)) == NULL)
		return wrong(r, "key: empty");
	result = load_key(ssl, bio, r);
	BIO_free(bio);
	return result;
}

static int
set_minimum(SSL_CTX *ssl, const char *minimum, const struct reason *r)
{
	static const struct {
		const char	*name;
		int		 version;
	} versions[] = {
		{ "tls1.0", TLS1_VERSION },
		{ "tls1.1", TLS1_1_VERSION },
		{ "tls1.2", TLS1_2_VERSION },
		{ "tls1.3", TLS1_3_VERSION },
	};
	size_t i;

	if (minimum == NULL || *minimum == '\0')
		minimum = "tls1.2";
	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (str_equal_nocase(versions[i].name, minimum))
			break;
	}
	if (i == sizeof(versions) / sizeof(versions[0]))
		return wrong_name(r, "minimum: unknown version", minimum);
	if (SSL_CTX_set_min_proto_version(ssl, versions[i].version) != 1)
		return wrong_name(r, "minimum: not available:", minimum);
	return 0;
}

static int
apply_ciphers(SSL_CTX *ssl, const struct buf *tls12, const struct buf *tls13,
    const struct reason *r)
{
	/* A list of one version's suites leaves the other's as they are. */
	if (tls12->len > 0 &&
	    SSL_CTX_set_cipher_list(ssl, buf_str(tls12)) != 1)
		return wrong(r, "ciphersuites: none of them is available");
	if (tls13->len > 0 &&
	    SSL_CTX_set_ciphersuites(ssl, buf_str(tls13)) != 1)
		return wrong(r, "ciphersuites: none of them is available");
	return 0;
}

static int
set_ciphers(SSL_CTX *ssl, const char *const *names, const struct reason *r)
{
	struct buf tls12, tls13;
	const char *unknown = NULL;
	int result;

	if (SSL_CTX_set_cipher_list(ssl, DEFAULT_CIPHERS) != 1)
		return wrong(r, "ciphersuites: no default is available");
	if (names == NULL)
		return 0;
	buf_init(&tls12, CIPHER_LIST_MAX);
	buf_init(&tls13, CIPHER_LIST_MAX);
	if (tls_cipher_lists(names, &tls12, &tls13, &unknown) == 0)
		result = apply_ciphers(ssl, &tls12, &tls13, r);
	else if (unknown != NULL)
		result = wrong_name(r, "ciphersuites: unknown name", unknown);
	else
		result = wrong(r, "ciphersuites: too many");
	buf_done(&tls12);
	buf_done(&tls13);
	return result;
}

static int
accept_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static int
load_authorities(SSL_CTX *ssl, BIO *bio, const struct reason *r)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);
	X509 *cert;
	size_t n = 0;
	int ok;

	while ((cert = PEM_read_bio_X509(bio, NULL, no_password,
	    NULL)) != NULL) {
		ok = X509_STORE_add_cert(store, cert) == 1 &&
		    SSL_CTX_add_client_CA(ssl, cert) == 1;
		X509_free(cert);
		if (!ok)
			return wrong(r, "clientcas: cannot be used");
		n++;
	}
	if (!at_end_of_pem() || n == 0)
		return wrong(r, "clientcas: no PEM certificate");
	return 0;
}

static int
set_client_auth(SSL_CTX *ssl, const struct tls_conf *conf,
    const struct reason *r)
{
	BIO *bio;
	int result = 0;

	switch (conf->client_auth) {
	case TLS_CLIENT_NONE:
		return 0;
	case TLS_CLIENT_REQUEST:
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, accept_any);
		break;
	case TLS_CLIENT_REQUIRE_ANY:
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER |
		    SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
		break;
	case TLS_CLIENT_VERIFY_IF_GIVEN:
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
		break;
	case TLS_CLIENT_REQUIRE:
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER |
		    SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		break;
	}
	if (conf->clientcas != NULL) {
		bio = bio_of(conf->clientcas, conf->clientcas_len);
		if (bio == NULL)
			return wrong(r, "clientcas: empty");
		result = load_authorities(ssl, bio, r);
		BIO_free(bio);
	} else if (conf->client_auth >= TLS_CLIENT_VERIFY_IF_GIVEN)
		return wrong(r, "clientauth: needs clientcas");
	return result;
}

/* "http/1.1", or a fatal alert to a client that offers only others. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, outlen, ours, sizeof(ours) - 1, in,
	    inlen) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	struct tls_context *context =
	    SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	unsigned char *key = context->ticket_key;
	unsigned char *mac_key = key + TICKET_NAME_SIZE;
	unsigned char *aes_key = mac_key + TICKET_KEY_SIZE;
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key,
		    TICKET_KEY_SIZE),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		    digest, 0),
		OSSL_PARAM_construct_end(),
	};

	if (encrypt) {
		memcpy(name, key, TICKET_NAME_SIZE);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(
		    EVP_aes_256_cbc())) != 1)
			return -1;
	} else if (memcmp(name, key, TICKET_NAME_SIZE) != 0)
		return 0;		/* another key's: a full handshake */
	if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, aes_key, iv,
	    encrypt) != 1 || EVP_MAC_CTX_set_params(mac, params) != 1)
		return -1;
	return 1;
}

/* A session made under other rules for client certificates is not resumed. */
static int
set_session_context(SSL_CTX *ssl, const struct tls_conf *conf)
{
	unsigned char id[EVP_MAX_MD_SIZE];
	unsigned char mode = (unsigned char)conf->client_auth;
	unsigned int len = 0;
	EVP_MD_CTX *md;
	bool ok;

	if ((md = EVP_MD_CTX_new()) == NULL)
		return -1;
	ok = EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(md, &mode, 1) == 1 &&
	    (conf->clientcas == NULL || EVP_DigestUpdate(md, conf->clientcas,
	    conf->clientcas_len) == 1) &&
	    EVP_DigestFinal_ex(md, id, &len) == 1;
	EVP_MD_CTX_free(md);
	if (!ok || len > SSL_MAX_SID_CTX_LENGTH)
		return -1;
	return SSL_CTX_set_session_id_context(ssl, id, len) == 1 ? 0 : -1;
}

static int
set_sessions(struct tls_context *context, const struct tls_conf *conf,
    const struct reason *r)
{
	SSL_CTX *ssl = context->ssl;

	memcpy(context->ticket_key, conf->ticket_key, TLS_TICKET_KEY_SIZE);
	SSL_CTX_set_app_data(ssl, context);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_num_tickets(ssl, 1) != 1 ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, on_ticket) != 1 ||
	    set_session_context(ssl, conf) == -1)
		return wrong(r, "session tickets cannot be set up");
	return 0;
}

static void
set_modes(SSL_CTX *ssl)
{
	/* The lengths of HTTP show a truncation; close_notify need not. */
	SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION |
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	    SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
}

struct tls_context *
tls_context_new(const struct tls_conf *conf, char *error, size_t errsize)
{
	struct reason r = { error, errsize };
	struct tls_context *context;

	if ((context = calloc(1, sizeof(*context))) == NULL) {
		(void)snprintf(error, errsize, "out of memory");
		return NULL;
	}
	ERR_clear_error();
	if ((context->ssl = SSL_CTX_new(TLS_server_method())) == NULL) {
		wrong(&r, "TLS is not available");
		free(context);
		return NULL;
	}
	set_modes(context->ssl);
	if (set_minimum(context->ssl, conf->minimum, &r) == -1 ||
	    set_ciphers(context->ssl, conf->ciphersuites, &r) == -1 ||
	    set_identity(context->ssl, conf, &r) == -1 ||
	    set_client_auth(context->ssl, conf, &r) == -1 ||
	    set_sessions(context, conf, &r) == -1) {
		tls_context_free(context);
		return NULL;
	}
	return context;
}

const char *
tls_context_warning(const struct tls_context *context)
{
	const X509 *cert = SSL_CTX_get0_certificate(context->ssl);

	if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
		return "certificate: it has expired; clients will refuse it";
	if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
		return "certificate: it is not valid yet; clients will "
		    "refuse it";
	return NULL;
}

void
tls_context_free(struct tls_context *context)
{
	if (context == NULL)
		return;
	/* Connections hold on to the SSL_CTX, but not to what is ours. */
	SSL_CTX_set_tlsext_ticket_key_evp_cb(context->ssl, NULL);
	SSL_CTX_set_app_data(context->ssl, NULL);
	SSL_CTX_free(context->ssl);
	secret_wipe(context->ticket_key, sizeof(context->ticket_key));
	free(context);
}

SSL_CTX *
tls_context_ssl(struct tls_context *context)
{
	return context->ssl;
}
