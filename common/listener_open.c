/* SPDX-License-Identifier: ISC */
/*
 * Making listening sockets from an address as the configuration writes it.
 * Runs in the parent; accepts nothing (listener.c does, in the workers).
 */
#include "listener.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "str.h"

#define ADDRESS_SIZE	(INET6_ADDRSTRLEN + 16)
#define PORT_TRIES	16	/* for one that is free on every address */

struct target {
	const char	*text;		/* as configured, for messages */
	char		 host[256];	/* "" for all addresses */
	uint16_t	 port;
	bool		 optional;	/* a family may be missing */
};

struct result {
	const int	*old;		/* sockets that may be taken over */
	size_t		 nold;
	int		*fds;
	int		 n;
	char		*error;
	size_t		 errsize;
};

static const char *
advice(int error, bool own)
{
	switch (error) {
	case EADDRINUSE:
		return own ? ": this daemon itself listens on a part of it; "
		    "this change needs a restart" :
		    ": another program listens there";
	case EACCES:
		return ": ports below 1024 need root or "
		    "CAP_NET_BIND_SERVICE";
	case EADDRNOTAVAIL:
		return ": this machine has no such address";
	default:
		return "";
	}
}

static void
set_error(struct result *res, const char *what, int error,
    const char *more)
{
	char text[96];

	snprintf(text, sizeof(text), "%s", strerror(error));
	if (text[0] >= 'A' && text[0] <= 'Z')
		text[0] += 'a' - 'A';
	snprintf(res->error, res->errsize, "%s: %s%s", what, text, more);
}

static void
close_all(struct result *res)
{
	while (res->n > 0)
		close(res->fds[--res->n]);
}

/* ---- "unix" ---- */

/* A socket that nobody listens on is left over and may go. */
static int
remove_stale(const struct sockaddr_un *sun)
{
	struct stat st;
	int fd, error = 0;

	if (lstat(sun->sun_path, &st) == -1)
		return errno == ENOENT ? 0 : errno;
	if (!S_ISSOCK(st.st_mode))
		return EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return errno;
	/* EAGAIN: somebody listens, and has not accepted for long. */
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 ||
	    errno == EAGAIN)
		error = EADDRINUSE;
	else if (errno != ECONNREFUSED)
		error = errno;
	close(fd);
	if (error == 0 && unlink(sun->sun_path) == -1)
		error = errno;
	return error;
}

static int
open_unix(const char *path, struct result *res)
{
	struct sockaddr_un sun;
	int fd, error;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (str_copy(sun.sun_path, sizeof(sun.sun_path), path) == -1) {
		set_error(res, path, ENAMETOOLONG, "");
		return -1;
	}
	if ((error = remove_stale(&sun)) != 0) {
		set_error(res, path, error, error == EADDRINUSE ?
		    advice(error, false) : "");
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, SOMAXCONN) == -1) {
		set_error(res, path, errno, "");
		if (fd != -1)
			close(fd);
		return -1;
	}
	res->fds[res->n++] = fd;
	return 1;
}

/* ---- "tcp" ---- */

static int
parse_target(const char *text, struct target *t)
{
	const char *colon, *host = text;
	uint64_t port;
	size_t len;

	memset(t, 0, sizeof(*t));
	t->text = text;
	if ((colon = strrchr(text, ':')) == NULL)
		return -1;
	len = (size_t)(colon - text);
	if (str_parse_u64(colon + 1, strlen(colon + 1), 65535, &port) == -1)
		return -1;
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		host++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL)
		return -1;
	if (len >= sizeof(t->host))
		return -1;
	memcpy(t->host, host, len);
	t->host[len] = '\0';
	t->port = (uint16_t)port;
	return 0;
}

/* The addresses of a target; 0 or an error of getaddrinfo(). */
static int
resolve(struct target *t, struct addrinfo **list)
{
	struct addrinfo hints;
	const char *node = NULL;

	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICSERV;
	t->optional = true;
	/*
	 * No node means loopback: localhost is not looked up in /etc/hosts,
	 * which often lacks one of its two addresses while clients try both.
	 */
	if (!str_equal_nocase(t->host, "localhost")) {
		hints.ai_flags |= AI_PASSIVE;
		if (t->host[0] != '\0') {
			t->optional = false;
			node = t->host;
		}
	}
	return getaddrinfo(node, "0", &hints, list);
}

static void
set_port(struct sockaddr *sa, uint16_t port)
{
	if (sa->sa_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)sa)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)(void *)sa)->sin_port = htons(port);
}

static uint16_t
bound_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	memset(&ss, 0, sizeof(ss));
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return 0;
	return ntohs(ss.ss_family == AF_INET6 ?
	    ((struct sockaddr_in6 *)&ss)->sin6_port :
	    ((struct sockaddr_in *)&ss)->sin_port);
}

