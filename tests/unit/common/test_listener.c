/* SPDX-License-Identifier: ISC */
/*
 * listener: which sockets an address opens, and accepting from them.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "listener.h"

static char error[256];

static bool
have_ipv6(void)
{
	struct sockaddr_in6 sin6;
	bool ok;
	int fd;

	memset(&sin6, 0, sizeof(sin6));
	sin6.sin6_family = AF_INET6;
	sin6.sin6_addr = in6addr_loopback;
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	ok = fd != -1 &&
	    bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) == 0;
	if (fd != -1)
		close(fd);
	return ok;
}

static void
close_all(const int *fds, int n)
{
	while (n > 0)
		close(fds[--n]);
}

/* "1.2.3.4:5" -> "1.2.3.4" and 5. */
static unsigned
split(char *name)
{
	char *colon = strrchr(name, ':');

	assert_non_null(colon);
	*colon = '\0';
	return (unsigned)atoi(colon + 1);
}

/* Each socket's name without port, sorted as opened; the same port for all. */
static void
check_sockets(const char *addr, const char *v4, const char *v6)
{
	int fds[LISTENER_MAX], n, i, found4 = 0, found6 = 0;
	unsigned port = 0, p;
	char name[128];

	n = listener_open("tcp", addr, fds, error, sizeof(error));
	assert_true(n >= 1);
	for (i = 0; i < n; i++) {
		assert_true((fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != 0);
		assert_true((fcntl(fds[i], F_GETFL) & O_NONBLOCK) != 0);
		listener_name(fds[i], name, sizeof(name));
		p = split(name);
		assert_int_not_equal(p, 0);
		if (port != 0)
			assert_int_equal(p, port);
		port = p;
		found4 += v4 != NULL && strcmp(name, v4) == 0;
		found6 += v6 != NULL && strcmp(name, v6) == 0;
	}
	assert_int_equal(found4, v4 != NULL);
	assert_int_equal(found6, v6 != NULL && have_ipv6());
	assert_int_equal(found4 + found6, n);
	close_all(fds, n);
}

static void
test_addresses(void **state)
{
	(void)state;
	check_sockets("127.0.0.1:0", "127.0.0.1", NULL);
	check_sockets("localhost:0", "127.0.0.1", "[::1]");
	check_sockets("LOCALHOST:0", "127.0.0.1", "[::1]");
	check_sockets(":0", "0.0.0.0", "[::]");
	if (have_ipv6())
		check_sockets("[::1]:0", NULL, "[::1]");
}

static void
test_errors(void **state)
{
	static const struct { const char *addr, *part; } cases[] = {
		{ "5000", "5000: not an address: expected host:port" },
		{ "localhost", "not an address" },
		{ "localhost:", "not an address" },
		{ "localhost:65536", "not an address" },
		{ "localhost:http", "not an address" },
		{ "::1:5000", "not an address" },
		{ "localhost:-1", "not an address" },
		{ "192.0.2.1:5000", "192.0.2.1:5000: cannot assign requested "
		    "address: this machine has no such address" },
	};
	int fds[LISTENER_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		error[0] = '\0';
		assert_int_equal(listener_open(NULL, cases[i].addr, fds,
		    error, sizeof(error)), -1);
		if (strstr(error, cases[i].part) == NULL)
			fail_msg("%s: got \"%s\"", cases[i].addr, error);
	}
}

static void
test_port_in_use(void **state)
{
	int fds[LISTENER_MAX], again[LISTENER_MAX], n;
	char name[128], want[256];

	(void)state;
	n = listener_open("tcp", "127.0.0.1:0", fds, error, sizeof(error));
	assert_int_equal(n, 1);
	listener_name(fds[0], name, sizeof(name));
	assert_int_equal(listener_open("tcp", name, again, error,
	    sizeof(error)), -1);
	snprintf(want, sizeof(want), "%s: address already in use: another "
	    "program listens there", name);
	assert_string_equal(error, want);
	close_all(fds, n);
}

/* At a reload: what is the same stays, what only overlaps is explained. */
static void
test_takes_over(void **state)
{
	static const char advice[] = ": address already in use: this daemon "
	    "itself listens on a part of it; this change needs a restart";
	int fds[LISTENER_MAX], again[LISTENER_MAX], n, i, m, same = 0;
	char name[128], addr[64], *port;
	struct stat a, b;

	(void)state;
	n = listener_open("tcp", "127.0.0.1:0", fds, error, sizeof(error));
	assert_int_equal(n, 1);
	assert_int_equal(fstat(fds[0], &a), 0);
	port = strrchr(listener_name(fds[0], name, sizeof(name)), ':');
	snprintf(addr, sizeof(addr), "localhost%s", port);
	m = listener_reopen("tcp", addr, fds, 1, again, error,
	    sizeof(error));
	assert_int_equal(m, have_ipv6() ? 2 : 1);
	for (i = 0; i < m; i++) {
		assert_int_equal(fstat(again[i], &b), 0);
		same += a.st_ino == b.st_ino;
	}
	assert_int_equal(same, 1);
	close_all(again, m);
	assert_int_equal(listener_reopen("tcp", port, fds, 1, again, error,
	    sizeof(error)), -1);
	assert_non_null(strstr(error, advice));
	close_all(fds, n);
}

/* ---- accepting ---- */

static struct loop *loop;
static struct listener *listener;
static struct peer last_peer;
static int accepted, free_after;

static void
on_accept(int fd, const struct peer *peer, void *arg)
{
	int on = 0;
	socklen_t len = sizeof(on);

	(void)arg;
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	if (strcmp(peer->addr, "unix") != 0) {
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    &len), 0);
		assert_int_not_equal(on, 0);
	}
	close(fd);
	last_peer = *peer;
	accepted++;
	if (accepted == free_after) {
		listener_free(listener);
		listener = NULL;
	}
}

