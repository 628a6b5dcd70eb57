/* SPDX-License-Identifier: ISC */
/*
 * Generations of children: starting, replacing, draining and ending them.
 * Runs in the parent, which must never die of a child; what happens to one
 * child is in supervise_child.c.
 */
#include "supervise.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "compat.h"
#include "str.h"
#include "supervise_child.h"
#include "xmem.h"

/* timeout(1) and others send a signal to a process, then to its group. */
#define AGAIN_MS	200

static void	on_sigchld(int, void *);

struct supervise *
supervise_new(struct loop *loop, const struct msg_rule *rules, size_t nrules,
    void (*on_ready)(void *), void (*on_empty)(void *), void *arg)
{
	struct supervise *sup;

	sup = xcalloc(1, sizeof(*sup));
	sup->loop = loop;
	sup->rules = rules;
	sup->nrules = nrules;
	sup->on_ready = on_ready;
	sup->on_empty = on_empty;
	sup->arg = arg;
	sup->program_fd = -1;
	TAILQ_INIT(&sup->generations);
	sup->sigchld = loop_signal_new(loop, SIGCHLD, on_sigchld, sup);
	if (sup->sigchld == NULL)
		fatal("supervise");
	return sup;
}

/* ---- the life of a generation ---- */

/*
 * The parent's rules for its children: MSG_READY and MSG_PEER_BAD of each,
 * then its own.
 */
static void
make_rules(struct generation *gen)
{
	const struct supervise *sup = gen->sup;
	struct msg_rule *rule;
	size_t i;

	gen->nrules = 2 * gen->conf.nroles + sup->nrules;
	gen->rules = xcalloc(gen->nrules, sizeof(*gen->rules));
	rule = gen->rules;
	for (i = 0; i < gen->conf.nroles; i++, rule++) {
		rule->type = MSG_READY;
		rule->from = gen->conf.roles[i].role;
		rule->handler = child_on_ready;
		rule->name = "ready";
		rule++;
		rule->type = MSG_PEER_BAD;
		rule->from = gen->conf.roles[i].role;
		rule->min = rule->max = 2 * sizeof(uint32_t);
		rule->handler = child_on_peer_bad;
		rule->name = "peer bad";
	}
	for (i = 0; i < sup->nrules; i++, rule++) {
		*rule = sup->rules[i];
		rule->handler = child_on_other;
	}
}

static struct generation *
gen_new(struct supervise *sup, const struct supervise_conf *conf)
{
	struct generation *gen;
	struct child *child;
	size_t i;
	unsigned n;

	gen = xcalloc(1, sizeof(*gen));
	gen->sup = sup;
	gen->conf = *conf;
	gen->number = ++sup->last_number;
	gen->drain_order = -1;
	make_rules(gen);
	for (i = 0; i < conf->nroles; i++)
		gen->nchildren += conf->roles[i].count;
	gen->children = xcalloc(gen->nchildren, sizeof(*gen->children));
	child = gen->children;
	for (i = 0; i < conf->nroles; i++)
		for (n = 0; n < conf->roles[i].count; n++)
			child_init(child++, gen, &conf->roles[i], n);
	TAILQ_INSERT_TAIL(&sup->generations, gen, entry);
	return gen;
}

/* All children must have gone. */
static void
gen_free(struct generation *gen)
{
	size_t i;

	TAILQ_REMOVE(&gen->sup->generations, gen, entry);
	for (i = 0; i < gen->nchildren; i++)
		child_done(&gen->children[i]);
	free(gen->children);
	free(gen->rules);
	free(gen);
}

static void
kill_and_wait(struct generation *gen)
{
	size_t i;

	for (i = 0; i < gen->nchildren; i++)
		child_kill(&gen->children[i]);
	for (i = 0; i < gen->nchildren; i++)
		if (gen->children[i].pid != 0)
			while (waitpid(gen->children[i].pid, NULL, 0) == -1 &&
			    errno == EINTR)
				continue;
}

/*
 * All of its children at once, and then their links, so that each has its
 * siblings before it gets ready.
 */
