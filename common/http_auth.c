/* SPDX-License-Identifier: ISC */
/*
 * Taking Authorization apart and writing challenges.  Runs in the workers of
 * both daemons; it sees credentials and wipes every copy that it makes.
 */
#include "http_auth.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encode.h"

#define MAX_TOKEN	(64 * 1024)
#define MAX_BASIC	BASE64_LEN(HTTP_AUTH_MAX_USER + 1 + \
			    HTTP_AUTH_MAX_PASSWORD)

/*
 * Well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing
 * above U+10FFFF.  Length of the sequence at p, 0 when it is none.
 */
static size_t
utf8_sequence(const unsigned char *p, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t i, n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (len < n || p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < n; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return n;
}

static bool
is_text(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = utf8_sequence(p, len);
		if (n == 0 || *p == '\0')
			return false;
	}
	return true;
}

static enum http_auth_scheme
split_credentials(struct http_auth *auth, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len;

	if (colon == NULL || !is_text(text, len))
		return HTTP_AUTH_MALFORMED;
	user_len = (size_t)(colon - text);
	len -= user_len + 1;
	if (user_len > HTTP_AUTH_MAX_USER || len > HTTP_AUTH_MAX_PASSWORD)
		return HTTP_AUTH_MALFORMED;
	auth->user = strndup(text, user_len);
	auth->password = secret_new(colon + 1, len);
	if (auth->user == NULL || auth->password == NULL)
		return HTTP_AUTH_MALFORMED;
	return HTTP_AUTH_BASIC;
}

static enum http_auth_scheme
parse_basic(struct http_auth *auth, const char *value)
{
	enum http_auth_scheme scheme = HTTP_AUTH_MALFORMED;
	size_t len = strlen(value), size;
	char *text;
	ssize_t n;

	if (len > MAX_BASIC)
		return HTTP_AUTH_MALFORMED;
	size = len / 4 * 3 + 3;
	if ((text = malloc(size)) == NULL)
		return HTTP_AUTH_MALFORMED;
	if ((n = base64_decode(text, value, len)) != -1)
		scheme = split_credentials(auth, text, (size_t)n);
	secret_wipe(text, size);
	free(text);
	return scheme;
}

/* token68 of RFC 9110 section 11.2. */
static bool
is_token68(const char *s)
{
	size_t n;

	n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-._~+/");
	if (n == 0 || n > MAX_TOKEN)
		return false;
	return s[n + strspn(s + n, "=")] == '\0';
}

static enum http_auth_scheme
parse_bearer(struct http_auth *auth, const char *value)
{
	if (!is_token68(value))
		return HTTP_AUTH_MALFORMED;
	if ((auth->token = strdup(value)) == NULL)
		return HTTP_AUTH_MALFORMED;
	return HTTP_AUTH_BEARER;
}

void
http_auth_parse(struct http_auth *auth, const char *value)
{
	const char *rest;
	size_t len;

	memset(auth, 0, sizeof(*auth));
	if (value == NULL)
		return;
	len = strcspn(value, " \t");
	rest = value + len + strspn(value + len, " ");
	if (len == 5 && strncasecmp(value, "Basic", 5) == 0)
		auth->scheme = parse_basic(auth, rest);
	else if (len == 6 && strncasecmp(value, "Bearer", 6) == 0)
		auth->scheme = parse_bearer(auth, rest);
	else
		auth->scheme = len > 0 ? HTTP_AUTH_OTHER : HTTP_AUTH_MALFORMED;
	if (auth->scheme == HTTP_AUTH_MALFORMED) {
		http_auth_done(auth);
		auth->scheme = HTTP_AUTH_MALFORMED;
	}
}

void
http_auth_done(struct http_auth *auth)
{
	if (auth->token != NULL)
		secret_wipe(auth->token, strlen(auth->token));
	free(auth->token);
	/* Passwords are typed in place of the name, too. */
	if (auth->user != NULL)
		secret_wipe(auth->user, strlen(auth->user));
	free(auth->user);
	secret_free(auth->password);
	memset(auth, 0, sizeof(*auth));
}

int
http_auth_add_param(struct buf *b, const char *name, const char *value)
{
	size_t i;

	/* Behind the scheme's space the first parameter has no comma. */
	if (b->len > 0 && b->data[b->len - 1] != ' ')
		(void)buf_addc(b, ',');
	(void)buf_addstr(b, name);
	(void)buf_addstr(b, "=\"");
	for (i = 0; value[i] != '\0'; i++) {
		if (((unsigned char)value[i] < 0x20 && value[i] != '\t') ||
		    value[i] == 0x7f)
			return -1;
		if (value[i] == '"' || value[i] == '\\')
			(void)buf_addc(b, '\\');
		(void)buf_addc(b, value[i]);
	}
	return buf_addc(b, '"');
}
