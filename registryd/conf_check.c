/* SPDX-License-Identifier: ISC */
/*
 * Checks of a configuration that one key alone does not allow, and the
 * normal form of values that can be written in several ways.  Runs in the
 * parent after all keys have been read.  Opens no file.
 */
#include "conf_key.h"

#include <stdlib.h>
#include <string.h>

#include "jwks.h"
#include "str.h"
#include "tls.h"
#include "xmem.h"

/* The node of a dotted path, or NULL. */
static struct yaml_node *
node_find(struct yamldoc *doc, const char *path)
{
	struct yaml_node *node = doc->root;
	char *copy = xstrdup(path), *next = copy, *segment;

	while (node != NULL && (segment = strsep(&next, ".")) != NULL)
		node = yaml_find(node, segment);
	free(copy);
	return node;
}

/*
 * "key" must be set because of the node at "why".  One that is there but was
 * refused has had its message.
 */
static void
check_required(struct yamldoc *doc, const char *value, const char *why,
    const char *key)
{
	const struct yaml_node *node = node_find(doc, key);

	if (value == NULL && (node == NULL || (node->type == YAML_SCALAR &&
	    node->scalar[0] == '\0')))
		yaml_error(doc, node_find(doc, why), "needs %s", key);
}

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	}
	return false;
}

/* What goes into a challenge. */
static void
check_text(struct yamldoc *doc, const char *value, const char *key)
{
	if (value != NULL && has_control(value))
		yaml_refuse(doc, node_find(doc, key),
		    "a text without control characters");
}

static void
check_token(struct registry_conf *conf, struct yamldoc *doc)
{
	static const char at[] = "auth.token";
	struct yaml_node *node;
	size_t i;

	if (node_find(doc, at) == NULL)
		return;
	check_required(doc, conf->token_realm, at, "auth.token.realm");
	check_required(doc, conf->token_service, at, "auth.token.service");
	check_required(doc, conf->token_issuer, at, "auth.token.issuer");
	check_text(doc, conf->token_realm, "auth.token.realm");
	check_text(doc, conf->token_service, "auth.token.service");
	if (conf->token_roots == NULL && conf->token_jwks == NULL)
		yaml_error(doc, node_find(doc, at), "needs "
		    "auth.token.rootcertbundle or auth.token.jwks");
	node = node_find(doc, "auth.token.signingalgorithms");
	for (i = 0; node != NULL && i < node->nitems; i++) {
		if (jwk_alg_find(node->items[i]->scalar) == NULL)
			yaml_refuse(doc, node->items[i], "a signature "
			    "algorithm with a public key, such as RS256, "
			    "ES256 or EdDSA");
	}
}

static void
check_htpasswd(struct registry_conf *conf, struct yamldoc *doc)
{
	static const char at[] = "auth.htpasswd";

	if (node_find(doc, at) == NULL)
		return;
	check_required(doc, conf->htpasswd_realm, at, "auth.htpasswd.realm");
	check_required(doc, conf->htpasswd_path, at, "auth.htpasswd.path");
	check_text(doc, conf->htpasswd_realm, "auth.htpasswd.realm");
	if (node_find(doc, "auth.token") != NULL)
		yaml_error(doc, node_find(doc, at),
		    "stands beside auth.token, accepted: one of them");
}

