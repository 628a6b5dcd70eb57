/* SPDX-License-Identifier: ISC */
/*
 * The table of cipher suites that the configuration may name: those that
 * distribution knows.  Whether OpenSSL still offers one is OpenSSL's to say.
 */
#include "tls_cipher.h"

#include <stddef.h>
#include <string.h>

#include "tls.h"

static const struct {
	const char	*go;
	const char	*openssl;
	bool		 tls13;
} suites[] = {
	{ "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", true },
	{ "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", true },
	{ "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256",
	    true },
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	    "ECDHE-ECDSA-AES128-GCM-SHA256", false },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	    "ECDHE-ECDSA-AES256-GCM-SHA384", false },
	{ "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
	    "ECDHE-ECDSA-CHACHA20-POLY1305", false },
	{ "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
	    "ECDHE-ECDSA-CHACHA20-POLY1305", false },
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
	    "ECDHE-ECDSA-AES128-SHA256", false },
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA",
	    false },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA",
	    false },
	{ "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	    "ECDHE-RSA-AES128-GCM-SHA256", false },
	{ "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
	    "ECDHE-RSA-AES256-GCM-SHA384", false },
	{ "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	    "ECDHE-RSA-CHACHA20-POLY1305", false },
	{ "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
	    "ECDHE-RSA-CHACHA20-POLY1305", false },
	{ "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256",
	    false },
	{ "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA",
	    false },
	{ "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA",
	    false },
	{ "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE-RSA-DES-CBC3-SHA",
	    false },
	{ "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", false },
	{ "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", false },
	{ "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256", false },
	{ "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", false },
	{ "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", false },
	{ "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "DES-CBC3-SHA", false },
};

static size_t
find(const char *go_name)
{
	size_t i;

	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		if (strcmp(suites[i].go, go_name) == 0)
			break;
	}
	return i;
}

bool
tls_ciphersuite_known(const char *go_name)
{
	return find(go_name) < sizeof(suites) / sizeof(suites[0]);
}

int
tls_cipher_lists(const char *const *names, struct buf *tls12,
    struct buf *tls13, const char **unknown)
{
	struct buf *list;
	size_t i;

	for (; *names != NULL; names++) {
		if (!tls_ciphersuite_known(*names)) {
			*unknown = *names;
			return -1;
		}
		i = find(*names);
		list = suites[i].tls13 ? tls13 : tls12;
		(void)buf_addf(list, "%s%s", list->len > 0 ? ":" : "",
		    suites[i].openssl);
	}
	*unknown = NULL;
	return buf_failed(tls12) || buf_failed(tls13) ? -1 : 0;
}
