/* SPDX-License-Identifier: ISC */
/*
 * When a worker must forget the passwords that it knows: a verifier says
 * so, or takes the place of one that might have.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "messages.h"
#include "verifier_client.h"

struct fixture {
	struct loop	*loop;
	unsigned	 nchanged;
	bool		 running;
};

static void
on_changed(void *arg)
{
	struct fixture *f = arg;

	f->nchanged++;
	if (f->running)
		loop_stop(f->loop);
}

static int
verifier_end(struct verifier_client *client, unsigned instance)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(verifier_client_add(client, instance, fds[0]), 0);
	return fds[1];
}

static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)chan;
	(void)arg;
	fail_msg("closed: %s", why == NULL ? "by the peer" : why);
}

static void
test_users_are_forgotten(void **state)
{
	struct registry_conf conf;
	struct fixture f = { .nchanged = 0 };
	struct verifier_client *client;
	struct msg_chan *verifier, *other;

	(void)state;
	memset(&conf, 0, sizeof(conf));
	conf.check_timeout_ms = 1000;
	conf.check_queue = 4;
	assert_non_null(f.loop = loop_new());
	client = verifier_client_new(f.loop, &conf, on_changed, &f);
	assert_non_null(client);
	other = msg_chan_new(f.loop, verifier_end(client, 1), ROLE_WORKER, 0,
	    NULL, 0, on_closed, NULL);
	assert_non_null(other);
	/* Another process in its place. */
	close(verifier_end(client, 0));
	f.nchanged = 0;
	verifier = msg_chan_new(f.loop, verifier_end(client, 0), ROLE_WORKER,
	    0, NULL, 0, on_closed, NULL);
	assert_non_null(verifier);
	assert_int_equal(f.nchanged, 1);
	assert_int_equal(msg_send_empty(verifier, VERIFIER_CHANGED, 0), 0);
	f.running = true;
	assert_int_equal(loop_run(f.loop), 0);
	assert_int_equal(f.nchanged, 2);
	verifier_client_free(client);
	msg_chan_free(verifier);
	msg_chan_free(other);
	loop_free(f.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
