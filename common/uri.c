/* SPDX-License-Identifier: ISC */
/*
 * Request targets and form bodies, decoded once.  Runs in workers on what
 * peers sent; knows nothing of routes and repositories.  The rest of the
 * daemon sees decoded text only, so there is no second decoding anywhere.
 */
#include "uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* What may appear in a target at all: printable ASCII but '#'. */
static bool
target_is_valid(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '#')
			return false;
	}
	return true;
}

/*
 * A decoded copy, malloc()ed.  In a form '+' is a space and only NUL is
 * refused; in a path every control character is.
 */
static char *
uri_decode(const char *s, size_t len, bool form)
{
	char *dst = malloc(len + 1);
	size_t i, n = 0;
	int high, low, c;

	if (dst == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	for (i = 0; i < len; i++) {
		c = (unsigned char)s[i];
		if (form && c == '+')
			c = ' ';
		else if (c == '%') {
			high = len - i > 2 ? hex_value(s[i + 1]) : -1;
			low = len - i > 2 ? hex_value(s[i + 2]) : -1;
			if (high == -1 || low == -1)
				goto bad;
			c = high << 4 | low;
			i += 2;
		}
		if (c == '\0' || (!form && (c < 0x20 || c == 0x7f)))
			goto bad;
		dst[n++] = (char)c;
	}
	dst[n] = '\0';
	return dst;
bad:
	secret_wipe(dst, n);
	free(dst);
	errno = EINVAL;
	return NULL;
}

static void
param_done(struct uri_param *param)
{
	/* A form may hold a password. */
	if (param->value != NULL)
		secret_wipe(param->value, strlen(param->value));
	free(param->value);
	free(param->name);
}

static int
uri_add_param(struct uri *uri, const char *s, size_t len)
{
	const char *eq = memchr(s, '=', len);
	size_t name_len = eq == NULL ? len : (size_t)(eq - s);
	struct uri_param param, *params;
	int save;

	if (uri->nparams == URI_MAX_PARAMS) {
		errno = E2BIG;
		return -1;
	}
	param.name = uri_decode(s, name_len, true);
	param.value = param.name == NULL ? NULL : eq == NULL ? strdup("") :
	    uri_decode(eq + 1, len - name_len - 1, true);
	params = param.value == NULL ? NULL :
	    realloc(uri->params, (uri->nparams + 1) * sizeof(*params));
	if (params == NULL) {
		save = errno;
		param_done(&param);
		errno = save;
		return -1;
	}
	params[uri->nparams++] = param;
	uri->params = params;
	return 0;
}

/* name=value&name=value; on failure the parameters added so far stay. */
static int
uri_add_params(struct uri *uri, const char *s, size_t len)
{
	const char *amp;
	size_t at, n;

	for (at = 0; at < len; at += n + 1) {
		amp = memchr(s + at, '&', len - at);
		n = amp == NULL ? len - at : (size_t)(amp - (s + at));
		if (n > 0 && uri_add_param(uri, s + at, n) == -1)
			return -1;
	}
	return 0;
}

int
uri_parse(struct uri *uri, const char *target, size_t len)
{
	const char *query = memchr(target, '?', len);
	size_t path_len = query == NULL ? len : (size_t)(query - target);
	int error = EINVAL;

	memset(uri, 0, sizeof(*uri));
	if (len == 0 || target[0] != '/' || !target_is_valid(target, len))
		goto fail;
	uri->path = uri_decode(target, path_len, false);
	if (uri->path == NULL) {
		error = errno;
		goto fail;
	}
	if (uri->path[1] == '/')
		goto fail;
	if (query != NULL) {
		query++;
		uri->raw_query = strndup(query, len - path_len - 1);
		if (uri->raw_query == NULL ||
		    uri_add_params(uri, query, len - path_len - 1) == -1) {
			error = errno;
			goto fail;
		}
	}
	return 0;
fail:
	uri_done(uri);
	errno = error;
	return -1;
}

void
uri_done(struct uri *uri)
{
	size_t i;

	for (i = 0; i < uri->nparams; i++)
		param_done(&uri->params[i]);
	free(uri->params);
	free(uri->raw_query);
	free(uri->path);
	memset(uri, 0, sizeof(*uri));
}

const char *
uri_param(const struct uri *uri, const char *name)
{
	size_t i;

	for (i = 0; i < uri->nparams; i++) {
		if (strcmp(uri->params[i].name, name) == 0)
			return uri->params[i].value;
	}
	return NULL;
}

size_t
uri_param_count(const struct uri *uri, const char *name)
{
	size_t i, n = 0;

	for (i = 0; i < uri->nparams; i++) {
		if (strcmp(uri->params[i].name, name) == 0)
			n++;
	}
	return n;
}

int
uri_parse_form(struct uri *uri, const char *body, size_t len)
{
	return uri_add_params(uri, body, len);
}

int
uri_encode(struct buf *buf, const char *s)
{
	static const char unreserved[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-._~";
	static const char hex[] = "0123456789ABCDEF";
	char esc[3] = { '%', '0', '0' };
	unsigned char c;

	for (; *s != '\0'; s++) {
		c = (unsigned char)*s;
		if (strchr(unreserved, c) != NULL) {
			if (buf_addc(buf, *s) == -1)
				return -1;
			continue;
		}
		esc[1] = hex[c >> 4];
		esc[2] = hex[c & 0x0f];
		if (buf_add(buf, esc, sizeof(esc)) == -1)
			return -1;
	}
	return 0;
}
