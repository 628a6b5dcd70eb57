/* SPDX-License-Identifier: ISC */
/*
 * Tokens with the header and the claims that other token services give
 * theirs: docker_auth, GitLab, Keycloak and Harbor.  registryd takes each of
 * them, and not under another key's name.
 */
#include "access_bearer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "../common/token_maker.h"

#define NOW	2000000000LL

enum kid { LIBTRUST, RFC7638, GENERATOR, NONE };

#define DOCKER_AUTH							\
	"{\"iss\":\"Acme auth server\",\"sub\":\"admin\","		\
	"\"aud\":\"Docker registry\",\"jti\":\"8517585934275891203\","	\
	"\"access\":[{\"type\":\"repository\",\"name\":\"group/app\","	\
	"\"actions\":[\"pull\",\"push\"]}]}"

/* Claims without times; they give pull and push of group/app. */
static const struct foreign {
	const char	*name, *kind, *alg;
	enum kid	 kid;
	bool		 x5c;
	const char	*issuer, *audience, *user, *claims;
} tokens[] = {
	{ "docker_auth", "RSA2048", "RS256", LIBTRUST, false,
	    "Acme auth server", "Docker registry", "admin", DOCKER_AUTH },
	{ "docker_auth, EC", "P-256", "ES256", LIBTRUST, false,
	    "Acme auth server", "Docker registry", "admin", DOCKER_AUTH },
	{ "docker_auth, disable_legacy_key_id", "RSA2048", "RS256", RFC7638,
	    false, "Acme auth server", "Docker registry", "admin",
	    DOCKER_AUTH },
	{ "docker_auth, EC, disable_legacy_key_id", "P-256", "ES256",
	    GENERATOR, false, "Acme auth server", "Docker registry", "admin",
	    DOCKER_AUTH },
	{ "GitLab", "RSA2048", "RS256", LIBTRUST, false,
	    "omnibus-gitlab-issuer", "container_registry", "root",
	    "{\"access\":[{\"type\":\"repository\",\"name\":\"group/app\","
	    "\"actions\":[\"pull\",\"push\"],\"meta\":{\"project_path\":"
	    "\"group/app\",\"project_id\":7,\"root_namespace_id\":2}}],"
	    "\"auth_type\":\"personal_access_token\",\"user\":\"a.b.c\","
	    "\"jti\":\"0f3d5bd4-7b1f-4be6-8f3d-6d1a2d9a3a11\","
	    "\"aud\":\"container_registry\",\"sub\":\"root\","
	    "\"iss\":\"omnibus-gitlab-issuer\"}" },
	{ "Keycloak", "RSA2048", "RS256", LIBTRUST, false,
	    "https://sso.example.com/realms/docker", "docker-registry",
	    "jdoe",
	    "{\"jti\":\"c2a2b7d5-8c0a-45ff-9c3b-0f1b31c0a7ee\","
	    "\"iss\":\"https://sso.example.com/realms/docker\","
	    "\"aud\":\"docker-registry\",\"sub\":\"jdoe\",\"access\":["
	    "{\"type\":\"repository\",\"name\":\"group/app\","
	    "\"actions\":[\"pull\",\"push\"]}]}" },
	{ "Harbor", "RSA2048", "RS256", LIBTRUST, false,
	    "harbor-token-issuer", "harbor-registry", "robot$ci",
	    "{\"iss\":\"harbor-token-issuer\",\"sub\":\"robot$ci\","
	    "\"aud\":\"harbor-registry\",\"jti\":\"7Hn0tLxYl2K2Uj2f\",\"access\":["
	    "{\"type\":\"repository\",\"name\":\"group/app\","
	    "\"actions\":[\"pull\",\"push\",\"scanner-pull\"]}]}" },
	{ "distribution's contrib server", "RSA2048", "RS256", NONE, true,
	    "issuer", "registry", "bob",
	    "{\"iss\":\"issuer\",\"sub\":\"bob\",\"aud\":[\"registry\"],"
	    "\"jti\":\"x\","
	    "\"access\":[{\"type\":\"repository\",\"class\":\"\","
	    "\"name\":\"group/app\",\"actions\":[\"pull\",\"push\"]}]}" },
};
#define NTOKENS	(sizeof(tokens) / sizeof(tokens[0]))

