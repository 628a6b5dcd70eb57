/* SPDX-License-Identifier: ISC */
/*
 * Hands checks of credentials to verifiers.  Who asks for a check that is
 * already under way waits for the same answer: when a cluster pulls, all of
 * its hosts bring one password at once.  A verifier that does not answer
 * stays out of use until it answers after all or is replaced: it ends itself
 * at its deadline.  Runs in the broker.
 */
#include "broker_verifiers.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "listener.h"
#include "messages.h"
#include "pending.h"
#include "str.h"

#define MAX_GROUPS	1024		/* of one user */

struct asker {
	broker_verdict_fn	*done;
	void			*arg;
	STAILQ_ENTRY(asker)	 next;
};

struct check {
	uint64_t		 id;
	char			 user[MAX_USER + 1];
	char			 peer[PEER_SIZE];
	struct secret		*password;
	STAILQ_HEAD(, asker)	 askers;	/* at least one */
	struct slot		*slot;		/* NULL while it waits */
	STAILQ_ENTRY(check)	 waiting;
};

struct slot {
	struct msg_chan	*chan;		/* NULL: no verifier */
	struct check	*check;		/* running; NULL also when given up */
	uint64_t	 busy;		/* id that it works on, 0: free */
};

struct broker_verifiers {
	struct pending		*open;
	struct slot		 slots[BROKER_MAX_VERIFIERS];
	STAILQ_HEAD(, check)	 queue;
	size_t			 nqueued, max_queue;
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
check_add_asker(struct check *check, broker_verdict_fn *done, void *arg)
{
	struct asker	*asker;

	if ((asker = malloc(sizeof(*asker))) == NULL)
		return -1;
	asker->done = done;
	asker->arg = arg;
	STAILQ_INSERT_TAIL(&check->askers, asker, next);
	return 0;
}

/* The check is over and nowhere listed any more: tell all, and free it. */
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
detach(struct broker_verifiers *v, struct check *check)
{
	if (check->slot != NULL) {
		check->slot->check = NULL;
		check->slot = NULL;
	} else {
		STAILQ_REMOVE(&v->queue, check, check, waiting);
		v->nqueued--;
	}
}

static void
on_expired(void *item, void *arg)
{
	struct check	*check = item;

	detach(arg, check);
	check_finish(check, CRED_UNAVAILABLE, NULL);
}

struct broker_verifiers *
broker_verifiers_new(struct loop *loop, uint64_t timeout_ms, size_t queue)
{
	struct broker_verifiers	*v;

	if ((v = calloc(1, sizeof(*v))) == NULL)
		return NULL;
	STAILQ_INIT(&v->queue);
	v->max_queue = queue;
	v->open = pending_new(loop, queue + BROKER_MAX_VERIFIERS, timeout_ms,
	    on_expired, v);
	if (v->open == NULL) {
		free(v);
		return NULL;
	}
	return v;
}

void
broker_verifiers_free(struct broker_verifiers *v)
{
	if (v == NULL)
		return;
	pending_fail(v->open);
	pending_free(v->open);
	free(v);
}

static int
send_check(struct slot *slot, struct check *check)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_VERIFY, check->id);
	msg_put_str(&out, check->user);
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
find_free(struct broker_verifiers *v)
{
	size_t	 i;

	for (i = 0; i < BROKER_MAX_VERIFIERS; i++)
		if (v->slots[i].chan != NULL && v->slots[i].busy == 0)
			return &v->slots[i];
	return NULL;
}

/* Give waiting checks to verifiers that are free. */
static void
run_queue(struct broker_verifiers *v)
{
	struct check	*check;
	struct slot	*slot;

	while ((check = STAILQ_FIRST(&v->queue)) != NULL &&
	    (slot = find_free(v)) != NULL) {
		/* Not sent: the channel is broken and will be replaced. */
		if (send_check(slot, check) == -1) {
			slot->chan = NULL;
			continue;
		}
		STAILQ_REMOVE_HEAD(&v->queue, waiting);
		v->nqueued--;
	}
}

