/* SPDX-License-Identifier: ISC */
/*
 * msg: fields, rules, channels, descriptors, the bound of the queue, and
 * that a violation cuts off its sender.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop.h"
#include "msg.h"

#define TYPE_ANY	20
#define TYPE_SMALL	21
#define TYPE_FD		22
#define TYPE_REFUSED	23
#define TYPE_CLOSE	24

struct side {
	struct msg_chan	*chan;
	int		 closed;
	char		 why[128];
};

struct fixture {
	struct loop		*loop;
	struct loop_timer	*timer;
	struct side		 a, b;
	int			 received;
	uint64_t		 last_id;
	int			 fd;
	int			 stop_after;
};

static struct fixture fix;

static int
on_any(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	(void)arg;
	fix.received++;
	fix.last_id = msg->id;
	if (fix.received == fix.stop_after)
		loop_stop(fix.loop);
	return 0;
}

static int
on_fd(struct msg_chan *chan, struct msg *msg, void *arg)
{
	fix.fd = msg_get_fd(msg);
	return on_any(chan, msg, arg);
}

static int
on_refused(struct msg_chan *chan, struct msg *msg, void *arg)
{
	on_any(chan, msg, arg);
	return -1;
}

static int
on_close(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct side *side = arg;

	(void)msg;
	msg_chan_free(chan);
	side->chan = NULL;
	loop_stop(fix.loop);
	return 0;
}

static const struct msg_rule rules[] = {
	{ TYPE_ANY, 1, 0, MSG_MAX_SIZE, 0, on_any, "any" },
	{ TYPE_SMALL, 1, 4, 8, 0, on_any, "small" },
	{ TYPE_FD, 1, 0, 0, 1, on_fd, "fd" },
	{ TYPE_REFUSED, 1, 0, 0, 0, on_refused, "refused" },
	{ TYPE_CLOSE, 1, 0, 0, 0, on_close, "close" },
	{ 30, 2, 0, 0, 0, on_any, "of another role" },
};
#define NRULES	(sizeof(rules) / sizeof(rules[0]))

static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	struct side *side = arg;

	assert_ptr_equal(chan, side->chan);
	side->closed++;
	snprintf(side->why, sizeof(side->why), "%s", why == NULL ? "" : why);
	msg_chan_free(chan);
	side->chan = NULL;
	loop_stop(fix.loop);
}

static void
on_timeout(void *arg)
{
	(void)arg;
	loop_stop(fix.loop);
}

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	memset(&fix, 0, sizeof(fix));
	fix.fd = -1;
	fix.loop = loop_new();
	fix.timer = loop_timer_new(fix.loop, on_timeout, NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	/* "a" sends as role 1 to "b". */
	fix.a.chan = msg_chan_new(fix.loop, fds[0], 9, 0, rules, NRULES,
	    on_closed, &fix.a);
	fix.b.chan = msg_chan_new(fix.loop, fds[1], 1, 7, rules, NRULES,
	    on_closed, &fix.b);
	assert_non_null(fix.a.chan);
	assert_non_null(fix.b.chan);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (fix.fd != -1)
		close(fix.fd);
	msg_chan_free(fix.a.chan);
	msg_chan_free(fix.b.chan);
	loop_timer_free(fix.timer);
	loop_free(fix.loop);
	return 0;
}

static void
run(uint64_t ms)
{
	loop_timer_start(fix.timer, ms);
	assert_int_equal(loop_run(fix.loop), 0);
	loop_timer_stop(fix.timer);
}

static int
open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return n;
}

/* ---- fields ---- */

