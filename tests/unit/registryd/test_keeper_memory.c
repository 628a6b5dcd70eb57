/* SPDX-License-Identifier: ISC */
/*
 * A keeper that runs out of memory: every allocation of every request fails
 * once, in turn.  The client is told, the same request works a moment later,
 * nothing that was acknowledged is missing, and the keeper goes on; at its end
 * the sanitizer looks for leaks.  The keeper is a process of its own, so that
 * only its allocations fail.
 */
#include "keeper_pair.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <openssl/evp.h>

#include "repo.h"
#include "tag.h"

#define MAX_ALLOCATIONS	400		/* of one request */
#define REPO_SIZE	32

/* Shared with the keeper: which allocation is to fail, and how many came. */
static struct counter {
	volatile unsigned fail;		/* 0: none */
	volatile unsigned n;
} *counter;
static bool is_keeper;

static bool
fails(void)
{
	if (!is_keeper || counter->fail == 0 || ++counter->n != counter->fail)
		return false;
	errno = ENOMEM;
	return true;
}

void	*__real_malloc(size_t);
void	*__real_calloc(size_t, size_t);
void	*__real_realloc(void *, size_t);
void	*__real_reallocarray(void *, size_t, size_t);
char	*__real_strdup(const char *);
void	*__wrap_malloc(size_t);
void	*__wrap_calloc(size_t, size_t);
void	*__wrap_realloc(void *, size_t);
void	*__wrap_reallocarray(void *, size_t, size_t);
char	*__wrap_strdup(const char *);
/* And where libraries allocate for us. */
struct event;
int	 __real_event_add(struct event *, const struct timeval *);
int	 __wrap_event_add(struct event *, const struct timeval *);
EVP_MD_CTX *__real_EVP_MD_CTX_new(void);
EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void);

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

int
__wrap_event_add(struct event *ev, const struct timeval *tv)
{
	return fails() ? -1 : __real_event_add(ev, tv);
}

EVP_MD_CTX *
__wrap_EVP_MD_CTX_new(void)
{
	return fails() ? NULL : __real_EVP_MD_CTX_new();
}

/* ---- the keeper's process ---- */

static void
on_alone(void *arg)
{
	loop_stop(arg);
}

static void
on_bad(const struct msg_chan *chan, void *arg)
{
	(void)chan;
	(void)arg;
	/* Whoever gets there has taken its own trouble for the worker's. */
	_exit(3);
}

struct pair {
	struct fixture	 f;
	pid_t		 keeper;
};

/* Its status is 0 when it came to its end, and without a leak. */
static void
keep(struct pair *p, int fd, enum store_durability durability)
{
	struct keeper k = { .max_manifest = 1024 * 1024, .max_uploads = 1000,
	    .on_alone = on_alone, .on_bad = on_bad };

	is_keeper = true;
	LIST_INIT(&k.workers);
	LIST_INIT(&k.orphans);
	if ((k.loop = loop_new()) == NULL)
		_exit(2);
	k.arg = k.loop;
	k.store = tmp_reopen(p->f.tmp.dir, true, durability);
	store_free(p->f.tmp.store);
	free(p);
	if (keeper_worker_add(&k, 0, fd) == -1 || loop_run(k.loop) == -1)
		_exit(2);
	keeper_worker_cut_all(&k);
	loop_free(k.loop);
	store_free(k.store);
	exit(k.manifest_bytes == 0 ? 0 : 4);
}

static int
setup_pair(void **state, enum store_durability durability)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct fixture *f = &p->f;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	counter->fail = 0;
	tmp_open(&f->tmp);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    fds), 0);
	assert_int_not_equal(p->keeper = fork(), -1);
	if (p->keeper == 0) {
		close(fds[1]);
		keep(p, fds[0], durability);
	}
	close(fds[0]);
	assert_non_null(f->loop = loop_new());
	assert_non_null(f->keepers = keepers_new(f->loop, 1, 10000, 10000));
	assert_non_null(f->guard = loop_timer_new(f->loop, on_guard, f));
	assert_non_null(f->stop = loop_timer_new(f->loop, on_stop, f->loop));
	assert_int_equal(loop_timer_start(f->guard, 110000), 0);
	assert_int_equal(keepers_set_peer(f->keepers, 0, fds[1]), 0);
	/* It has begun when it answers. */
	assert_int_equal(start(f, ID), STORE_OK);
	*state = p;
	return 0;
}