void
broker_verifiers_set(struct broker_verifiers *v, unsigned instance,
    struct msg_chan *chan)
{
	struct slot	*slot = &v->slots[instance];
	struct check	*check = slot->check;

	slot->chan = chan;
	slot->busy = 0;
	if (check != NULL) {
		pending_take(v->open, check->id);
		on_expired(check, v);
	}
	run_queue(v);
}

static bool
is_same(const struct check *check, const char *user,
    const struct secret *password)
{
	return check != NULL && strcmp(check->user, user) == 0 &&
	    secret_equal(check->password, secret_data(password),
	    secret_len(password));
}

/* A check of this credential that waits or runs. */
static struct check *
find_same(struct broker_verifiers *v, const char *user,
    const struct secret *password)
{
	struct check	*check;
	size_t		 i;

	for (i = 0; i < BROKER_MAX_VERIFIERS; i++)
		if (is_same(v->slots[i].check, user, password))
			return v->slots[i].check;
	STAILQ_FOREACH(check, &v->queue, waiting)
		if (is_same(check, user, password))
			return check;
	return NULL;
}

static struct check *
check_new(const char *user, const struct secret *password, const char *peer)
{
	struct check	*check;

	if ((check = calloc(1, sizeof(*check))) == NULL)
		return NULL;
	STAILQ_INIT(&check->askers);
	check->password = secret_new(secret_data(password),
	    secret_len(password));
	if (check->password == NULL ||
	    str_copy(check->user, sizeof(check->user), user) == -1 ||
	    str_copy(check->peer, sizeof(check->peer), peer) == -1) {
		check_free(check);
		return NULL;
	}
	return check;
}

int
broker_verifiers_check(struct broker_verifiers *v, const char *user,
    const struct secret *password, const char *peer,
    broker_verdict_fn *done, void *arg)
{
	struct check	*check;

	if ((check = find_same(v, user, password)) != NULL)
		return check_add_asker(check, done, arg);
	if (v->nqueued >= v->max_queue ||
	    (check = check_new(user, password, peer)) == NULL)
		return -1;
	if (check_add_asker(check, done, arg) == -1 ||
	    (check->id = pending_add(v->open, check)) == 0) {
		check_free(check);
		return -1;
	}
	STAILQ_INSERT_TAIL(&v->queue, check, waiting);
	v->nqueued++;
	run_queue(v);
	return 0;
}

static int
read_answer(struct msg *msg, struct cred_answer *answer)
{
	uint32_t	 n;

	msg_get_str(msg, answer->user, sizeof(answer->user));
	n = msg_get_u32(msg);
	if (msg->bad || n > MAX_GROUPS)
		return -1;
	if (n > 0 && (answer->groups = calloc(n, sizeof(char *))) == NULL)
		return -1;
	while (answer->ngroups < n) {
		answer->groups[answer->ngroups] = msg_get_strdup(msg,
		    MAX_USER);
		if (answer->groups[answer->ngroups] == NULL)
			return -1;
		answer->ngroups++;
	}
	return msg_end(msg);
}

int
broker_verifiers_on_verdict(struct broker_verifiers *v,
    struct msg_chan *chan, struct msg *msg)
{
	struct slot		*slot = &v->slots[msg_chan_instance(chan)];
	struct cred_answer	 answer = { .ngroups = 0 };
	struct check		*check = slot->check;
	uint8_t			 verdict;
	int			 error = -1;

	verdict = msg_get_u8(msg);
	if (verdict > CRED_UNAVAILABLE || read_answer(msg, &answer) == -1 ||
	    slot->chan != chan || slot->busy == 0 || slot->busy != msg->id)
		goto out;
	if (verdict == CRED_OK && *answer.user == '\0')
		goto out;
	error = 0;
	slot->busy = 0;
	if (check != NULL) {
		pending_take(v->open, check->id);
		detach(v, check);
		check_finish(check, (enum cred_verdict)verdict,
		    verdict == CRED_OK ? &answer : NULL);
	}
	run_queue(v);
out:
	cred_answer_done(&answer);
	return error;
}
