/* SPDX-License-Identifier: ISC */
/*
 * Hands checks of credentials to verifiers: each backend has a pool of them
 * and a queue, and a check goes from one backend to the next as long as its
 * user is unknown.  Who asks for a check that is already under way waits for
 * the same answer: when a cluster pulls, all of its hosts bring one password
 * at once.  A verifier that does not answer stays out of use until it answers
 * after all or is replaced: it ends itself at its deadline.  Runs in authd's
 * broker and in registryd's workers.
 */
#include "verifiers.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "listener.h"
#include "pending.h"
#include "str.h"

struct asker {
	verifiers_done_fn	*done;
	void			*arg;
	STAILQ_ENTRY(asker)	 next;
};

struct check {
	uint64_t		 id;
	char			 user[CRED_MAX_USER + 1];
	char			 peer[PEER_SIZE];
	struct secret		*password;	/* NULL: a lookup */
	STAILQ_HEAD(, asker)	 askers;	/* at least one */
	struct pool		*pool;		/* the backend asked now */
	struct slot		*slot;		/* NULL while it waits */
	STAILQ_ENTRY(check)	 waiting;
};

struct slot {
	struct msg_chan	*chan;		/* NULL: no verifier */
	struct check	*check;		/* running; NULL also when given up */
	uint64_t	 busy;		/* id that it works on, 0: free */
};

struct pool {
	unsigned		 role;
	struct slot		 slots[VERIFIERS_MAX];
	STAILQ_HEAD(, check)	 queue;
	size_t			 nqueued;
};

struct verifiers {
	struct pending		*open;
	uint32_t		 type;		/* of the questions */
	uint32_t		 lookup_type;	/* of those without password */
	struct pool		*pools;		/* in the order of asking */
	size_t			 npools;
	size_t			 max_queue;	/* of each */
	bool			 by_peer;
};

static void
check_free(struct check *check)
{
	struct asker	*asker;

	while ((asker = STAILQ_FIRST(&check->askers)) != NULL) {
		STAILQ_REMOVE_HEAD(&check->askers, next);
		free(asker);
	}
	secret_free(check->password);
	free(check);
}

static int
check_add_asker(struct check *check, verifiers_done_fn *done, void *arg)
{
	struct asker	*asker;

	if ((asker = malloc(sizeof(*asker))) == NULL)
		return -1;
	asker->done = done;
	asker->arg = arg;
	STAILQ_INSERT_TAIL(&check->askers, asker, next);
	return 0;
}

/*
 * The check is over and nowhere listed any more: tell all, and free it.  Who
 * is told may cancel nobody of this check: it cannot be found.
 */
static void
check_finish(struct check *check, enum cred_verdict verdict,
    const struct cred_answer *answer)
{
	struct asker	*asker;

	STAILQ_FOREACH(asker, &check->askers, next)
		asker->done(verdict, answer, asker->arg);
	check_free(check);
}

/* Take the check off its slot or the queue; the caller reports and frees. */
static void
detach(struct check *check)
{
	if (check->slot != NULL) {
		check->slot->check = NULL;
		check->slot = NULL;
	} else {
		STAILQ_REMOVE(&check->pool->queue, check, check, waiting);
		check->pool->nqueued--;
	}
}

static void
on_expired(void *item, void *arg)
{
	struct check	*check = item;

	(void)arg;
	detach(check);
	check_finish(check, CRED_UNAVAILABLE, NULL);
}

struct verifiers *
verifiers_new(struct loop *loop, uint32_t type, const unsigned *roles,
    size_t nroles, uint64_t timeout_ms, size_t queue)
{
	struct verifiers	*v;
	size_t			 i;

	if ((v = calloc(1, sizeof(*v))) == NULL ||
	    (v->pools = calloc(nroles, sizeof(*v->pools))) == NULL) {
		free(v);
		return NULL;
	}
	v->type = type;
	v->npools = nroles;
	for (i = 0; i < nroles; i++) {
		v->pools[i].role = roles[i];
		STAILQ_INIT(&v->pools[i].queue);
	}
	v->max_queue = queue;
	v->open = pending_new(loop, nroles * (queue + VERIFIERS_MAX),
	    timeout_ms, on_expired, v);
	if (v->open == NULL) {
		free(v->pools);
		free(v);
		return NULL;
	}
	return v;
}

void
verifiers_free(struct verifiers *v)
{
	if (v == NULL)
		return;
	pending_fail(v->open);
	pending_free(v->open);
	free(v->pools);
	free(v);
}