static int
setup_full(void **state)
{
	return setup_pair(state, STORE_FULL);
}

static int
setup_batched(void **state)
{
	return setup_pair(state, STORE_BATCH);
}

static int
teardown_pair(void **state)
{
	struct pair *p = *state;
	int status;

	keepers_free(p->f.keepers);
	loop_timer_free(p->f.guard);
	loop_timer_free(p->f.stop);
	loop_free(p->f.loop);
	assert_int_equal(waitpid(p->keeper, &status, 0), p->keeper);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	tmp_close(&p->f.tmp);
	free(p);
	return 0;
}

/* ---- requests, each in a repository of its own ---- */

#define BLOB		"the bytes"
#define SUBJECT		"{\"subject\":1}"

struct scene {
	struct fixture	*f;
	char		 repo[REPO_SIZE];
	char		 id[64];
};

static struct manifest_put
manifest(const struct scene *s, const char *data, const struct digest *blob)
{
	static const char *const tags[] = { "one", "two" };
	struct manifest_put m = { .repo = s->repo, .data = data,
	    .len = strlen(data), .digest = tmp_digest(data),
	    .mediatype = "application/x", .refs = blob, .nrefs = 1,
	    .has_subject = true, .subject = tmp_digest(SUBJECT),
	    .artifact_type = "application/y", .tags = tags, .ntags = 2 };

	return m;
}

static enum store_result
feed_all(struct answer *a, const char *data)
{
	assert_non_null(a->call);
	a->data = data;
	a->len = strlen(data);
	feed(a);
	return await(a);
}

static enum store_result
do_start(struct scene *s)
{
	struct answer a = { .f = s->f };

	assert_non_null(keeper_upload_start(s->f->keepers, s->repo, s->id,
	    DIGEST_SHA256, on_done, &a));
	return await(&a);
}

static enum store_result
do_append(struct scene *s)
{
	struct answer a = { .f = s->f };

	a.call = keeper_upload_append(s->f->keepers, s->repo, s->id, 0, 4,
	    on_room, on_done, &a);
	return feed_all(&a, "the ");
}

static enum store_result
do_finish(struct scene *s)
{
	struct digest d = tmp_digest(BLOB);
	struct answer a = { .f = s->f };

	a.call = keeper_upload_finish(s->f->keepers, s->repo, s->id, false, 4,
	    5, &d, on_room, on_done, &a);
	return feed_all(&a, "bytes");
}

static enum store_result
do_push(struct scene *s)
{
	struct digest d = tmp_digest(BLOB);
	struct answer a = { .f = s->f };

	a.call = keeper_upload_finish(s->f->keepers, s->repo, s->id, true, 0,
	    strlen(BLOB), &d, on_room, on_done, &a);
	return feed_all(&a, BLOB);
}

/* Hashed again, by another algorithm than the session's. */
static enum store_result
do_finish_again(struct scene *s)
{
	struct answer a = { .f = s->f };
	struct digest d;

	assert_int_equal(digest_of(&d, DIGEST_SHA512, "the ", 4), 0);
	a.call = keeper_upload_finish(s->f->keepers, s->repo, s->id, false, 4,
	    0, &d, on_room, on_done, &a);
	return feed_all(&a, "");
}

static enum store_result
do_cancel(struct scene *s)
{
	struct answer a = { .f = s->f };

	assert_non_null(keeper_upload_cancel(s->f->keepers, s->repo, s->id,
	    on_done, &a));
	return await(&a);
}

