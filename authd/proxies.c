/* SPDX-License-Identifier: ISC */
/*
 * Finds the client behind proxies.  What a header says counts only as far as
 * proxies that are configured wrote it: from its end to the first address
 * that is none of theirs; anybody may have written what stands before.  Runs
 * in the worker.
 */
#include "proxies.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "str.h"

#include "acl.h"

#define MAX_NODE	64		/* bytes of an address with port */

struct proxies {
	struct acl_network	*networks;
	size_t			 n;
	bool			 local;		/* "unix" is one */
	bool			 forwarded;	/* RFC 7239, not X-F-F */
};

const char *
proxies_check(const char *network)
{
	struct acl_network	 parsed;

	return strcmp(network, "unix") == 0 ? NULL :
	    acl_network_parse(&parsed, network);
}

struct proxies *
proxies_new(const struct authd_conf *conf)
{
	struct proxies	*p;
	size_t		 i;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->networks = calloc(conf->proxies.n + 1, sizeof(*p->networks));
	if (p->networks == NULL) {
		free(p);
		return NULL;
	}
	p->forwarded = strcmp(conf->proxy_header, "forwarded") == 0;
	for (i = 0; i < conf->proxies.n; i++) {
		if (strcmp(conf->proxies.items[i], "unix") == 0)
			p->local = true;
		else if (acl_network_parse(&p->networks[p->n],
		    conf->proxies.items[i]) == NULL)
			p->n++;
	}
	return p;
}

void
proxies_free(struct proxies *p)
{
	if (p == NULL)
		return;
	free(p->networks);
	free(p);
}

static bool
is_proxy(const struct proxies *p, const char *address)
{
	size_t	 i;

	if (p->local && strcmp(address, "unix") == 0)
		return true;
	for (i = 0; i < p->n; i++)
		if (acl_network_has(&p->networks[i], address))
			return true;
	return false;
}

/* ---- one element of a header ---- */

static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && (**text == ' ' || **text == '\t')) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && strchr(" \t", (*text)[*len - 1]) != NULL)
		(*len)--;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80". */
static bool
read_node(const char *text, size_t len, char dst[PEER_SIZE])
{
	unsigned char	 address[16];
	char		 node[MAX_NODE], *colon;
	int		 family;

	trim(&text, &len);
	if (len == 0 || len >= sizeof(node))
		return false;
	memcpy(node, text, len);
	node[len] = '\0';
	if (*node == '[') {
		if ((colon = strchr(node, ']')) == NULL ||
		    strchr(":", colon[1]) == NULL)
			return false;
		*colon = '\0';
		memmove(node, node + 1, strlen(node));
	} else if ((colon = strchr(node, ':')) != NULL &&
	    strchr(colon + 1, ':') == NULL) {
		*colon = '\0';
	}
	family = acl_address_parse(address, node);
	return family != -1 &&
	    inet_ntop(family, address, dst, PEER_SIZE) != NULL;
}

/*
 * A comma or ";" within quotes is none of ours, but we have cut there: what
 * a client made a proxy quote must not look like the proxy's own words.
 */
static bool
is_whole(const char *text, size_t len)
{
	size_t	 i, quotes = 0;

	for (i = 0; i < len; i++) {
		if (text[i] == '\\')
			return false;
		if (text[i] == '"')
			quotes++;
	}
	return quotes % 2 == 0;
}

/* The value of "for" among "by=a;for=\"[::1]:80\";proto=http". */
static bool
read_forwarded(const char *text, size_t len, char dst[PEER_SIZE])
{
	const char	*end = text + len, *part;
	size_t		 n;

	if (!is_whole(text, len))
		return false;
	for (; text < end; text = part + n + 1) {
		part = text;
		n = strcspn(part, ";");
		if (n > (size_t)(end - part))
			n = (size_t)(end - part);
		if (!is_whole(part, n))
			return false;
		text = part;
		len = n;
		trim(&text, &len);
		if (len < 4 || strncasecmp(text, "for=", 4) != 0)
			continue;
		text += 4;
		len -= 4;
		if (len >= 2 && *text == '"' && text[len - 1] == '"') {
			text++;
			len -= 2;
		}
		return read_node(text, len, dst);
	}
	return false;
}

/* ---- the headers ---- */

/*
 * The elements of one header from its end, as long as they are proxies.
 * False: the client is found, and dst is it, or it stays unknown.
 */
static bool
walk_back(const struct proxies *p, const char *value, char dst[PEER_SIZE])
{
	size_t	 end = strlen(value), start;
	bool	 good;

	for (;;) {
		for (start = end; start > 0 && value[start - 1] != ','; )
			start--;
		good = p->forwarded ?
		    read_forwarded(value + start, end - start, dst) :
		    read_node(value + start, end - start, dst);
		if (!good) {
			str_copy(dst, PEER_SIZE, "unknown");
			return false;
		}
		if (!is_proxy(p, dst))
			return false;
		if (start == 0)
			return true;
		end = start - 1;
	}
}

const char *
proxies_client(const struct proxies *p, const struct http_request *req,
    char dst[PEER_SIZE])
{
	const char	*name = p->forwarded ? "Forwarded" :
			    "X-Forwarded-For";
	size_t		 i;

	str_copy(dst, PEER_SIZE, req->peer.addr);
	if (!is_proxy(p, dst))
		return dst;
	for (i = req->nheaders; i > 0; i--)
		if (strcasecmp(req->headers[i - 1].name, name) == 0 &&
		    !walk_back(p, req->headers[i - 1].value, dst))
			break;
	return dst;
}
