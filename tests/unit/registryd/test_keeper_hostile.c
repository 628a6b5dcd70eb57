/* SPDX-License-Identifier: ISC */
/*
 * keeper against a worker that has been taken over: every lie cuts it off,
 * and the others go on.
 */
#include "keeper_pair.h"

static int
raw_connect(struct fixture *f)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(keeper_worker_add(&f->keeper, 7, fds[0]), 0);
	return fds[1];
}

/* Was the channel cut?  True also when an answer came before. */
static bool
raw_is_cut(struct fixture *f, int fd)
{
	char buf[1024];
	ssize_t n;

	spin(f, 20);
	do
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

static int
no_messages(struct msg_chan *chan, struct msg *m, void *arg)
{
	(void)chan;
	(void)m;
	(void)arg;
	return 0;
}

static void
raw_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)chan;
	(void)why;
	*(bool *)arg = true;
}

enum lie {
	LIE_REPO, LIE_ID, LIE_DIGEST, LIE_NO_PIPE, LIE_FILE, LIE_WRITE_END,
	LIE_SAME_ID, LIE_SHORT_TOTAL, LIE_LONG_TOTAL, LIE_MORE_THAN_PROMISED,
	LIE_END_TWICE, LIE_TAG, LIE_REFS, LIE_REF_BYTES, LIE_MEDIATYPE,
	LIE_LEFTOVER, LIE_MANIFEST_SHORT, LIE_LEASE, NLIES
};

static void
put_append(struct msg_out *m, uint64_t id, const char *repo, const char *uid,
    uint64_t length, int fd)
{
	msg_begin(m, KEEPER_UPLOAD_APPEND, id);
	msg_put_str(m, repo);
	msg_put_str(m, uid);
	msg_put_u64(m, KEEPER_ANY);
	msg_put_u64(m, length);
	if (fd != -1)
		msg_put_fd(m, fd);
}

static void
put_manifest_msg(struct msg_out *m, const char *type, const char *tag,
    uint32_t nrefs, uint64_t length, int fd)
{
	struct digest d = tmp_digest("{}");
	char text[DIGEST_STR_SIZE];

	msg_begin(m, KEEPER_MANIFEST_PUT, 1);
	msg_put_str(m, "a");
	msg_put_str(m, digest_format(text, &d));
	msg_put_str(m, type);
	msg_put_str(m, "");
	msg_put_str(m, "");
	msg_put_u32(m, 1);
	msg_put_str(m, tag);
	msg_put_u32(m, nrefs);
	msg_put_u32(m, 0);
	msg_put_u64(m, length);
	msg_put_fd(m, fd);
}

static void
send_end(struct msg_chan *chan, uint64_t total)
{
	struct msg_out m;

	msg_begin(&m, KEEPER_BODY_END, 1);
	msg_put_u64(&m, total);
	assert_int_equal(msg_send(chan, &m), 0);
}

/* The request, which may be a lie by itself. */
static void
put_request(struct msg_out *m, enum lie lie, const int fds[2])
{
	char text[DIGEST_STR_SIZE];
	struct digest d;
	int fd;

	switch (lie) {
	case LIE_REPO:
		put_append(m, 1, "../a", ID, KEEPER_ANY, fds[0]);
		break;
	case LIE_ID:
		put_append(m, 1, "a", "../x", KEEPER_ANY, fds[0]);
		break;
	case LIE_NO_PIPE:
		put_append(m, 1, "a", ID, KEEPER_ANY, -1);
		break;
	case LIE_FILE:
		fd = open("/etc/passwd", O_RDONLY);
		put_append(m, 1, "a", ID, KEEPER_ANY, fd);
		close(fd);
		break;
	case LIE_WRITE_END:
		put_append(m, 1, "a", ID, KEEPER_ANY, fds[1]);
		break;
	case LIE_LEFTOVER:
		put_append(m, 1, "a", ID, KEEPER_ANY, fds[0]);
		msg_put_u8(m, 0);
		break;
	case LIE_MORE_THAN_PROMISED:
		put_append(m, 1, "a", ID, 2, fds[0]);
		break;
	case LIE_DIGEST:
		msg_begin(m, KEEPER_BLOB_DELETE, 1);
		msg_put_str(m, "a");
		msg_put_str(m, "sha256:..");
		break;
	case LIE_LEASE:
		d = tmp_digest("x");
		msg_begin(m, KEEPER_LEASE, 1);
		msg_put_str(m, "a");
		msg_put_str(m, digest_format(text, &d));
		msg_put_u8(m, KEEPER_LEASE_MANIFEST + 1);
		break;
	case LIE_TAG:
		put_manifest_msg(m, "", "..", 0, 2, fds[0]);
		break;
	case LIE_REFS:
		put_manifest_msg(m, "", "t", KEEPER_MAX_REFS + 1, 2, fds[0]);
		break;
	case LIE_MEDIATYPE:
		put_manifest_msg(m, "a\nb", "t", 0, 2, fds[0]);
		break;
	case LIE_REF_BYTES:
		put_manifest_msg(m, "", "t", 1, 2, fds[0]);
		break;
	case LIE_MANIFEST_SHORT:
		put_manifest_msg(m, "", "t", 0, 9, fds[0]);
		break;
	default:
		put_append(m, 1, "a", ID, KEEPER_ANY, fds[0]);
		break;
	}
}