/* "127.0.0.1:5000", "[::1]:5000" or a path.  Returns dst. */
static char *
format_address(char *dst, size_t size, const struct sockaddr *sa)
{
	const struct sockaddr_in6 *sin6 = (const void *)sa;
	const struct sockaddr_in *sin = (const void *)sa;
	const struct sockaddr_un *sun = (const void *)sa;
	char ip[INET6_ADDRSTRLEN] = "";

	switch (sa->sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &sin->sin_addr, ip, sizeof(ip));
		snprintf(dst, size, "%s:%u", ip,
		    (unsigned)ntohs(sin->sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &sin6->sin6_addr, ip, sizeof(ip));
		snprintf(dst, size, "[%s]:%u", ip,
		    (unsigned)ntohs(sin6->sin6_port));
		break;
	default:
		snprintf(dst, size, "%s", sun->sun_path);
		break;
	}
	return dst;
}

char *
listener_name(int fd, char *dst, size_t size)
{
	union {
		struct sockaddr		sa;
		struct sockaddr_un	sun;
		struct sockaddr_storage	ss;
	} u;
	socklen_t len = sizeof(u);

	memset(&u, 0, sizeof(u));
	if (getsockname(fd, &u.sa, &len) == -1)
		snprintf(dst, size, "descriptor %d", fd);
	else
		format_address(dst, size, &u.sa);
	return dst;
}

/* A descriptor, or -1 with errno. */
static int
open_tcp(const struct addrinfo *ai)
{
	int fd, saved, on = 1;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    (ai->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &on, sizeof(on)) == -1) ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 ||
	    listen(fd, SOMAXCONN) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static bool
is_wildcard(const struct sockaddr *sa)
{
	const struct sockaddr_in6 *sin6 = (const void *)sa;
	const struct sockaddr_in *sin = (const void *)sa;

	if (sa->sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&sin6->sin6_addr);
	return sin->sin_addr.s_addr == htonl(INADDR_ANY);
}

static bool
same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;

	if (a->sa_family == AF_INET6)
		return IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr) &&
		    a6->sin6_scope_id == b6->sin6_scope_id;
	return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
}

/* An old socket on this address, or on one that excludes it; or -1. */
static int
find_old(const struct result *res, const struct sockaddr *sa, bool overlaps)
{
	union {
		struct sockaddr		sa;
		struct sockaddr_in6	sin6;
		struct sockaddr_in	sin;
		struct sockaddr_storage	ss;
	} u;
	const struct sockaddr_in *sin = (const void *)sa;
	socklen_t len;
	size_t i;

	for (i = 0; i < res->nold; i++) {
		len = sizeof(u);
		memset(&u, 0, sizeof(u));
		/* The port has one place in both families. */
		if (getsockname(res->old[i], &u.sa, &len) == -1 ||
		    u.sa.sa_family != sa->sa_family ||
		    u.sin.sin_port != sin->sin_port)
			continue;
		if (same_address(&u.sa, sa) || (overlaps &&
		    (is_wildcard(&u.sa) || is_wildcard(sa))))
			return res->old[i];
	}
	return -1;
}

static bool
family_missing(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL ||
	    error == EPROTONOSUPPORT;
}

/* All addresses of the list on one port; 0 or an errno, and none is open. */
static int
open_list(const struct target *t, const struct addrinfo *list,
    struct result *res)
{
	const struct addrinfo *ai;
	uint16_t port = t->port;
	char what[ADDRESS_SIZE];
	int error = EADDRNOTAVAIL, fd;

	for (ai = list; ai != NULL && res->n < LISTENER_MAX;
	    ai = ai->ai_next) {
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		set_port(ai->ai_addr, port);
		fd = find_old(res, ai->ai_addr, false);
		fd = fd != -1 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : open_tcp(ai);
		if (fd == -1) {
			error = errno;
			if (t->optional && family_missing(error))
				continue;
			set_error(res, format_address(what, sizeof(what),
			    ai->ai_addr), error, advice(error,
			    find_old(res, ai->ai_addr, true) != -1));
			close_all(res);
			return error;
		}
		res->fds[res->n++] = fd;
		if (port == 0)
			port = bound_port(fd);
	}
	if (res->n == 0)
		set_error(res, t->text, error, advice(error, false));
	return res->n == 0 ? error : 0;
}

int
listener_open(const char *net, const char *addr, int *fds, char *error,
    size_t errsize)
{
	return listener_reopen(net, addr, NULL, 0, fds, error, errsize);
}

int
listener_reopen(const char *net, const char *addr, const int *old,
    size_t nold, int *fds, char *error, size_t errsize)
{
	struct result res = { old, nold, fds, 0, error, errsize };
	struct addrinfo *list = NULL;
	struct target t;
	int failed, tries = 0;

	if (net != NULL && strcmp(net, "unix") == 0)
		return open_unix(addr, &res);
	if (parse_target(addr, &t) == -1) {
		snprintf(error, errsize, "%s: not an address: expected "
		    "host:port, [ipv6]:port or :port", addr);
		return -1;
	}
	if ((failed = resolve(&t, &list)) != 0) {
		snprintf(error, errsize, "%s: %s", addr,
		    gai_strerror(failed));
		return -1;
	}
	/* A port that is free on the first address may be taken on the next. */
	do
		failed = open_list(&t, list, &res);
	while (failed == EADDRINUSE && t.port == 0 && ++tries < PORT_TRIES);
	freeaddrinfo(list);
	return failed != 0 ? -1 : res.n;
}