static void
test_fields_round_trip(void **state)
{
	struct msg_out out;
	struct msg msg;
	char str[8], *dup;
	const void *bytes;
	size_t len;

	(void)state;
	msg_begin(&out, 77, UINT64_C(0x0102030405060708));
	msg_put_u8(&out, 200);
	msg_put_u32(&out, 0xdeadbeef);
	msg_put_u64(&out, UINT64_MAX - 1);
	msg_put_bool(&out, true);
	msg_put_str(&out, "hello");
	msg_put_str(&out, NULL);
	msg_put_bytes(&out, "\0\1\2", 3);
	assert_false(out.failed);
	/* Big-endian, type first. */
	assert_memory_equal(out.data, "\0\0\0\115\1\2\3\4\5\6\7\10", 12);
	assert_int_equal(msg_parse(&msg, out.data, out.len), 0);
	assert_int_equal(msg.type, 77);
	assert_true(msg.id == UINT64_C(0x0102030405060708));
	assert_int_equal(msg_get_u8(&msg), 200);
	assert_int_equal(msg_get_u32(&msg), 0xdeadbeef);
	assert_true(msg_get_u64(&msg) == UINT64_MAX - 1);
	assert_true(msg_get_bool(&msg));
	msg_get_str(&msg, str, sizeof(str));
	assert_string_equal(str, "hello");
	dup = msg_get_strdup(&msg, 0);
	assert_non_null(dup);
	assert_string_equal(dup, "");
	free(dup);
	assert_int_equal(msg_end(&msg), -1);	/* something is left over */
	bytes = msg_get_bytes(&msg, 3, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "\0\1\2", 3);
	assert_int_equal(msg_end(&msg), 0);
	msg_drop(&out);
}

static const struct {
	const char	*what;
	const char	*fields;
	size_t		 len;
} bad_strings[] = {
	{ "no length", "\0\0", 2 },
	{ "short", "\0\0\0\5abc", 7 },
	{ "huge length", "\377\377\377\377abc", 7 },
	{ "NUL inside", "\0\0\0\3a\0c", 7 },
	{ "longer than its maximum", "\0\0\0\5abcde", 9 },
};

static void
test_bad_strings(void **state)
{
	uint8_t frame[64] = { 0 };
	struct msg msg;
	char str[5];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(bad_strings) / sizeof(bad_strings[0]); i++) {
		len = MSG_HEADER_SIZE + bad_strings[i].len;
		memcpy(frame + MSG_HEADER_SIZE, bad_strings[i].fields,
		    bad_strings[i].len);
		assert_int_equal(msg_parse(&msg, frame, len), 0);
		strcpy(str, "old");
		msg_get_str(&msg, str, sizeof(str));
		assert_string_equal(str, "");
		assert_true(msg.bad);
		assert_int_equal(msg_end(&msg), -1);
		/* Sticky: later getters give nothing. */
		assert_int_equal(msg_get_u8(&msg), 0);
		assert_int_equal(msg_parse(&msg, frame, len), 0);
		assert_null(msg_get_strdup(&msg, 4));
		assert_true(msg.bad);
	}
}

static void
test_bad_bool_and_short_frame(void **state)
{
	uint8_t frame[MSG_HEADER_SIZE + 1] = { 0 };
	struct msg msg;

	(void)state;
	frame[MSG_HEADER_SIZE] = 2;
	assert_int_equal(msg_parse(&msg, frame, sizeof(frame)), 0);
	assert_false(msg_get_bool(&msg));
	assert_true(msg.bad);
	assert_int_equal(msg_parse(&msg, frame, MSG_HEADER_SIZE - 1), -1);
}

static void
test_too_large_fails_to_send(void **state)
{
	static char big[MSG_MAX_SIZE + 1];
	struct msg_out out;

	(void)state;
	msg_begin(&out, TYPE_ANY, 1);
	msg_put_bytes(&out, big, MSG_MAX_SIZE - 3);
	assert_int_equal(msg_send(fix.a.chan, &out), -1);
	assert_int_equal(errno, EMSGSIZE);
	msg_begin(&out, TYPE_ANY, 1);
	msg_put_bytes(&out, big, MSG_MAX_SIZE - 4);
	assert_int_equal(msg_send(fix.a.chan, &out), 0);
	fix.stop_after = 1;
	run(1000);
	assert_int_equal(fix.received, 1);
}

/* ---- rules ---- */

static void
test_check(void **state)
{
	static const struct {
		uint32_t	 type;
		unsigned	 from;
		size_t		 len, nfds;
		const char	*why;
	} cases[] = {
		{ TYPE_SMALL, 1, 4, 0, NULL },
		{ TYPE_SMALL, 1, 8, 0, NULL },
		{ TYPE_SMALL, 1, 3, 0, "too short" },
		{ TYPE_SMALL, 1, 9, 0, "too long" },
		{ TYPE_SMALL, 1, 4, 1, "wrong number of descriptors" },
		{ TYPE_FD, 1, 0, 0, "wrong number of descriptors" },
		{ TYPE_FD, 1, 0, 1, NULL },
		{ TYPE_SMALL, 2, 4, 0, "not allowed to this sender" },
		{ 30, 1, 0, 0, "not allowed to this sender" },
		{ 999, 1, 0, 0, "unknown type" },
	};
	const struct msg_rule *rule;
	const char *why;
	struct msg msg;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&msg, 0, sizeof(msg));
		msg.type = cases[i].type;
		msg.len = cases[i].len;
		msg.nfds = cases[i].nfds;
		rule = msg_check(rules, NRULES, cases[i].from, &msg, &why);
		if (cases[i].why == NULL) {
			assert_non_null(rule);
			assert_int_equal(rule->type, cases[i].type);
			assert_null(why);
		} else {
			assert_null(rule);
			assert_string_equal(why, cases[i].why);
		}
	}
}