static enum store_result
do_mount(struct scene *s)
{
	struct digest d = tmp_digest(BLOB);
	struct answer a = { .f = s->f };

	assert_non_null(keeper_blob_mount(s->f->keepers, "to", s->repo, &d,
	    on_done, &a));
	return await(&a);
}

static enum store_result
do_put(struct scene *s)
{
	struct digest d = tmp_digest(BLOB);
	struct manifest_put m = manifest(s, "{}", &d);
	struct answer a = { .f = s->f };

	assert_non_null(keeper_manifest_put(s->f->keepers, &m, on_done, &a));
	return await(&a);
}

/* The answer has a list. */
static enum store_result
do_put_missing(struct scene *s)
{
	struct digest d[40] = { { .alg = DIGEST_SHA256 } };
	struct manifest_put m = manifest(s, "{\"x\":2}", d);
	struct answer a = { .f = s->f };
	char text[32];
	int i;

	for (i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "%d", i);
		d[i] = tmp_digest(text);
	}
	m.nrefs = 40;
	assert_non_null(keeper_manifest_put(s->f->keepers, &m, on_done, &a));
	if (await(&a) != STORE_MISSING)
		return a.result;
	assert_int_equal(a.nmissing, 40);
	return STORE_OK;
}

static enum store_result
lease(struct scene *s, unsigned kind, const char *text)
{
	struct digest d = tmp_digest(text);
	struct answer a = { .f = s->f };

	assert_non_null(keeper_lease(s->f->keepers, s->repo, &d, kind,
	    on_done, &a));
	return await(&a);
}

static enum store_result
do_lease_blob(struct scene *s)
{
	return lease(s, KEEPER_LEASE_BLOB, BLOB);
}

static enum store_result
do_lease_manifest(struct scene *s)
{
	return lease(s, KEEPER_LEASE_MANIFEST, "{}");
}

static enum store_result
do_delete_tag(struct scene *s)
{
	struct answer a = { .f = s->f };

	assert_non_null(keeper_tag_delete(s->f->keepers, s->repo, "one",
	    on_done, &a));
	return await(&a);
}

static enum store_result
do_delete_manifest(struct scene *s)
{
	struct digest d = tmp_digest("{}");
	struct answer a = { .f = s->f };

	assert_non_null(keeper_manifest_delete(s->f->keepers, s->repo, &d,
	    on_done, &a));
	return await(&a);
}

static enum store_result
do_delete_blob(struct scene *s)
{
	struct digest d = tmp_digest(BLOB);
	struct answer a = { .f = s->f };

	assert_non_null(keeper_blob_delete(s->f->keepers, s->repo, &d,
	    on_done, &a));
	return await(&a);
}

/* ---- what must be there then ---- */

static void
has_blob(struct scene *s)
{
	struct digest d = tmp_digest(BLOB);

	assert_int_equal(repo_stat_blob(s->f->tmp.store, s->repo, &d, NULL),
	    STORE_OK);
}

static void
has_manifest(struct scene *s)
{
	struct digest d = tmp_digest("{}"), t;

	has_blob(s);
	assert_int_equal(repo_stat_manifest(s->f->tmp.store, s->repo, &d,
	    NULL), STORE_OK);
	assert_int_equal(tag_get(s->f->tmp.store, s->repo, "two", &t),
	    STORE_OK);
	assert_true(digest_equal(&d, &t));
}

static void
has_no_tag(struct scene *s)
{
	struct digest d;

	has_manifest(s);
	assert_int_equal(tag_get(s->f->tmp.store, s->repo, "one", &d),
	    STORE_NOTFOUND);
}

static void
has_no_manifest(struct scene *s)
{
	struct digest d = tmp_digest("{}");

	assert_int_equal(repo_stat_manifest(s->f->tmp.store, s->repo, &d,
	    NULL), STORE_NOTFOUND);
	assert_int_equal(tag_get(s->f->tmp.store, s->repo, "two", &d),
	    STORE_NOTFOUND);
}