static int
gen_launch(struct generation *gen)
{
	size_t i, j;

	for (i = 0; i < gen->nchildren; i++)
		if (child_launch(&gen->children[i]) == -1)
			return -1;
	for (i = 0; i < gen->nchildren; i++)
		for (j = 0; j < i; j++)
			child_connect(&gen->children[i], &gen->children[j]);
	for (i = 0; i < gen->nchildren; i++)
		child_configured(&gen->children[i]);
	return 0;
}

/*
 * Go on with a generation that is ending: next those of the lowest order
 * that still run; when none is left, the generation goes.
 */
static void
gen_step(struct generation *gen)
{
	struct supervise *sup = gen->sup;
	struct child *child;
	int order = INT_MAX;
	size_t i;

	for (i = 0; i < gen->nchildren; i++) {
		child = &gen->children[i];
		if (child->pid != 0 && (int)child->role->drain_order < order)
			order = (int)child->role->drain_order;
	}
	if (order != INT_MAX) {
		if (gen->state != GEN_DRAINING || order <= gen->drain_order)
			return;
		gen->drain_order = order;
		for (i = 0; i < gen->nchildren; i++)
			if ((int)gen->children[i].role->drain_order <= order)
				child_drain(&gen->children[i]);
		return;
	}
	if (gen->conf.conf_free != NULL)
		gen->conf.conf_free(gen->conf.conf_arg);
	gen_free(gen);
	if (sup->draining && TAILQ_EMPTY(&sup->generations) &&
	    sup->on_empty != NULL)
		sup->on_empty(sup->arg);
}

static void
gen_drain(struct generation *gen)
{
	gen->state = GEN_DRAINING;
	gen_step(gen);
}

static void
gen_end(struct generation *gen)
{
	size_t i;

	gen->state = GEN_ENDING;
	for (i = 0; i < gen->nchildren; i++)
		child_kill(&gen->children[i]);
	gen_step(gen);
}

/* ---- what children report ---- */

void
gen_check_ready(struct generation *gen)
{
	struct supervise *sup = gen->sup;
	struct generation *other, *next;
	size_t i;

	if (gen->state != GEN_STARTING)
		return;
	for (i = 0; i < gen->nchildren; i++)
		if (gen->children[i].state != CHILD_READY)
			return;
	gen->state = GEN_LIVE;
	for (other = TAILQ_FIRST(&sup->generations); other != gen;
	    other = next) {
		next = TAILQ_NEXT(other, entry);
		if (other->state == GEN_LIVE)
			gen_drain(other);
	}
	sup->was_ready = true;
	if (sup->on_ready != NULL)
		sup->on_ready(sup->arg);
}

void
gen_fail(struct generation *gen, const struct child *child)
{
	struct supervise *sup = gen->sup;

	if (!sup->was_ready) {
		kill_and_wait(gen);
		fatalx("%s %u does not get ready: giving up",
		    child->role->name, child->instance);
	}
	log_error("%s %u of the new configuration does not get ready: "
	    "the old one stays in force", child->role->name, child->instance);
	gen_end(gen);
}

bool
gen_wants(const struct generation *gen, const struct supervise_role *role)
{
	switch (gen->state) {
	case GEN_STARTING:
	case GEN_LIVE:
		return true;
	case GEN_DRAINING:
		return (int)role->drain_order > gen->drain_order;
	case GEN_ENDING:
		break;
	}
	return false;
}

static void
gen_reap(struct generation *gen)
{
	struct child *child;
	size_t i;
	int status;
	pid_t pid;

	for (i = 0; i < gen->nchildren; i++) {
		child = &gen->children[i];
		if (child->pid == 0)
			continue;
		do
			pid = waitpid(child->pid, &status, WNOHANG);
		while (pid == -1 && errno == EINTR);
		if (pid == child->pid)
			child_exited(child, status);
	}
	/* Only now: each of these may end or free the generation. */
	for (i = 0; i < gen->nchildren && gen->state == GEN_STARTING; i++)
		if (gen->children[i].failures >= START_TRIES) {
			gen_fail(gen, &gen->children[i]);
			return;
		}
	if (gen->state == GEN_DRAINING || gen->state == GEN_ENDING)
		gen_step(gen);
}