static void
check_tls(struct registry_conf *conf, struct yamldoc *doc)
{
	struct yaml_node *node;
	size_t i;

	if (conf->tls_certificate != NULL)
		check_required(doc, conf->tls_key, "http.tls.certificate",
		    "http.tls.key");
	else if (conf->tls_key != NULL)
		check_required(doc, conf->tls_certificate, "http.tls.key",
		    "http.tls.certificate");
	if (conf->tls_clientcas.n > 0) {
		check_required(doc, conf->tls_certificate,
		    "http.tls.clientcas", "http.tls.certificate");
		/* Authorities without a word on their use: distribution. */
		if (conf->tls_client_auth == TLS_CLIENT_NONE)
			conf->tls_client_auth = TLS_CLIENT_REQUIRE;
	} else if (conf->tls_client_auth == TLS_CLIENT_REQUIRE ||
	    conf->tls_client_auth == TLS_CLIENT_VERIFY_IF_GIVEN)
		yaml_error(doc, node_find(doc, "http.tls.clientauth"),
		    "needs http.tls.clientcas");
	else if (conf->tls_client_auth != TLS_CLIENT_NONE)
		check_required(doc, conf->tls_certificate,
		    "http.tls.clientauth", "http.tls.certificate");
	node = node_find(doc, "http.tls.ciphersuites");
	for (i = 0; node != NULL && i < node->nitems; i++) {
		if (!tls_ciphersuite_known(node->items[i]->scalar))
			yaml_refuse(doc, node->items[i], "a cipher suite such "
			    "as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
	}
}

/* Visible ASCII without what would end or split a URL. */
static bool
url_chars_are_valid(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s <= ' ' || *s > '~' ||
		    strchr("\"<>\\^`{|}?#", *s) != NULL)
			return false;
	}
	return true;
}

static bool
host_is_valid(const char *url)
{
	size_t scheme = str_starts(url, "https://") ? 8 :
	    str_starts(url, "http://") ? 7 : 0;

	return scheme > 0 && url_chars_are_valid(url) &&
	    strchr(url, '@') == NULL &&
	    url[scheme] != '\0' && url[scheme] != '/' && url[scheme] != ':';
}

static void
check_urls(struct registry_conf *conf, struct yamldoc *doc)
{
	size_t len;

	if (conf->host != NULL && !host_is_valid(conf->host))
		yaml_refuse(doc, node_find(doc, "http.host"),
		    "a URL such as https://registry.example.com");
	/* Kept without the slash at the end; "/" alone is no prefix. */
	for (len = conf->host == NULL ? 0 : strlen(conf->host);
	    len > 0 && conf->host[len - 1] == '/'; len--)
		conf->host[len - 1] = '\0';
	/* As in distribution, whatever http.relativeurls says. */
	if (conf->host != NULL)
		conf->relativeurls = false;
	if (conf->prefix == NULL)
		return;
	if (conf->prefix[0] != '/' || !url_chars_are_valid(conf->prefix) ||
	    strstr(conf->prefix, "//") != NULL ||
	    strchr(conf->prefix, '%') != NULL) {
		yaml_refuse(doc, node_find(doc, "http.prefix"),
		    "a path such as /registry/");
		return;
	}
	len = strlen(conf->prefix);
	if (conf->prefix[len - 1] == '/')
		conf->prefix[len - 1] = '\0';
	if (conf->prefix[0] == '\0') {
		free(conf->prefix);
		conf->prefix = NULL;
	}
}

/* "host:port" in the forms that listener_open() takes. */
static bool
addr_is_valid(const char *addr)
{
	const char *colon = strrchr(addr, ':');
	uint64_t port;

	if (colon == NULL || str_parse_u64(colon + 1, strlen(colon + 1),
	    65535, &port) == -1)
		return false;
	if (addr[0] == '[')
		return colon > addr + 1 && colon[-1] == ']';
	return memchr(addr, ':', (size_t)(colon - addr)) == NULL;
}

static void
check_addr(struct registry_conf *conf, struct yamldoc *doc)
{
	struct yaml_node *node;

	if (strcmp(conf->net, "unix") == 0) {
		node = node_find(doc, "http.addr");
		if (conf->addr[0] == ':' && node == NULL)
			yaml_error(doc, node_find(doc, "http.net"),
			    "needs http.addr, the path of the socket");
		return;
	}
	if (!addr_is_valid(conf->addr))
		yaml_refuse(doc, node_find(doc, "http.addr"), "HOST:PORT, "
		    "such as :5000, localhost:5000 or \"[::1]:5000\"");
}