static void
tell_lie(struct fixture *f, struct msg_chan *chan, enum lie lie, int fds[2])
{
	char ref[DIGEST_WIRE_SIZE] = { 9 };
	struct msg_out m;

	put_request(&m, lie, fds);
	if (msg_send(chan, &m) == -1)
		return;
	assert_int_equal(write(fds[1], "xyz", 3), 3);
	if (lie == LIE_LONG_TOTAL) {
		close(fds[1]);
		fds[1] = -1;
	}
	spin(f, 10);
	switch (lie) {
	case LIE_SAME_ID:
		put_append(&m, 1, "a", "other", KEEPER_ANY, fds[0]);
		(void)msg_send(chan, &m);
		break;
	case LIE_SHORT_TOTAL:
		send_end(chan, 2);
		break;
	case LIE_LONG_TOTAL:
		send_end(chan, 4);
		break;
	case LIE_END_TWICE:
		send_end(chan, 4);
		send_end(chan, 4);
		break;
	case LIE_REF_BYTES:
		assert_int_equal(write(fds[1], ref, sizeof(ref) - 1),
		    sizeof(ref) - 1);
		send_end(chan, sizeof(ref) + 2);
		break;
	case LIE_MANIFEST_SHORT:
		send_end(chan, 3);
		break;
	default:
		break;
	}
}

static void
test_keeper_cuts_off_a_lying_worker(void **state)
{
	static const struct msg_rule rules[] = {
		{ KEEPER_REPLY, ROLE_KEEPER, 0, MSG_MAX_SIZE, 0, no_messages,
		    "reply" }
	};
	struct fixture *f = *state;
	struct msg_chan *chan;
	int lie, i, fds[2];
	bool cut;

	for (lie = 0; lie < NLIES; lie++) {
		if (start(f, ID) != STORE_EXISTS)
			assert_true(tmp_exists(&f->tmp, SESSION));
		assert_int_equal(pipe(fds), 0);
		cut = false;
		chan = msg_chan_new(f->loop, raw_connect(f), ROLE_KEEPER, 0,
		    rules, 1, raw_closed, &cut);
		assert_non_null(chan);
		tell_lie(f, chan, (enum lie)lie, fds);
		for (i = 0; i < 200 && !cut; i++)
			spin(f, 10);
		if (!cut)
			fail_msg("lie %d was believed", lie);
		msg_chan_free(chan);
		close(fds[0]);
		if (fds[1] != -1)
			close(fds[1]);
		/* The others go on. */
		assert_int_equal(f->keeper.nworkers, 1);
	}
	assert_int_equal(start(f, "last"), STORE_OK);
	assert_int_equal(tmp_count(&f->tmp, "docker/registry/v2/blobs"), -1);
}

/*
 * The other end of the pipe shares its flags, and says that reading waits;
 * there is nothing to read.  A keeper that waits is killed by the alarm.
 */
static void
test_keeper_does_not_wait_for_a_worker(void **state)
{
	static const struct msg_rule rules[] = {
		{ KEEPER_REPLY, ROLE_KEEPER, 0, MSG_MAX_SIZE, 0, no_messages,
		    "reply" }
	};
	struct fixture *f = *state;
	struct msg_chan *chan;
	struct msg_out m;
	bool cut = false;
	int fds[2];

	assert_int_equal(start(f, ID), STORE_OK);
	assert_int_equal(pipe(fds), 0);
	chan = msg_chan_new(f->loop, raw_connect(f), ROLE_KEEPER, 0, rules, 1,
	    raw_closed, &cut);
	assert_non_null(chan);
	put_append(&m, 1, "a", ID, KEEPER_ANY, fds[0]);
	assert_int_equal(msg_send(chan, &m), 0);
	await_bodies(f, 1);
	assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
	alarm(10);
	assert_int_equal(write(fds[1], "xyz", 3), 3);
	spin(f, 20);
	msg_begin(&m, KEEPER_BODY_ABORT, 1);
	assert_int_equal(msg_send(chan, &m), 0);
	await_bodies(f, 0);
	alarm(0);
	assert_false(cut);
	assert_string_equal(tmp_read(&f->tmp, SESSION "/data"), "xyz");
	msg_chan_free(chan);
	close(fds[0]);
	close(fds[1]);
}

static void
test_keeper_cuts_off_noise(void **state)
{
	struct fixture *f = *state;
	char noise[64];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 37);
	for (i = 0; i < sizeof(noise); i += 7) {
		fd = raw_connect(f);
		assert_int_equal(send(fd, noise + i, sizeof(noise) - i, 0),
		    sizeof(noise) - i);
		assert_true(raw_is_cut(f, fd));
		close(fd);
	}
	assert_int_equal(start(f, ID), STORE_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_keeper_cuts_off_a_lying_worker),
		TEST(test_keeper_does_not_wait_for_a_worker),
		TEST(test_keeper_cuts_off_noise)
	};

	return cmocka_run_group_tests_name("keeper_hostile", tests, NULL,
	    NULL);
}