void
verifiers_allow_lookup(struct verifiers *v, uint32_t type)
{
	v->lookup_type = type;
}

void
verifiers_by_peer(struct verifiers *v)
{
	v->by_peer = true;
}

static bool
is_last(const struct verifiers *v, const struct pool *pool)
{
	return pool == &v->pools[v->npools - 1];
}

static int
send_check(const struct verifiers *v, struct slot *slot, struct check *check)
{
	struct msg_out	 out;

	msg_begin(&out, check->password == NULL ? v->lookup_type : v->type,
	    check->id);
	msg_put_str(&out, check->user);
	if (check->password != NULL)
		msg_put_bytes(&out, secret_data(check->password),
		    secret_len(check->password));
	msg_put_str(&out, check->peer);
	if (msg_send(slot->chan, &out) == -1)
		return -1;
	check->slot = slot;
	slot->check = check;
	slot->busy = check->id;
	return 0;
}

static struct slot *
find_free(struct pool *pool)
{
	size_t	 i;

	for (i = 0; i < VERIFIERS_MAX; i++)
		if (pool->slots[i].chan != NULL && pool->slots[i].busy == 0)
			return &pool->slots[i];
	return NULL;
}

/* Give waiting checks to verifiers that are free. */
static void
run_queue(struct verifiers *v, struct pool *pool)
{
	struct check	*check;
	struct slot	*slot;

	while ((check = STAILQ_FIRST(&pool->queue)) != NULL &&
	    (slot = find_free(pool)) != NULL) {
		/* Not sent: the channel is broken and will be replaced. */
		if (send_check(v, slot, check) == -1) {
			slot->chan = NULL;
			continue;
		}
		STAILQ_REMOVE_HEAD(&pool->queue, waiting);
		pool->nqueued--;
	}
}

static struct pool *
find_pool(struct verifiers *v, unsigned role)
{
	size_t	 i;

	for (i = 0; i < v->npools; i++)
		if (v->pools[i].role == role)
			return &v->pools[i];
	return NULL;
}

void
verifiers_set(struct verifiers *v, unsigned role,
    unsigned instance, struct msg_chan *chan)
{
	struct pool	*pool = find_pool(v, role);
	struct slot	*slot;
	struct check	*check;

	if (pool == NULL)
		return;
	slot = &pool->slots[instance];
	check = slot->check;
	slot->chan = chan;
	slot->busy = 0;
	if (check != NULL) {
		pending_take(v->open, check->id);
		on_expired(check, v);
	}
	run_queue(v, pool);
}

/* -1: no more may wait there. */
static int
enqueue(struct verifiers *v, struct pool *pool, struct check *check)
{
	if (pool->nqueued >= v->max_queue)
		return -1;
	check->pool = pool;
	STAILQ_INSERT_TAIL(&pool->queue, check, waiting);
	pool->nqueued++;
	run_queue(v, pool);
	return 0;
}

/* What is asked, and with by_peer for whom. */
struct question {
	const char		*user, *peer;
	const struct secret	*password;	/* NULL: a lookup */
};

static bool
is_same(const struct verifiers *v, const struct check *check,
    const struct question *q)
{
	if (check == NULL || strcmp(check->user, q->user) != 0 ||
	    (check->password == NULL) != (q->password == NULL) ||
	    (v->by_peer && strcmp(check->peer, q->peer) != 0))
		return false;
	return q->password == NULL || secret_equal(check->password,
	    secret_data(q->password), secret_len(q->password));
}

/* A check of this credential that waits or runs. */
static struct check *
find_same(const struct verifiers *v, struct pool *pool,
    const struct question *q)
{
	struct check	*check;
	size_t		 i;

	for (i = 0; i < VERIFIERS_MAX; i++)
		if (is_same(v, pool->slots[i].check, q))
			return pool->slots[i].check;
	STAILQ_FOREACH(check, &pool->queue, waiting)
		if (is_same(v, check, q))
			return check;
	return NULL;
}

static struct check *
find_anywhere(struct verifiers *v, const struct question *q)
{
	struct check	*check = NULL;
	size_t		 i;

	for (i = 0; i < v->npools && check == NULL; i++)
		check = find_same(v, &v->pools[i], q);
	return check;
}

bool
verifiers_asked(struct verifiers *v, const char *user,
    const struct secret *password, const char *peer)
{
	const struct question	 q = { user, peer, password };

	return find_anywhere(v, &q) != NULL;
}

