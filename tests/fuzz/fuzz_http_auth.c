/* SPDX-License-Identifier: ISC */
/*
 * Authorization: accepted parts are within their maxima, Basic is what its
 * parts encode to, and a challenge parameter can be read back.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "encode.h"
#include "http_auth.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* The only spelling of these credentials. */
static void
check_basic(const struct http_auth *auth, const char *value)
{
	char plain[HTTP_AUTH_MAX_USER + 1 + HTTP_AUTH_MAX_PASSWORD];
	char text[BASE64_LEN(sizeof(plain)) + 1];
	size_t user = strlen(auth->user), len = secret_len(auth->password);

	must(user <= HTTP_AUTH_MAX_USER && len <= HTTP_AUTH_MAX_PASSWORD);
	memcpy(plain, auth->user, user);
	plain[user] = ':';
	memcpy(plain + user + 1, secret_data(auth->password), len);
	base64_encode(text, plain, user + 1 + len);
	value += 5;
	value += strspn(value, " ");
	must(strcmp(value, text) == 0);
}

static void
check_param(const char *value)
{
	struct buf b;
	const char *p;

	buf_init(&b, 1024 * 1024);
	if (http_auth_add_param(&b, "n", value) == 0) {
		must(strncmp(buf_str(&b), "n=\"", 3) == 0);
		for (p = buf_str(&b) + 3; *p != '"'; p++) {
			if (*p == '\\')
				p++;
			must(*p != '\0' && *p == *value);
			value++;
		}
		must(*value == '\0' && p[1] == '\0');
	}
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct http_auth auth;
	char *value;

	if (len > 100000 || (value = malloc(len + 1)) == NULL)
		return 0;
	memcpy(value, data, len);
	value[len] = '\0';
	http_auth_parse(&auth, value);
	must((auth.scheme == HTTP_AUTH_BEARER) == (auth.token != NULL));
	must((auth.scheme == HTTP_AUTH_BASIC) == (auth.password != NULL));
	if (auth.scheme == HTTP_AUTH_BASIC)
		check_basic(&auth, value);
	if (auth.scheme == HTTP_AUTH_BEARER)
		must(strchr(auth.token, ' ') == NULL);
	http_auth_done(&auth);
	check_param(value);
	free(value);
	return 0;
}