static void
expect_cut_off(const char *why)
{
	run(1000);
	assert_int_equal(fix.b.closed, 1);
	assert_string_equal(fix.b.why, why);
	/* The sender sees end of file, and cannot send any more. */
	if (fix.a.closed == 0)
		run(1000);
	assert_int_equal(fix.a.closed, 1);
	assert_string_equal(fix.a.why, "");
}

static void
test_unknown_type_cuts_off(void **state)
{
	(void)state;
	assert_int_equal(msg_send_empty(fix.a.chan, 999, 1), 0);
	assert_int_equal(msg_send_empty(fix.a.chan, TYPE_ANY, 2), 0);
	expect_cut_off("message type 999: unknown type");
	assert_int_equal(fix.received, 0);
}

static void
test_refused_cuts_off(void **state)
{
	(void)state;
	assert_int_equal(msg_send_empty(fix.a.chan, TYPE_REFUSED, 1), 0);
	assert_int_equal(msg_send_empty(fix.a.chan, TYPE_ANY, 2), 0);
	expect_cut_off("refused: refused");
	assert_int_equal(fix.received, 1);
}

static void
test_unasked_descriptors_are_closed(void **state)
{
	struct msg_out out;
	int before = open_fds(), i;

	(void)state;
	msg_begin(&out, TYPE_ANY, 1);
	for (i = 0; i < MSG_MAX_FDS; i++)
		msg_put_fd(&out, STDIN_FILENO);
	assert_int_equal(msg_send(fix.a.chan, &out), 0);
	expect_cut_off("message type 20: wrong number of descriptors");
	assert_int_equal(open_fds(), before - 2);	/* both channels */
}

/* ---- descriptors ---- */

