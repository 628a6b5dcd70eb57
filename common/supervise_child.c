/* SPDX-License-Identifier: ISC */
/*
 * One child of the supervisor: its start, its links, its death and when it
 * is started again.  Runs in the parent.
 */
#include "supervise_child.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "spawn.h"

#define STABLE_MS	10000	/* who ran so long is started again at once */
#define DELAY_MS	1000	/* else after this, doubled each time, */
#define DELAY_MAX_MS	60000	/* up to this */
#define START_DELAY_MS	100	/* while a configuration is being tried */
#define EXIT_MS		2000	/* between closing the channel and the end */

static void	child_start(struct child *);

/* ---- messages ---- */

static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	struct child *child = arg;

	msg_chan_free(chan);
	child->chan = NULL;
	if (why != NULL) {
		log_warnx("%s %u (pid %d): bad message: %s",
		    child->role->name, child->instance, (int)child->pid, why);
		child_kill(child);
	} else if (child->state != CHILD_DRAINING)
		loop_timer_start(child->timer, EXIT_MS);
}

int
child_on_ready(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct child *child = arg;

	(void)chan;
	(void)msg;
	if (child->state == CHILD_DRAINING || child->state == CHILD_KILLED)
		return 0;
	if (child->state != CHILD_STARTING)
		return -1;
	child->state = CHILD_READY;
	loop_timer_stop(child->timer);
	log_debug("%s %u (pid %d) is ready after %llu ms", child->role->name,
	    child->instance, (int)child->pid, (unsigned long long)
	    (clock_monotonic_ms() - child->started_ms));
	gen_check_ready(child->gen);
	return 0;
}

/* May "judge" say that a child of this role must go? */
static bool
is_judge(const struct supervise_conf *conf, unsigned judge, unsigned role)
{
	size_t i;

	for (i = 0; i < conf->nlinks; i++)
		if (conf->links[i].judge == judge && role != judge &&
		    (conf->links[i].a == role || conf->links[i].b == role))
			return true;
	return false;
}

/*
 * A child has cut off a sibling.  Only the more trusted side of a link may
 * say so: else a worker taken over could have its betters killed.
 */
int
child_on_peer_bad(struct msg_chan *chan, struct msg *msg, void *arg)
{
	const struct child *child = arg;
	const struct generation *gen = child->gen;
	uint32_t role = msg_get_u32(msg), instance = msg_get_u32(msg);
	struct child *bad;
	size_t i;

	(void)chan;
	if (msg_end(msg) == -1 ||
	    !is_judge(&gen->conf, child->role->role, role))
		return -1;
	for (i = 0; i < gen->nchildren; i++) {
		bad = &gen->children[i];
		if (bad->role->role != role || bad->instance != instance ||
		    bad->pid == 0)
			continue;
		log_warnx("%s %u (pid %d) is replaced: %s %u has cut it off",
		    bad->role->name, bad->instance, (int)bad->pid,
		    child->role->name, child->instance);
		child_kill(bad);
	}
	return 0;
}

/* One of the daemon's own rules: its handler gets the daemon's arg. */
int
child_on_other(struct msg_chan *chan, struct msg *msg, void *arg)
{
	const struct child *child = arg;
	const struct supervise *sup = child->gen->sup;
	size_t i;

	for (i = 0; i < sup->nrules; i++)
		if (sup->rules[i].type == msg->type &&
		    sup->rules[i].from == child->role->role)
			return sup->rules[i].handler(chan, msg, sup->arg);
	return -1;
}

/* A child that cannot take its messages is stuck, and replaced. */
static void
child_send(struct child *child, struct msg_out *out)
{
	if (child->chan == NULL) {
		msg_drop(out);
		return;
	}
	if (msg_send(child->chan, out) == -1 && errno != EPIPE) {
		log_warn("%s %u (pid %d): message %u", child->role->name,
		    child->instance, (int)child->pid, (unsigned)out->type);
		child_kill(child);
	}
}