static struct check *
check_new(const char *user, const struct secret *password, const char *peer)
{
	struct check	*check;

	if ((check = calloc(1, sizeof(*check))) == NULL)
		return NULL;
	STAILQ_INIT(&check->askers);
	if (password != NULL)
		check->password = secret_new(secret_data(password),
		    secret_len(password));
	if ((password != NULL && check->password == NULL) ||
	    str_copy(check->user, sizeof(check->user), user) == -1 ||
	    str_copy(check->peer, sizeof(check->peer), peer) == -1) {
		check_free(check);
		return NULL;
	}
	return check;
}

static int
start(struct verifiers *v, const char *user, const struct secret *password,
    const char *peer, verifiers_done_fn *done, void *arg)
{
	const struct question	 q = { user, peer, password };
	struct check		*check;

	if ((check = find_anywhere(v, &q)) != NULL)
		return check_add_asker(check, done, arg);
	if (v->pools[0].nqueued >= v->max_queue ||
	    (check = check_new(user, password, peer)) == NULL)
		return -1;
	if (check_add_asker(check, done, arg) == -1 ||
	    (check->id = pending_add(v->open, check)) == 0) {
		check_free(check);
		return -1;
	}
	return enqueue(v, &v->pools[0], check);
}

int
verifiers_check(struct verifiers *v, const char *user,
    const struct secret *password, const char *peer,
    verifiers_done_fn *done, void *arg)
{
	return start(v, user, password, peer, done, arg);
}

int
verifiers_look_up(struct verifiers *v, const char *user, const char *peer,
    verifiers_done_fn *done, void *arg)
{
	return start(v, user, NULL, peer, done, arg);
}

/* Take off who asks with this argument; false: not for this check. */
static bool
remove_asker(struct check *check, const void *arg)
{
	struct asker	*asker;

	if (check == NULL)
		return false;
	STAILQ_FOREACH(asker, &check->askers, next) {
		if (asker->arg != arg)
			continue;
		STAILQ_REMOVE(&check->askers, asker, asker, next);
		free(asker);
		return true;
	}
	return false;
}

/* The check that this argument asked for, without it. */
static struct check *
leave_check(struct pool *pool, const void *arg)
{
	struct check	*check;
	size_t		 i;

	STAILQ_FOREACH(check, &pool->queue, waiting)
		if (remove_asker(check, arg))
			return check;
	for (i = 0; i < VERIFIERS_MAX; i++)
		if (remove_asker(pool->slots[i].check, arg))
			return pool->slots[i].check;
	return NULL;
}

void
verifiers_cancel(struct verifiers *v, const void *arg)
{
	struct check	*check = NULL;
	size_t		 i;

	for (i = 0; i < v->npools && check == NULL; i++)
		check = leave_check(&v->pools[i], arg);
	if (check == NULL || !STAILQ_EMPTY(&check->askers))
		return;
	detach(check);
	pending_take(v->open, check->id);
	check_free(check);
}

/* A verifier has answered: the next backend is asked, or the caller told. */
static void
conclude(struct verifiers *v, struct check *check,
    enum cred_verdict verdict, const struct cred_answer *answer)
{
	detach(check);
	if (verdict == CRED_UNKNOWN && !is_last(v, check->pool)) {
		if (enqueue(v, check->pool + 1, check) == 0)
			return;
		verdict = CRED_UNAVAILABLE;
	}
	pending_take(v->open, check->id);
	check_finish(check, verdict, answer);
}

int
verifiers_on_verdict(struct verifiers *v,
    struct msg_chan *chan, struct msg *msg)
{
	struct pool		*pool = find_pool(v, msg_chan_role(chan));
	struct slot		*slot;
	struct cred_answer	 answer = { .ngroups = 0 };
	enum cred_verdict	 verdict;
	int			 error = -1;

	if (pool == NULL)
		return -1;
	slot = &pool->slots[msg_chan_instance(chan)];
	if (cred_answer_get(msg, &verdict, &answer) == -1 ||
	    slot->chan != chan || slot->busy == 0 || slot->busy != msg->id)
		goto out;
	if (verdict == CRED_OK && *answer.user == '\0')
		goto out;
	error = 0;
	answer.role = pool->role;
	slot->busy = 0;
	if (slot->check != NULL)
		conclude(v, slot->check, verdict, &answer);
	run_queue(v, pool);
out:
	cred_answer_done(&answer);
	return error;
}