static void
on_sigchld(int signo, void *arg)
{
	struct supervise *sup = arg;
	struct generation *gen, *next;

	(void)signo;
	for (gen = TAILQ_FIRST(&sup->generations); gen != NULL; gen = next) {
		next = TAILQ_NEXT(gen, entry);
		gen_reap(gen);
	}
}

/* ---- what the daemon asks for ---- */

int
supervise_start(struct supervise *sup, const struct supervise_conf *conf)
{
	struct generation *gen, *other, *next;
	int saved;

	if (sup->draining) {
		errno = ESHUTDOWN;
		return -1;
	}
	if (sup->program_fd == -1 && (sup->program_fd = open(conf->program,
	    O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	gen = gen_new(sup, conf);
	if (gen_launch(gen) == -1) {
		saved = errno;
		kill_and_wait(gen);
		gen_free(gen);
		errno = saved;
		return -1;
	}
	/* An attempt that is not ready yet is overtaken by this one. */
	for (other = TAILQ_FIRST(&sup->generations); other != gen;
	    other = next) {
		next = TAILQ_NEXT(other, entry);
		if (other->state == GEN_STARTING)
			gen_end(other);
	}
	return 0;
}

void
supervise_drain(struct supervise *sup)
{
	struct generation *gen, *next;
	uint64_t now = clock_monotonic_ms();
	bool again = sup->draining;

	if (again && now - sup->drain_began_ms < AGAIN_MS)
		return;
	sup->draining = true;
	sup->drain_began_ms = now;
	if (TAILQ_EMPTY(&sup->generations) && !again && sup->on_empty != NULL)
		sup->on_empty(sup->arg);
	for (gen = TAILQ_FIRST(&sup->generations); gen != NULL; gen = next) {
		next = TAILQ_NEXT(gen, entry);
		if (again || gen->state == GEN_STARTING)
			gen_end(gen);
		else if (gen->state == GEN_LIVE)
			gen_drain(gen);
	}
}

void
supervise_each(struct supervise *sup, unsigned role,
    void (*fn)(struct msg_chan *, void *, void *), void *arg)
{
	struct generation *gen;
	struct child *child;
	size_t i;

	TAILQ_FOREACH(gen, &sup->generations, entry)
		for (i = 0; i < gen->nchildren; i++) {
			child = &gen->children[i];
			if (child->role->role == role && child->chan != NULL)
				fn(child->chan, gen->conf.conf_arg, arg);
		}
}

void
supervise_free(struct supervise *sup)
{
	struct generation *gen, *next;

	if (sup == NULL)
		return;
	for (gen = TAILQ_FIRST(&sup->generations); gen != NULL; gen = next) {
		next = TAILQ_NEXT(gen, entry);
		kill_and_wait(gen);
		if (gen->conf.conf_free != NULL)
			gen->conf.conf_free(gen->conf.conf_arg);
		gen_free(gen);
	}
	loop_signal_free(sup->sigchld);
	if (sup->program_fd != -1)
		close(sup->program_fd);
	free(sup);
}

/* Where the shell would have found argv0. */
static int
search_path(char *dst, size_t size, const char *argv0)
{
	const char *path;
	size_t len;

	if (strchr(argv0, '/') != NULL)
		return str_copy(dst, size, argv0);
	if ((path = getenv("PATH")) == NULL)
		return -1;
	for (;; path += len + 1) {
		len = strcspn(path, ":");
		if (snprintf(dst, size, "%.*s/%s", (int)len, path, argv0) <
		    (int)size && access(dst, X_OK) == 0)
			return 0;
		if (path[len] == '\0')
			return -1;
	}
}

const char *
supervise_self(const char *argv0)
{
	static char self[PATH_MAX];
	char found[PATH_MAX];

	if (compat_self_path(self, sizeof(self)) == 0)
		return self;
	if (search_path(found, sizeof(found), argv0) == -1 ||
	    realpath(found, self) == NULL)
		self[0] = '\0';
	return self;
}