static void
send_conf_begin(struct child *child)
{
	const struct supervise_conf *conf = &child->gen->conf;
	struct msg_out out;
	size_t i;

	msg_begin(&out, MSG_CONF_BEGIN, 0);
	msg_put_u8(&out, (uint8_t)conf->log_level);
	msg_put_u8(&out, (uint8_t)conf->log_format);
	msg_put_u32(&out, (uint32_t)conf->nlog_fields);
	for (i = 0; i < conf->nlog_fields; i++) {
		msg_put_str(&out, conf->log_fields[i].key);
		msg_put_str(&out, conf->log_fields[i].value);
	}
	child_send(child, &out);
}

/* Whether each child of role a gets a channel to each of role b. */
static bool
is_linked(const struct supervise_conf *conf, unsigned a, unsigned b)
{
	size_t i;

	for (i = 0; i < conf->nlinks; i++)
		if ((conf->links[i].a == a && conf->links[i].b == b) ||
		    (conf->links[i].a == b && conf->links[i].b == a))
			return true;
	return false;
}

static void
send_peer(struct child *to, const struct child *peer, int fd)
{
	struct msg_out out;

	msg_begin(&out, MSG_PEER, 0);
	msg_put_u32(&out, peer->role->role);
	msg_put_u32(&out, peer->instance);
	msg_put_fd(&out, fd);
	child_send(to, &out);
}

void
child_connect(struct child *a, struct child *b)
{
	int fds[2];

	if (a->chan == NULL || b->chan == NULL ||
	    a->state == CHILD_KILLED || b->state == CHILD_KILLED ||
	    !is_linked(&a->gen->conf, a->role->role, b->role->role))
		return;
	if (spawn_pair(fds) == -1) {
		/* Without its link "a" is of no use: try again later. */
		log_warn("%s %u: channel to %s %u", a->role->name,
		    a->instance, b->role->name, b->instance);
		child_kill(a);
		return;
	}
	send_peer(a, b, fds[0]);
	send_peer(b, a, fds[1]);
	close(fds[0]);
	close(fds[1]);
}

void
child_configured(struct child *child)
{
	struct msg_out out;

	msg_begin(&out, MSG_CONF_END, 0);
	child_send(child, &out);
}

/* ---- start and end ---- */

int
child_launch(struct child *child)
{
	struct generation *gen = child->gen;
	int fd;

	child->pid = spawn_child(gen->sup->program_fd, gen->conf.program,
	    child->role, child->instance, &fd);
	if (child->pid == -1) {
		child->pid = 0;
		return -1;
	}
	child->state = CHILD_STARTING;
	child->started_ms = clock_monotonic_ms();
	loop_timer_start(child->timer, gen->conf.ready_timeout_ms);
	child->chan = msg_chan_new(gen->sup->loop, fd, child->role->role,
	    child->instance, gen->rules, gen->nrules, on_closed, child);
	if (child->chan == NULL) {
		log_warn("%s %u: channel", child->role->name,
		    child->instance);
		child_kill(child);
		return 0;
	}
	log_debug("%s %u started, pid %d", child->role->name,
	    child->instance, (int)child->pid);
	send_conf_begin(child);
	if (child->chan != NULL && gen->conf.configure(child->chan,
	    child->role->role, child->instance, gen->conf.conf_arg) == -1) {
		log_warnx("%s %u: cannot send its configuration",
		    child->role->name, child->instance);
		child_kill(child);
	}
	return 0;
}

/* How long to wait before the next start of a child that has failed. */
static uint64_t
next_delay(struct child *child)
{
	uint64_t delay = DELAY_MS;
	unsigned i;

	if (child->started_ms != 0 &&
	    clock_monotonic_ms() - child->started_ms >= STABLE_MS)
		child->failures = 0;
	if (child->failures++ == 0)
		return 0;
	if (child->gen->state == GEN_STARTING)
		return START_DELAY_MS;
	for (i = 2; i < child->failures && delay < DELAY_MAX_MS; i++)
		delay *= 2;
	return delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS;
}