static char *
make_header(const struct foreign *f, EVP_PKEY *key, X509 *cert)
{
	char kid[JWK_KID_SIZE] = "";
	struct buf buf;

	if (f->kid == LIBTRUST)
		jwk_libtrust_id(key, kid, sizeof(kid));
	else if (f->kid == RFC7638)
		jwk_thumbprint(key, kid, sizeof(kid));
	else if (f->kid == GENERATOR)
		snprintf(kid, sizeof(kid), "%s", jwk_generator_id(JWK_P256));
	buf_init(&buf, 8192);
	buf_addf(&buf, "{\"typ\":\"JWT\",\"alg\":\"%s\"", f->alg);
	if (*kid != '\0')
		buf_addf(&buf, ",\"kid\":\"%s\"", kid);
	if (f->x5c) {
		buf_addstr(&buf, ",\"x5c\":[");
		maker_add_x5c(&buf, cert);
		buf_addc(&buf, ']');
	}
	buf_addc(&buf, '}');
	return buf_steal(&buf, NULL);
}

/* As rootcertbundle has it. */
static void
trust(struct jwks *set, X509 *cert)
{
	char *pem = maker_certificate_pem(cert), error[256];

	MUST(jwks_add_pem(set, pem, strlen(pem), error,
	    sizeof(error)) == 1);
	free(pem);
}

static void
check(const struct foreign *f, const struct jwks *set, const char *token,
    bool good)
{
	const struct bearer_rules rules = {
		.jwks = set, .issuer = f->issuer, .audience = f->audience,
		.leeway = 60, .max_lifetime = 86400, .cache = 4,
	};
	const struct bearer_verdict *v;
	struct bearer *b = bearer_new(&rules);
	const char *reason;

	v = bearer_verify(b, token, NOW, &reason);
	if ((v != NULL) != good)
		fail_msg("%s: %s", f->name, v == NULL ? reason : "taken");
	if (v != NULL) {
		assert_string_equal(v->user, f->user);
		assert_true(scope_set_allows(&v->access, "repository",
		    "group/app", ACTION_PULL | ACTION_PUSH));
		assert_false(scope_set_allows(&v->access, "repository",
		    "group/app", ACTION_DELETE));
	}
	bearer_free(b);
}

static char *
add_times(const char *claims)
{
	json_t *doc = json_loads(claims, JSON_REJECT_DUPLICATES, NULL);
	char *text;

	MUST(doc != NULL &&
	    json_object_set_new(doc, "exp", json_integer(NOW + 300)) == 0 &&
	    json_object_set_new(doc, "nbf", json_integer(NOW - 10)) == 0 &&
	    json_object_set_new(doc, "iat", json_integer(NOW)) == 0);
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text;
}

static void
check_token(const struct foreign *f)
{
	static const struct maker_cert spec = { .cn = "tokens" };
	EVP_PKEY *key = maker_key(f->kind), *other = maker_key(f->kind);
	X509 *cert = maker_certificate(key, NULL, key, &spec);
	X509 *other_cert = maker_certificate(other, NULL, other, &spec);
	struct jwks *set = jwks_new(), *wrong = jwks_new();
	char *header = make_header(f, key, cert), *claims, *token,
	    *forged;

	claims = add_times(f->claims);
	token = maker_token(header, claims, key, f->alg);
	forged = maker_token(header, claims, other, f->alg);
	trust(set, cert);
	trust(wrong, other_cert);
	check(f, set, token, true);
	check(f, set, forged, false);
	check(f, wrong, token, false);
	/* Beside another key it has to be told by its name. */
	trust(set, other_cert);
	check(f, set, token, f->kid != GENERATOR);
	free(header);
	free(claims);
	free(token);
	free(forged);
	jwks_free(set);
	jwks_free(wrong);
	X509_free(cert);
	X509_free(other_cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void
test_foreign_tokens(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NTOKENS; i++)
		check_token(&tokens[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