static void
has_no_blob(struct scene *s)
{
	struct digest d = tmp_digest(BLOB);

	assert_int_equal(repo_stat_blob(s->f->tmp.store, s->repo, &d, NULL),
	    STORE_NOTFOUND);
}

typedef enum store_result do_fn(struct scene *);

static const struct request {
	const char	*name;
	do_fn		*before[3];
	do_fn		*act;
	enum store_result done;		/* when it is done already */
	void		 (*check)(struct scene *);
} requests[] = {
	{ "start", { NULL }, do_start, STORE_EXISTS, NULL },
	{ "append", { do_start }, do_append, STORE_MISMATCH, NULL },
	{ "finish", { do_start, do_append }, do_finish, STORE_NOTFOUND,
	    has_blob },
	{ "finish again", { do_start, do_append }, do_finish_again,
	    STORE_NOTFOUND, NULL },
	{ "push", { NULL }, do_push, STORE_OK, has_blob },
	{ "cancel", { do_start }, do_cancel, STORE_NOTFOUND, NULL },
	{ "mount", { do_push }, do_mount, STORE_OK, has_blob },
	{ "put", { do_push }, do_put, STORE_OK, has_manifest },
	{ "put without blobs", { NULL }, do_put_missing, STORE_OK, NULL },
	{ "lease of a blob", { do_push }, do_lease_blob, STORE_OK, has_blob },
	{ "lease of a manifest", { do_push, do_put }, do_lease_manifest,
	    STORE_OK, has_manifest },
	{ "delete tag", { do_push, do_put }, do_delete_tag, STORE_NOTFOUND,
	    has_no_tag },
	{ "delete manifest", { do_push, do_put }, do_delete_manifest,
	    STORE_NOTFOUND, has_no_manifest },
	{ "delete blob", { do_push, do_put, do_delete_manifest },
	    do_delete_blob, STORE_NOTFOUND, has_no_blob }
};

/* Its n-th allocation fails; false: it has fewer. */
static bool
run_request(struct fixture *f, const struct request *q, size_t nth,
    unsigned n)
{
	struct scene s = { .f = f };
	enum store_result r, again;
	size_t i;
	bool hit;

	snprintf(s.repo, sizeof(s.repo), "r%zu-%u", nth, n);
	snprintf(s.id, sizeof(s.id), "session-%zu-%u", nth, n);
	for (i = 0; i < 3 && q->before[i] != NULL; i++)
		assert_int_equal(q->before[i](&s), STORE_OK);
	counter->n = 0;
	counter->fail = n;
	r = q->act(&s);
	counter->fail = 0;
	hit = counter->n >= n;
	if (r != STORE_OK && (!hit || r != STORE_NOMEM))
		fail_msg("%s: allocation %u: %s", q->name, n,
		    store_result_text(r));
	if (r == STORE_OK && q->check != NULL)
		q->check(&s);
	if (r != STORE_OK) {
		again = q->act(&s);
		/* What failed may have been done as far as the answer. */
		if (again != STORE_OK && again != q->done)
			fail_msg("%s: after allocation %u: %s", q->name, n,
			    store_result_text(again));
		if (q->check != NULL)
			q->check(&s);
	}
	return hit;
}

static void
test_every_allocation_fails_once(void **state)
{
	struct pair *p = *state;
	unsigned n, failed = 0;
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		for (n = 1; run_request(&p->f, &requests[i], i, n); n++)
			assert_in_range(n, 1, MAX_ALLOCATIONS);
		failed += n - 1;
	}
	/* Or nothing has been tested. */
	assert_in_range(failed, 60, 5000);
	assert_int_equal(waitpid(p->keeper, NULL, WNOHANG), 0);
}

#define FULL(f)		{ #f, f, setup_full, teardown_pair, NULL }
#define BATCH(f)	{ #f " in batch", f, setup_batched, teardown_pair, \
			    NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		FULL(test_every_allocation_fails_once),
		BATCH(test_every_allocation_fails_once)
	};

	counter = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counter == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests_name("keeper_memory", tests, NULL,
	    NULL);
}
