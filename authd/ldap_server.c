/* SPDX-License-Identifier: ISC */
/*
 * Chooses among the servers of a directory, and remembers which ones do not
 * answer, so that only one login in a while waits for a server that is gone.
 * Runs in the verifiers for LDAP, each with a memory of its own.
 */
#include "ldap_server.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "str.h"

static int
server_init(struct ldap_server *server, const char *text)
{
	struct ldap_uri	*uri = &server->uri;

	memset(server, 0, sizeof(*server));
	if (ldap_uri_parse(text, uri) == -1 ||
	    str_copy(server->name, sizeof(server->name), text) == -1)
		return -1;
	snprintf(server->url, sizeof(server->url), "ldap://%s%s%s:%s",
	    strchr(uri->host, ':') != NULL ? "[" : "", uri->host,
	    strchr(uri->host, ':') != NULL ? "]" : "", uri->port);
	return 0;
}

int
ldap_servers_init(struct ldap_servers *servers, char *const *uris, size_t n)
{
	size_t	 i;

	memset(servers, 0, sizeof(*servers));
	if (n == 0 || n > LDAP_MAX_SERVERS)
		return -1;
	for (i = 0; i < n; i++)
		if (server_init(&servers->all[i], uris[i]) == -1)
			return -1;
	servers->n = n;
	return 0;
}

void
ldap_servers_done(struct ldap_servers *servers)
{
	size_t	 i;

	for (i = 0; i < servers->n; i++)
		if (servers->all[i].addresses != NULL)
			freeaddrinfo(servers->all[i].addresses);
	servers->n = 0;
}

/* ---- choosing ---- */

void
ldap_walk_start(struct ldap_walk *walk, struct ldap_servers *servers,
    struct ldap_server *first, uint64_t now)
{
	memset(walk, 0, sizeof(*walk));
	walk->servers = servers;
	walk->first = first;
	walk->now = now;
}

static bool
is_ready(const struct ldap_server *server, uint64_t now, uint64_t pause)
{
	return !server->down || now - server->down_at >= pause;
}

/* The first in order that was not tried and is ready. */
static struct ldap_server *
walk_find(struct ldap_walk *walk, uint64_t pause)
{
	struct ldap_server	*server;
	size_t			 i;

	for (i = 0; i < walk->servers->n; i++) {
		server = &walk->servers->all[i];
		if (!walk->done[i] && is_ready(server, walk->now, pause)) {
			walk->done[i] = true;
			return server;
		}
	}
	return NULL;
}

struct ldap_server *
ldap_walk_next(struct ldap_walk *walk)
{
	struct ldap_server	*server = walk->first;

	walk->first = NULL;
	if (server != NULL &&
	    is_ready(server, walk->now, LDAP_SERVER_DOWN_MS)) {
		walk->done[server - walk->servers->all] = true;
		return server;
	}
	server = walk_find(walk, LDAP_SERVER_DOWN_MS);
	return server != NULL ? server :
	    walk_find(walk, LDAP_SERVER_PAUSE_MS);
}

void
ldap_server_set_down(struct ldap_server *server, const char *why,
    uint64_t now)
{
	if (!server->down)
		log_warnx("%s does not serve: %s", server->name, why);
	else
		log_debug("%s still does not serve: %s", server->name, why);
	server->down = true;
	server->down_at = now;
}

void
ldap_server_set_up(struct ldap_server *server)
{
	if (server->down)
		log_info("%s serves again", server->name);
	server->down = false;
}
