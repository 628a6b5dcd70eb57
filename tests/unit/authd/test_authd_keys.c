/* SPDX-License-Identifier: ISC */
/*
 * The keys of a configuration, and those of the one before: what signs for
 * whom, and what is published for how long.
 */
#include "authd_keys.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "../common/token_maker.h"

#define NOW	2000000000

static char	 dir[] = "/tmp/test_authd_keys.XXXXXX";

static void
write_text(const char *name, char *text)
{
	FILE	*file = fopen(name, "w");

	MUST(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
	free(text);
}

/* NAME.key and NAME.crt. */
static void
make_files(const char *name, const char *kind)
{
	struct maker_cert spec = { .cn = name };
	EVP_PKEY	*pkey = maker_key(kind);
	X509		*cert = maker_certificate(pkey, NULL, pkey, &spec);
	char		 path[64];

	snprintf(path, sizeof(path), "%s.key", name);
	write_text(path, maker_private_pem(pkey));
	snprintf(path, sizeof(path), "%s.crt", name);
	write_text(path, maker_certificate_pem(cert));
	X509_free(cert);
	EVP_PKEY_free(pkey);
}

static int
setup(void **state)
{
	(void)state;
	umask(077);
	MUST(mkdtemp(dir) != NULL && chdir(dir) == 0);
	make_files("rsa", "RSA2048");
	make_files("rsa2", "RSA2048");
	make_files("ec", "P-256");
	make_files("ed", "ED25519");
	return 0;
}

static int
teardown(void **state)
{
	char	 command[64];

	(void)state;
	MUST(chdir("/") == 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static struct authd_conf *
parse(const char *text)
{
	struct authd_conf	*conf;

	conf = conf_parse("test", text, strlen(text), stderr);
	assert_non_null(conf);
	return conf;
}

static void
open_keys(struct authd_keys *keys, const struct authd_conf *conf, bool good)
{
	struct authd_opening	 o = { tmpfile(), false, false };

	authd_keys_open(keys, conf, &o);
	assert_int_equal(o.failed, !good);
	fclose(o.messages);
}

/* How many JWKs there are of an algorithm. */
static size_t
published(const struct authd_keys *keys, const char *algorithm)
{
	json_t	*doc = json_loads(keys->jwks, 0, NULL), *jwk;
	size_t	 i, n = 0;

	assert_non_null(doc);
	json_array_foreach(json_object_get(doc, "keys"), i, jwk)
		n += strcmp(json_string_value(json_object_get(jwk, "alg")),
		    algorithm) == 0;
	json_decref(doc);
	return n;
}

static void
make_old(const char *from, const char *to)
{
	MUST(link(from, to) == 0 && utimensat(AT_FDCWD, to, NULL, 0) == 0);
}

#define REST	"htpasswd: x\n"

static void
test_keys_places(void **state)
{
	struct authd_conf	*conf = parse("services: [a, "
	    "{name: b, algorithm: EdDSA, kid: own}]\n"
	    "token: {key: rsa.key, certificate: rsa.crt}\n"
	    "keys:\n"
	    "  - {name: v, certificate: ec.crt, use: verify}\n"
	    "  - {name: s, key: ed.key, certificate: ed.crt}\n"
	    "  - {name: t, key: rsa2.key, certificate: rsa2.crt}\n" REST);
	struct authd_keys	 keys;

	(void)state;
	open_keys(&keys, conf, true);
	assert_int_equal(authd_keys_find(&keys, NULL), 0);
	assert_int_equal(authd_keys_find(&keys, "RS256"), 0);
	/* The second of those that sign. */
	assert_int_equal(authd_keys_find(&keys, "EdDSA"), 1);
	assert_int_equal(authd_keys_find(&keys, "ES256"), -1);
	assert_string_equal(claims_key_algorithm(authd_keys_signing(&keys,
	    1)->public), "EdDSA");
	assert_null(authd_keys_signing(&keys, 3));
	assert_int_equal(published(&keys, "RS256"), 4);
	assert_int_equal(published(&keys, "ES256"), 2);
	assert_int_equal(published(&keys, "EdDSA"), 3);
	assert_int_equal(authd_keys_next(&keys), 0);
	authd_keys_close(&keys);
	conf_free(conf);
}

static void
test_keys_refused(void **state)
{
	static const char *const bad[] = {
		"services: [{name: a, algorithm: ES256}]\n"
		"token: {key: rsa.key, certificate: rsa.crt}\n" REST,
		"services: [a]\n"
		"token: {key: rsa.key, certificate: rsa2.crt}\n" REST,
		"services: [a]\n"
		"token: {key: absent, certificate: rsa2.crt}\n" REST,
		"services: [a]\n"
		"token: {key: rsa.key, certificate: rsa.key}\n" REST,
	};
	struct authd_conf	*conf;
	struct authd_keys	 keys;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		conf = parse(bad[i]);
		open_keys(&keys, conf, false);
		authd_keys_close(&keys);
		conf_free(conf);
	}
}

static void
test_keys_retire(void **state)
{
	struct authd_conf	*before = parse("services: [a, "
	    "{name: b, lifetime: 1h}]\n"
	    "token: {key: rsa.key, certificate: rsa.crt}\n"
	    "keys: [{name: v, certificate: ec.crt, use: verify}]\n" REST),
				*after = parse("services: [a]\n"
	    "token: {key: ed.key, certificate: ed.crt}\n" REST);
	struct authd_keys	 old, new, newer;
	time_t			 until = NOW + 3600 + 60;

	(void)state;
	open_keys(&old, before, true);
	open_keys(&new, after, true);
	authd_keys_retire(&new, after, &old, before, NOW);
	/* For as long as the longest token lives, and is taken. */
	assert_int_equal(authd_keys_next(&new), until);
	assert_int_equal(published(&new, "RS256"), 2);
	assert_int_equal(published(&new, "EdDSA"), 2);
	assert_int_equal(published(&new, "ES256"), 0);
	/* It never signs again. */
	assert_int_equal(authd_keys_find(&new, "RS256"), -1);
	/* Another reload does not prolong it. */
	open_keys(&newer, after, true);
	authd_keys_retire(&newer, after, &new, after, NOW + 1000);
	assert_int_equal(authd_keys_next(&newer), until);
	assert_false(authd_keys_expire(&newer, after, until - 1));
	assert_int_equal(published(&newer, "RS256"), 2);
	assert_true(authd_keys_expire(&newer, after, until));
	assert_int_equal(published(&newer, "RS256"), 0);
	assert_int_equal(published(&newer, "EdDSA"), 2);
	assert_int_equal(authd_keys_next(&newer), 0);
	authd_keys_close(&newer);
	/* A rotation left its certificate: the later end counts. */
	make_old("rsa.crt", "ed.crt.old");
	open_keys(&newer, after, true);
	assert_in_range(authd_keys_next(&newer), time(NULL) + 300,
	    time(NULL) + 360);
	authd_keys_retire(&newer, after, &new, after, NOW);
	assert_int_equal(authd_keys_next(&newer), until);
	assert_int_equal(published(&newer, "RS256"), 2);
	authd_keys_close(&newer);
	MUST(unlink("ed.crt.old") == 0);
	/* What is configured again is no thing of the past. */
	open_keys(&newer, before, true);
	authd_keys_retire(&newer, before, &new, after, NOW);
	assert_int_equal(published(&newer, "RS256"), 2);
	assert_int_equal(authd_keys_find(&newer, "RS256"), 0);
	authd_keys_close(&newer);
	authd_keys_close(&new);
	authd_keys_close(&old);
	conf_free(before);
	conf_free(after);
}

/* Many reloads with new keys: there is a bound. */
static void
test_keys_retire_few(void **state)
{
	struct authd_conf	*conf = parse("services: [a]\n"
	    "token: {key: turn.key, certificate: turn.crt}\n" REST);
	struct authd_keys	 old, new;
	int			 i;

	(void)state;
	make_files("turn", "P-256");
	open_keys(&old, conf, true);
	for (i = 0; i < 10; i++) {
		make_files("turn", "P-256");
		open_keys(&new, conf, true);
		authd_keys_retire(&new, conf, &old, conf, NOW);
		authd_keys_close(&old);
		old = new;
	}
	assert_int_equal(published(&old, "ES256"),
	    2 * (1 + AUTHD_MAX_RETIRED));
	authd_keys_close(&old);
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_places),
		cmocka_unit_test(test_keys_refused),
		cmocka_unit_test(test_keys_retire),
		cmocka_unit_test(test_keys_retire_few),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