static void
check_debug(struct registry_conf *conf, struct yamldoc *doc)
{
	static const char addr[] = "http.debug.addr";
	static const char enabled[] = "http.debug.prometheus.enabled";

	if (conf->debug_addr != NULL && !addr_is_valid(conf->debug_addr))
		yaml_refuse(doc, node_find(doc, addr), "HOST:PORT, such as "
		    "localhost:5001 or \"[::1]:5001\"");
	else if (conf->debug_addr != NULL && !conf->metrics_enabled)
		yaml_warning(doc, node_find(doc, addr), "ignored without %s: "
		    "metrics are all that is served there", enabled);
	else if (conf->debug_addr == NULL && conf->metrics_enabled)
		yaml_warning(doc, node_find(doc, enabled),
		    "ignored without %s", addr);
	if (conf->metrics_path[0] != '/' ||
	    strpbrk(conf->metrics_path, "?#% ") != NULL ||
	    has_control(conf->metrics_path))
		yaml_refuse(doc, node_find(doc, "http.debug.prometheus.path"),
		    "a path such as /metrics");
}

/* RFC 9110 section 5.6.2. */
static bool
header_name_is_valid(const char *name)
{
	static const char token[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789!#$%&'*+-.^_`|~";

	return *name != '\0' && name[strspn(name, token)] == '\0';
}

static bool
header_value_is_valid(const char *value)
{
	for (; *value != '\0'; value++) {
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			return false;
	}
	return true;
}

/* Headers that frame a message are not for the configuration. */
static bool
header_is_ours(const char *name)
{
	static const char *const names[] = {
		"connection", "content-length", "content-range", "date",
		"keep-alive", "trailer", "transfer-encoding", "upgrade"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_equal_nocase(names[i], name))
			return true;
	}
	return false;
}

static void
check_headers(struct yamldoc *doc)
{
	struct yaml_node *map = node_find(doc, "http.headers"), *node;
	size_t i, k;

	for (i = 0; map != NULL && map->type == YAML_MAP && i < map->nitems;
	    i++) {
		node = map->items[i];
		if (!header_name_is_valid(node->key))
			yaml_error(doc, node, "not a header name");
		else if (header_is_ours(node->key))
			yaml_error(doc, node, "cannot be set: the server "
			    "makes this header itself");
		for (k = 0; k < node->nitems; k++) {
			if (!header_value_is_valid(node->items[k]->scalar))
				yaml_error(doc, node->items[k],
				    "a header value has no control "
				    "characters");
		}
	}
}

/* They go with every answer and must leave room for its own. */
static void
check_headers_size(const struct registry_conf *conf, struct yamldoc *doc)
{
	const struct conf_pairs *pairs = &conf->http_headers;
	size_t i, len = 0;

	for (i = 0; i < pairs->n; i++)
		len += strlen(pairs->items[i].name) +
		    strlen(pairs->items[i].value) + strlen(": \r\n");
	if (len > CONF_HEADERS_MAX)
		yaml_error(doc, node_find(doc, "http.headers"),
		    "found %zu bytes, accepted: at most %d", len,
		    CONF_HEADERS_MAX);
}

/* Children get each value in one message. */
static void
check_lengths(struct registry_conf *conf, struct yamldoc *doc)
{
	char *text;
	size_t i;

	for (i = 0; i < conf_nvalues(); i++) {
		text = conf_get_value(conf, i);
		if (text != NULL && strlen(text) > CONF_VALUE_MAX)
			yaml_error(doc, node_find(doc, conf_keys[i].path),
			    "found %zu bytes, accepted: at most %d",
			    strlen(text), CONF_VALUE_MAX);
		free(text);
	}
}

void
conf_check(struct registry_conf *conf, struct yamldoc *doc)
{
	check_token(conf, doc);
	check_htpasswd(conf, doc);
	check_addr(conf, doc);
	check_debug(conf, doc);
	check_urls(conf, doc);
	check_tls(conf, doc);
	check_headers(doc);
	check_headers_size(conf, doc);
	check_lengths(conf, doc);
}
