/* SPDX-License-Identifier: ISC */
/*
 * For tests of the keeper: a keeper and a worker's client of it, connected
 * by a real channel, in one loop.
 */
#ifndef KEEPER_PAIR_H
#define KEEPER_PAIR_H

#include "store_tmp.h"

#include <sys/socket.h>

#include <signal.h>

#include "keeper_client.h"
#include "keeper_worker.h"
#include "messages.h"

#define ID	"0f9a1f4e-0000-4000-8000-000000000001"
#define SESSION	"docker/registry/v2/repositories/a/_uploads/" ID

struct fixture {
	struct tmp_store tmp;
	struct loop	*loop;
	struct keeper	 keeper;
	struct keepers	*keepers;
	struct loop_timer *guard;
	struct loop_timer *stop;
};

/* What came back from one call. */
struct answer {
	struct fixture	*f;
	int		 times;
	enum store_result result;
	uint64_t	 offset;
	struct digest	 missing[KEEPER_MAX_MISSING];
	size_t		 nmissing;
	/* a body being fed */
	struct keeper_call *call;
	const char	*data;
	size_t		 len;
	int		 waits;
};

static inline void
on_guard(void *arg)
{
	(void)arg;
	fail_msg("no answer in time");
}

static inline void
on_stop(void *arg)
{
	loop_stop(arg);
}

static inline void
connect_worker(struct fixture *f)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(keeper_worker_add(&f->keeper, 0, fds[0]), 0);
	assert_int_equal(keepers_set_peer(f->keepers, 0, fds[1]), 0);
}

/* One that groups what it makes durable, or not. */
static inline int
setup_with(void **state, enum store_durability durability)
{
	struct fixture *f = calloc(1, sizeof(*f));

	signal(SIGPIPE, SIG_IGN);
	tmp_open(&f->tmp);
	store_free(f->tmp.store);
	f->tmp.store = tmp_reopen(f->tmp.dir, true, durability);
	assert_non_null(f->loop = loop_new());
	f->keeper.loop = f->loop;
	f->keeper.store = f->tmp.store;
	f->keeper.max_manifest = 1024 * 1024;
	LIST_INIT(&f->keeper.workers);
	assert_non_null(f->keepers = keepers_new(f->loop, 1, 10000, 10000));
	assert_non_null(f->guard = loop_timer_new(f->loop, on_guard, f));
	assert_non_null(f->stop = loop_timer_new(f->loop, on_stop, f->loop));
	assert_int_equal(loop_timer_start(f->guard, 60000), 0);
	connect_worker(f);
	*state = f;
	return 0;
}

static inline int
setup(void **state)
{
	return setup_with(state, STORE_FULL);
}

static inline int
setup_batch(void **state)
{
	return setup_with(state, STORE_BATCH);
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	keepers_free(f->keepers);
	keeper_worker_cut_all(&f->keeper);
	assert_int_equal(f->keeper.manifest_bytes, 0);
	loop_timer_free(f->guard);
	loop_timer_free(f->stop);
	loop_free(f->loop);
	tmp_close(&f->tmp);
	free(f);
	return 0;
}

static inline void
on_done(const struct keeper_reply *reply, void *arg)
{
	struct answer *a = arg;

	a->times++;
	a->result = reply->result;
	a->offset = reply->offset;
	a->nmissing = reply->nmissing;
	if (reply->nmissing > 0)
		memcpy(a->missing, reply->missing,
		    reply->nmissing * sizeof(*a->missing));
	loop_stop(a->f->loop);
}

/* Let the loop run for a while, whatever happens. */
static inline void
spin(struct fixture *f, uint64_t ms)
{
	assert_int_equal(loop_timer_start(f->stop, ms), 0);
	assert_int_equal(loop_run(f->loop), 0);
}

/* Until the keeper has taken up, or given up, all but so many bodies. */
static inline void
await_bodies(struct fixture *f, size_t n)
{
	do
		spin(f, 5);
	while (LIST_FIRST(&f->keeper.workers)->nbodies != n);
}

static inline enum store_result
await(struct answer *a)
{
	while (a->times == 0)
		assert_int_equal(loop_run(a->f->loop), 0);
	assert_int_equal(a->times, 1);
	return a->result;
}

static inline void
feed(struct answer *a)
{
	ssize_t n;

	while (a->len > 0) {
		n = keeper_call_write(a->call, a->data, a->len);
		if (n == -1)
			return;
		a->data += n;
		a->len -= (size_t)n;
		if (n == 0 || a->len > 0) {
			a->waits++;
			return;
		}
	}
	keeper_call_end(a->call);
}

static inline void
on_room(void *arg)
{
	feed(arg);
}

static inline enum store_result
start(struct fixture *f, const char *id)
{
	struct answer a = { .f = f };

	assert_non_null(keeper_upload_start(f->keepers, "a", id,
	    DIGEST_SHA256, on_done, &a));
	return await(&a);
}

/* A request with a body from here; the answer is in *a. */
static inline enum store_result
append(struct answer *a, uint64_t offset, uint64_t length, const void *data,
    size_t len)
{
	a->data = data;
	a->len = len;
	a->call = keeper_upload_append(a->f->keepers, "a", ID, offset, length,
	    on_room, on_done, a);
	assert_non_null(a->call);
	feed(a);
	return await(a);
}

static inline enum store_result
finish(struct answer *a, bool create, uint64_t offset, uint64_t length,
    const struct digest *d, const void *data, size_t len)
{
	a->data = data;
	a->len = len;
	a->call = keeper_upload_finish(a->f->keepers, "a", ID, create, offset,
	    length, d, on_room, on_done, a);
	assert_non_null(a->call);
	feed(a);
	return await(a);
}

#endif