/* Again, after a death, beside siblings that run.  May free the child. */
static void
child_start(struct child *child)
{
	struct generation *gen = child->gen;
	uint64_t delay;
	size_t i;

	if (child_launch(child) == -1) {
		child->started_ms = 0;
		delay = next_delay(child);
		log_warn("%s %u: start failed, next try in %llu ms",
		    child->role->name, child->instance,
		    (unsigned long long)delay);
		loop_timer_start(child->timer, delay);
		if (gen->state == GEN_STARTING &&
		    child->failures >= START_TRIES)
			gen_fail(gen, child);
		return;
	}
	for (i = 0; i < gen->nchildren; i++)
		if (&gen->children[i] != child)
			child_connect(child, &gen->children[i]);
	child_configured(child);
}

static void
on_timer(void *arg)
{
	struct child *child = arg;

	switch (child->state) {
	case CHILD_DOWN:
		child_start(child);
		return;
	case CHILD_STARTING:
		log_warnx("%s %u (pid %d) did not get ready in time",
		    child->role->name, child->instance, (int)child->pid);
		break;
	case CHILD_DRAINING:
		log_warnx("%s %u (pid %d) did not finish in time",
		    child->role->name, child->instance, (int)child->pid);
		break;
	case CHILD_READY:
		log_warnx("%s %u (pid %d) has closed its channel",
		    child->role->name, child->instance, (int)child->pid);
		break;
	case CHILD_KILLED:
		return;
	}
	child_kill(child);
}

void
child_init(struct child *child, struct generation *gen,
    const struct supervise_role *role, unsigned instance)
{
	child->gen = gen;
	child->role = role;
	child->instance = instance;
	child->timer = loop_timer_new(gen->sup->loop, on_timer, child);
	if (child->timer == NULL)
		fatal("supervise");
}

void
child_done(struct child *child)
{
	loop_timer_free(child->timer);
	msg_chan_free(child->chan);
}

void
child_drain(struct child *child)
{
	if (child->state == CHILD_DOWN) {
		loop_timer_stop(child->timer);
		return;
	}
	if (child->state == CHILD_KILLED || child->state == CHILD_DRAINING)
		return;
	child->state = CHILD_DRAINING;
	loop_timer_start(child->timer, child->gen->conf.drain_timeout_ms);
	if (child->chan != NULL)
		msg_send_empty(child->chan, MSG_DRAIN, 0);
}

void
child_kill(struct child *child)
{
	loop_timer_stop(child->timer);
	if (child->pid == 0 || child->state == CHILD_KILLED)
		return;
	child->state = CHILD_KILLED;
	kill(child->pid, SIGKILL);
}

static void
describe_exit(char *dst, size_t size, int status)
{
	if (WIFSIGNALED(status))
		snprintf(dst, size, "was ended by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(dst, size, "exited with status %d",
		    WEXITSTATUS(status));
}

void
child_exited(struct child *child, int status)
{
	char how[96];
	pid_t pid = child->pid;
	bool asked;
	uint64_t delay;

	describe_exit(how, sizeof(how), status);
	child->pid = 0;			/* the number may be another's now */
	if (child->chan != NULL)
		msg_chan_drain(child->chan);
	asked = child->state == CHILD_DRAINING && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0;
	loop_timer_stop(child->timer);
	msg_chan_free(child->chan);
	child->chan = NULL;
	child->state = CHILD_DOWN;
	if (!gen_wants(child->gen, child->role)) {
		if (asked)
			log_debug("%s %u (pid %d) has finished",
			    child->role->name, child->instance, (int)pid);
		else
			log_warnx("%s %u (pid %d) %s", child->role->name,
			    child->instance, (int)pid, how);
		return;
	}
	if (child->gen->state == GEN_STARTING && WIFEXITED(status) &&
	    WEXITSTATUS(status) == PROC_EXIT_CONF) {
		child->failures = START_TRIES;
		return;
	}
	delay = next_delay(child);
	log_warnx("%s %u (pid %d) %s; restart in %llu ms", child->role->name,
	    child->instance, (int)pid, how, (unsigned long long)delay);
	loop_timer_start(child->timer, delay);
	if (child->gen->conf.on_restart != NULL)
		child->gen->conf.on_restart(child->role->role, status,
		    child->gen->conf.conf_arg);
}