static void
on_timer(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
run(uint64_t ms)
{
	struct loop_timer *timer = loop_timer_new(loop, on_timer, NULL);

	loop_timer_start(timer, ms);
	assert_int_equal(loop_run(loop), 0);
	loop_timer_free(timer);
}

static int
connect_to(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int c;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_not_equal(c = socket(ss.ss_family, SOCK_STREAM, 0), -1);
	assert_int_equal(connect(c, (struct sockaddr *)&ss, len), 0);
	return c;
}

static void
test_accept_pause_free(void **state)
{
	int fds[LISTENER_MAX], clients[8], i;

	(void)state;
	loop = loop_new();
	accepted = free_after = 0;
	assert_int_equal(listener_open("tcp", "127.0.0.1:0", fds, error,
	    sizeof(error)), 1);
	listener = listener_new(loop, fds[0], on_accept, NULL);
	for (i = 0; i < 6; i++)
		clients[i] = connect_to(fds[0]);
	listener_pause(listener, true);
	run(30);
	assert_int_equal(accepted, 0);
	listener_pause(listener, false);
	run(30);
	assert_int_equal(accepted, 6);
	assert_string_equal(last_peer.addr, "127.0.0.1");
	assert_int_not_equal(last_peer.port, 0);
	/* Freed inside its own callback, with another one waiting. */
	clients[6] = connect_to(fds[0]);
	clients[7] = connect_to(fds[0]);
	free_after = 7;
	run(30);
	assert_int_equal(accepted, 7);
	assert_null(listener);
	close_all(clients, 8);
	loop_free(loop);
}

static void
test_out_of_descriptors_rests(void **state)
{
	int fds[LISTENER_MAX], client, top, i, n;
	struct rlimit old, tight;
	uint64_t cpu;

	(void)state;
	loop = loop_new();
	accepted = free_after = 0;
	assert_int_equal(listener_open("tcp", "127.0.0.1:0", fds, error,
	    sizeof(error)), 1);
	listener = listener_new(loop, fds[0], on_accept, NULL);
	client = connect_to(fds[0]);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_not_equal(top = dup(0), -1);
	close(top);
	tight = old;
	tight.rlim_cur = (rlim_t)top;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	cpu = (uint64_t)clock();
	run(250);
	cpu = (uint64_t)clock() - cpu;
	assert_int_equal(accepted, 0);
	assert_true(cpu < CLOCKS_PER_SEC / 10);		/* does not spin */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	for (i = 0, n = 0; i < 10 && n == 0; i++) {
		run(50);
		n = accepted;
	}
	assert_int_equal(accepted, 1);
	listener_free(listener);
	close(client);
	loop_free(loop);
}

static void
test_unix(void **state)
{
	char dir[] = "/tmp/test_listener.XXXXXX", path[64], name[128];
	int fds[LISTENER_MAX], again[LISTENER_MAX], client;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	loop = loop_new();
	accepted = free_after = 0;
	assert_int_equal(listener_open("unix", path, fds, error,
	    sizeof(error)), 1);
	listener_name(fds[0], name, sizeof(name));
	assert_string_equal(name, path);
	listener = listener_new(loop, fds[0], on_accept, NULL);
	client = connect_to(fds[0]);
	run(30);
	assert_int_equal(accepted, 1);
	assert_string_equal(last_peer.addr, "unix");

	/* Alive: refused.  Left over: taken.  Something else: refused. */
	assert_int_equal(listener_open("unix", path, again, error,
	    sizeof(error)), -1);
	assert_non_null(strstr(error, "address already in use"));
	listener_free(listener);
	close(client);
	assert_int_equal(listener_open("unix", path, again, error,
	    sizeof(error)), 1);
	close(again[0]);
	unlink(path);
	assert_non_null(file = fopen(path, "w"));
	fclose(file);
	assert_int_equal(listener_open("unix", path, again, error,
	    sizeof(error)), -1);
	unlink(path);
	rmdir(dir);
	loop_free(loop);
}

static void
test_peer_format(void **state)
{
	static const struct {
		struct peer	 peer;
		const char	*want;
	} cases[] = {
		{ { "192.0.2.1", 5000 }, "192.0.2.1:5000" },
		{ { "2001:db8::1", 65535 }, "[2001:db8::1]:65535" },
		{ { "unix", 0 }, "unix" },
	};
	char text[PEER_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(peer_format(&cases[i].peer, text),
		    cases[i].want);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_peer_format),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_port_in_use),
		cmocka_unit_test(test_takes_over),
		cmocka_unit_test(test_accept_pause_free),
		cmocka_unit_test(test_out_of_descriptors_rests),
		cmocka_unit_test(test_unix),
	};

	return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
