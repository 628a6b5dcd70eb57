/* SPDX-License-Identifier: ISC */
/*
 * Keys and certificates that authctl makes: of the right kind, with the same
 * name in every verifier, and no stronger than they have to be.
 */
#include "authctl_cert.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "jwks.h"

static void
test_cert_algorithms(void **state)
{
	static const struct {
		const char	*name;
		enum jwk_type	 type;
	} cases[] = { { "rs256", JWK_RSA }, { "es256", JWK_P256 },
	    { "eddsa", JWK_ED25519 } };
	EVP_PKEY	*pkey;
	size_t		 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		pkey = authctl_make_key(cases[i].name);
		assert_non_null(pkey);
		assert_int_equal(jwk_type_of(pkey), cases[i].type);
		assert_string_equal(authctl_algorithm_of(pkey),
		    cases[i].name);
		EVP_PKEY_free(pkey);
	}
}

/* One key in 128 has a short coordinate: of 1000, eight are to be expected. */
static void
test_cert_no_short_coordinates(void **state)
{
	char		 kid[JWK_KID_SIZE], brief[JWK_KID_SIZE];
	EVP_PKEY	*pkey;
	int		 i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		pkey = authctl_make_key("es256");
		assert_non_null(pkey);
		jwk_thumbprint(pkey, kid, sizeof(kid));
		jwk_thumbprint_short(pkey, brief, sizeof(brief));
		assert_string_equal(kid, brief);
		EVP_PKEY_free(pkey);
	}
}

/* Days from now to the end of a certificate. */
static int
days_left(const X509 *cert)
{
	int	 days, seconds;

	assert_int_equal(ASN1_TIME_diff(&days, &seconds, NULL,
	    X509_get0_notAfter(cert)), 1);
	return seconds > 43200 ? days + 1 : days;
}

static void
test_cert_chain(void **state)
{
	struct cert_spec	 spec = { .cn = "our CA", .days = 100,
				    .is_ca = true };
	EVP_PKEY		*ca_key, *key;
	X509			*ca, *leaf;

	(void)state;
	ca_key = authctl_make_key("eddsa");
	key = authctl_make_key("es256");
	ca = authctl_make_certificate(ca_key, &spec);
	assert_non_null(ca);
	assert_int_equal(X509_check_ca(ca), 1);
	assert_int_equal(X509_get_pathlen(ca), 0);
	assert_int_equal(days_left(ca), 100);
	assert_true((X509_get_key_usage(ca) & KU_DIGITAL_SIGNATURE) == 0);

	spec = (struct cert_spec){ .cn = "leaf", .days = 398,
	    .ca_key = ca_key, .ca_cert = ca };
	leaf = authctl_make_certificate(key, &spec);
	assert_non_null(leaf);
	assert_int_equal(X509_check_ca(leaf), 0);
	assert_int_equal(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_check_issued(ca, leaf), X509_V_OK);
	assert_int_equal(X509_verify(leaf, ca_key), 1);
	/* No longer than what vouches for it. */
	assert_int_equal(days_left(leaf), 100);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(leaf), key), 1);
	X509_free(leaf);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cert_algorithms),
		cmocka_unit_test(test_cert_no_short_coordinates),
		cmocka_unit_test(test_cert_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
