/* SPDX-License-Identifier: ISC */
/*
 * What all answers of the API share: their common headers, and the URLs that
 * they name.  Runs in the worker.  URLs are built from checked names only.
 */
#include <string.h>
#include <strings.h>

#include "api.h"
#include "buf.h"
#include "str.h"

#define URL_MAX		2048
#define AUTHORITY_MAX	255

const char *
api_name(const struct api_request *r)
{
	return r->match.name;
}

const char *
api_param(const struct api_request *r, const char *name, bool *several)
{
	*several = uri_param_count(&r->uri, name) > 1;
	return uri_param(&r->uri, name);
}

/* ---- where the client thinks we are ---- */

/* host, host:port, [v6] or [v6]:port: nothing that could leave a header. */
static bool
authority_ok(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > AUTHORITY_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
		    (s[i] >= 'A' && s[i] <= 'Z') ||
		    (s[i] >= '0' && s[i] <= '9') ||
		    strchr(".-_:[]", s[i]) != NULL))
			return false;
	return true;
}

/* A value without the quotes that it may stand in. */
static void
unquote(const char **s, size_t *len)
{
	if (*len >= 2 && (*s)[0] == '"' && (*s)[*len - 1] == '"') {
		(*s)++;
		*len -= 2;
	}
}

/* "key=value" of the first element of Forwarded (RFC 7239). */
static const char *
forwarded(const char *header, const char *key, size_t *len)
{
	const char *p = header, *end;
	size_t n = strlen(key);

	while (p != NULL && *p != '\0' && *p != ',') {
		while (*p == ' ' || *p == ';' || *p == '\t')
			p++;
		end = p + strcspn(p, ";,");
		if ((size_t)(end - p) > n && p[n] == '=' &&
		    strncasecmp(p, key, n) == 0) {
			p += n + 1;
			*len = (size_t)(end - p);
			unquote(&p, len);
			return p;
		}
		p = end;
	}
	return NULL;
}

/* The first element of a list. */
static const char *
first_of(const char *header, size_t *len)
{
	if (header == NULL)
		return NULL;
	while (*header == ' ' || *header == '\t')
		header++;
	*len = strcspn(header, ", \t");
	return *len > 0 ? header : NULL;
}

/* "https://host" as the request came, in distribution's order of headers. */
static void
add_origin(const struct api_request *r, struct buf *url)
{
	const char *header, *host, *scheme;
	size_t hostlen = 0, schemelen = 0;
	bool https = r->head->tls;

	header = http_request_header(r->exchange, "Forwarded");
	host = forwarded(header, "host", &hostlen);
	if (host == NULL)
		host = first_of(http_request_header(r->exchange,
		    "X-Forwarded-Host"), &hostlen);
	if (host == NULL)
		host = first_of(http_request_header(r->exchange, "Host"),
		    &hostlen);
	if (host == NULL || !authority_ok(host, hostlen))
		return;
	scheme = forwarded(header, "proto", &schemelen);
	if (scheme == NULL)
		scheme = first_of(http_request_header(r->exchange,
		    "X-Forwarded-Proto"), &schemelen);
	if (scheme != NULL && schemelen == 5 &&
	    strncasecmp(scheme, "https", 5) == 0)
		https = true;
	else if (scheme != NULL && schemelen == 4 &&
	    strncasecmp(scheme, "http", 4) == 0)
		https = false;
	(void)buf_addstr(url, https ? "https://" : "http://");
	(void)buf_add(url, host, hostlen);
}

void
api_location(struct api_request *r, struct http_response *resp,
    const char *path)
{
	const char *host = r->conf->host;
	struct buf url;
	size_t len;

	buf_init(&url, URL_MAX);
	if (!r->conf->relativeurls) {
		if (host != NULL) {
			len = strlen(host);
			while (len > 0 && host[len - 1] == '/')
				len--;
			(void)buf_add(&url, host, len);
		} else {
			add_origin(r, &url);
		}
	}
	(void)buf_addstr(&url, r->prefix);
	(void)buf_addstr(&url, path);
	if (!buf_failed(&url))
		http_response_header(resp, "Location", "%s", buf_str(&url));
	buf_done(&url);
}

/* ---- headers ---- */

void
api_warn(struct http_response *resp, const char *text)
{
	http_response_header(resp, "Warning", "299 - \"%s\"", text);
}

/*
 * A client that asks a mirror names the registry it means with "ns".  We are
 * no mirror of others, so it scopes the request only when it names us.
 */
static void
add_namespace(struct api_request *r, struct http_response *resp)
{
	const char *ns = uri_param(&r->uri, "ns"), *own = r->conf->host;
	const char *sep;
	size_t len;

	if (ns == NULL)
		return;
	if (own != NULL) {
		if ((sep = strstr(own, "://")) != NULL)
			own = sep + 3;
		len = strcspn(own, "/");
	} else {
		own = http_request_header(r->exchange, "Host");
		len = own == NULL ? 0 : strlen(own);
	}
	if (len > 0 && strlen(ns) == len && strncasecmp(ns, own, len) == 0 &&
	    authority_ok(ns, len))
		http_response_header(resp, "OCI-Namespace", "%s", ns);
}

static void
add_common(struct api_request *r, struct http_response *resp)
{
	const struct conf_pairs *own = &r->conf->http_headers;
	size_t i;

	http_response_header(resp, "Docker-Distribution-Api-Version",
	    "registry/2.0");
	for (i = 0; i < own->n; i++)
		http_response_header(resp, own->items[i].name, "%s",
		    own->items[i].value);
	add_namespace(r, resp);
}

void
api_respond(struct api_request *r, struct http_response *resp)
{
	add_common(r, resp);
	http_respond(r->exchange, resp);
}

void
api_respond_stream(struct api_request *r, struct http_response *resp,
    http_produce_fn *produce, void *arg)
{
	add_common(r, resp);
	http_respond_stream(r->exchange, resp, produce, arg);
}

bool
api_etag_matches(const char *header, const char *digest)
{
	const char *p = header, *end;
	size_t len;

	if (header == NULL)
		return false;
	while (*p != '\0') {
		while (*p == ' ' || *p == '\t' || *p == ',')
			p++;
		end = p + strcspn(p, ",");
		len = (size_t)(end - p);
		while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
			len--;
		if (len == 1 && *p == '*')
			return true;
		if (len > 2 && p[0] == 'W' && p[1] == '/') {
			p += 2;
			len -= 2;
		}
		unquote(&p, &len);
		if (len == strlen(digest) && strncmp(p, digest, len) == 0)
			return true;
		p = end;
	}
	return false;
}