static void
test_descriptor_arrives(void **state)
{
	struct msg_out out;
	char buf[4];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	msg_begin(&out, TYPE_FD, 1);
	msg_put_fd(&out, fds[1]);
	close(fds[1]);			/* the message has its own */
	assert_int_equal(msg_send(fix.a.chan, &out), 0);
	fix.stop_after = 1;
	run(1000);
	assert_int_not_equal(fix.fd, -1);
	assert_true((fcntl(fix.fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(write(fix.fd, "hey", 3), 3);
	assert_int_equal(read(fds[0], buf, sizeof(buf)), 3);
	close(fds[0]);
}

static void
test_too_many_descriptors(void **state)
{
	struct msg_out out;
	int before = open_fds(), i;

	(void)state;
	msg_begin(&out, TYPE_ANY, 1);
	for (i = 0; i <= MSG_MAX_FDS; i++)
		msg_put_fd(&out, STDIN_FILENO);
	assert_int_equal(msg_send(fix.a.chan, &out), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(open_fds(), before);
	msg_begin(&out, TYPE_FD, 1);
	msg_put_fd(&out, -1);
	assert_int_equal(msg_send(fix.a.chan, &out), -1);
	assert_int_equal(errno, EBADF);
}

/* ---- the queue ---- */

static void
test_queue_is_bounded_and_ordered(void **state)
{
	uint64_t sent = 0;

	(void)state;
	while (msg_send_empty(fix.a.chan, TYPE_ANY, sent + 1) == 0) {
		sent++;
		assert_true(sent < 1000000);
	}
	assert_int_equal(errno, ENOBUFS);
	assert_int_equal(msg_chan_queued(fix.a.chan), MSG_MAX_QUEUE);
	fix.stop_after = (int)sent;
	run(5000);
	assert_int_equal(fix.received, (int)sent);
	assert_true(fix.last_id == sent);
	assert_int_equal(msg_chan_queued(fix.a.chan), 0);
}

static void
test_queue_is_bounded_in_bytes(void **state)
{
	static char big[60000];
	struct msg_out out;
	int sent = 0;

	(void)state;
	for (;; sent++) {
		msg_begin(&out, TYPE_ANY, 1);
		msg_put_bytes(&out, big, sizeof(big));
		if (msg_send(fix.a.chan, &out) == -1)
			break;
		assert_true(sent < MSG_MAX_QUEUE);
	}
	assert_int_equal(errno, ENOBUFS);
	assert_true(msg_chan_queued(fix.a.chan) * sizeof(big) <=
	    MSG_MAX_QUEUE_BYTES);
	fix.stop_after = sent;
	run(5000);
	assert_int_equal(fix.received, sent);
}

static void
test_flush(void **state)
{
	char buf[64];
	int fds[2], i;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	msg_chan_free(fix.a.chan);
	fix.a.chan = msg_chan_new(fix.loop, fds[0], 9, 0, rules, NRULES,
	    on_closed, &fix.a);
	for (i = 0; i < 3; i++)
		assert_int_equal(msg_send_empty(fix.a.chan, TYPE_ANY, 1), 0);
	assert_int_equal(msg_chan_flush(fix.a.chan), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(read(fds[1], buf, sizeof(buf)),
		    MSG_HEADER_SIZE);
	close(fds[1]);
}

/* ---- closing ---- */

/* An empty frame that carries a descriptor: neither kept nor forgiven. */
static void
test_descriptor_without_frame(void **state)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct msghdr hdr = { .msg_control = control,
	    .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);
	int pair[2], ends[2];
	char c;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(pipe(ends), 0);
	msg_chan_free(fix.b.chan);
	fix.b.chan = msg_chan_new(fix.loop, pair[1], 1, 7, rules, NRULES,
	    on_closed, &fix.b);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &ends[1], sizeof(int));
	assert_int_equal(sendmsg(pair[0], &hdr, 0), 0);
	close(ends[1]);
	while (fix.b.closed == 0)
		run(1000);
	assert_string_not_equal(fix.b.why, "");
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(ends[0], &c, 1), 0);
	close(ends[0]);
	close(pair[0]);
}

static void
test_close_in_handler(void **state)
{
	(void)state;
	assert_int_equal(msg_send_empty(fix.a.chan, TYPE_CLOSE, 1), 0);
	assert_int_equal(msg_send_empty(fix.a.chan, TYPE_ANY, 2), 0);
	run(1000);
	assert_null(fix.b.chan);
	assert_int_equal(fix.b.closed, 0);	/* no callback for our own */
	assert_int_equal(fix.received, 0);
	if (fix.a.closed == 0)
		run(1000);
	assert_int_equal(fix.a.closed, 1);
}

static void
test_messages_before_the_end_arrive(void **state)
{
	(void)state;
	assert_int_equal(msg_chan_instance(fix.b.chan), 7);
	assert_int_equal(msg_chan_role(fix.b.chan), 1);
	assert_int_equal(msg_send_empty(fix.a.chan, TYPE_ANY, 1), 0);
	assert_int_equal(msg_send_empty(fix.a.chan, TYPE_ANY, 2), 0);
	msg_chan_free(fix.a.chan);
	fix.a.chan = NULL;
	run(1000);
	assert_int_equal(fix.received, 2);
	assert_int_equal(fix.b.closed, 1);
}

static void
test_send_to_the_dead(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	msg_chan_free(fix.a.chan);
	fix.a.chan = msg_chan_new(fix.loop, fds[0], 9, 0, rules, NRULES,
	    on_closed, &fix.a);
	close(fds[1]);
	assert_int_equal(msg_send_empty(fix.a.chan, TYPE_ANY, 1), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(fix.a.closed, 0);	/* never inside msg_send() */
	while (fix.a.closed == 0)
		run(1000);
	assert_int_equal(fix.a.closed, 1);
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_fields_round_trip),
		T(test_bad_strings),
		T(test_bad_bool_and_short_frame),
		T(test_too_large_fails_to_send),
		T(test_check),
		T(test_unknown_type_cuts_off),
		T(test_refused_cuts_off),
		T(test_unasked_descriptors_are_closed),
		T(test_descriptor_arrives),
		T(test_too_many_descriptors),
		T(test_queue_is_bounded_and_ordered),
		T(test_queue_is_bounded_in_bytes),
		T(test_flush),
		T(test_descriptor_without_frame),
		T(test_close_in_handler),
		T(test_messages_before_the_end_arrive),
		T(test_send_to_the_dead),
	};

	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
