/* SPDX-License-Identifier: ISC */
/*
 * The children of test_supervise.c: the same program, executed again.  Each
 * reports to the parent what it found and what happens to it, and misbehaves
 * as its configuration says.
 */
#ifndef SUPERVISE_CHILDREN_H
#define SUPERVISE_CHILDREN_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "privdrop.h"
#include "supervise.h"

enum { ROLE_FRONT = 1, ROLE_BACK = 2 };
enum {
	TYPE_MODE = MSG_FIRST,	/* parent -> child: mode str */
	TYPE_STARTED,		/* child -> parent: pid u32, what str */
	TYPE_LINKED,		/* front -> parent: pid u32, peer u32 */
	TYPE_DRAINED,		/* child -> parent: pid u32 */
	TYPE_HELLO		/* front -> back -> front: - */
};

struct child_state {
	struct loop	*loop;
	struct msg_chan	*parent, *peer;
	char		 mode[16], role[32];
	unsigned	 peer_instance;
};

static struct child_state me;

static void
child_report(uint32_t type, const char *str)
{
	struct msg_out out;

	msg_begin(&out, type, 0);
	msg_put_u32(&out, (uint32_t)getpid());
	if (type == TYPE_STARTED)
		msg_put_str(&out, str);
	if (type == TYPE_LINKED)
		msg_put_u32(&out, me.peer_instance);
	if (msg_send(me.parent, &out) == -1)
		_exit(50);
}

static int
child_on_hello(struct msg_chan *chan, struct msg *msg, void *arg)
{
	static bool judged;

	(void)msg;
	(void)arg;
	if (strcmp(me.role, "front") == 0) {
		child_report(TYPE_LINKED, NULL);
		if (strcmp(me.mode, "accuse") == 0)
			proc_report_peer(me.parent, chan);
		return 0;
	}
	msg_send_empty(chan, TYPE_HELLO, 0);
	if (strcmp(me.mode, "judge") == 0 && !judged) {
		judged = true;
		proc_report_peer(me.parent, chan);
	}
	return 0;
}

static const struct msg_rule peer_rules[] = {
	{ TYPE_HELLO, ROLE_FRONT, 0, 0, 0, child_on_hello, "hello" },
	{ TYPE_HELLO, ROLE_BACK, 0, 0, 0, child_on_hello, "hello" },
};

static void
child_on_peer_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)why;
	(void)arg;
	msg_chan_free(chan);
	if (chan == me.peer)
		me.peer = NULL;
}

static int
child_on_peer(struct msg_chan *chan, struct msg *msg, void *arg)
{
	unsigned role, instance;
	int fd;

	(void)chan;
	(void)arg;
	role = msg_get_u32(msg);
	instance = msg_get_u32(msg);
	fd = msg_get_fd(msg);
	me.peer_instance = instance;
	me.peer = msg_chan_new(me.loop, fd, role, instance, peer_rules, 2,
	    child_on_peer_closed, NULL);
	if (strcmp(me.role, "front") == 0)
		msg_send_empty(me.peer, TYPE_HELLO, 0);
	return msg_end(msg);
}

static int
child_on_mode(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	(void)arg;
	msg_get_str(msg, me.mode, sizeof(me.mode));
	return msg_end(msg);
}

/* "uid=1,fds=15,env=0": what the child was given. */
static void
child_describe(char *dst, size_t size)
{
	extern char **environ;
	unsigned fds = 0;
	int fd, nenv = 0;

	/* Those above 3 that are open here are the loop's own. */
	for (fd = 0; fd < 4; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			fds |= 1u << fd;
	while (environ[nenv] != NULL)
		nenv++;
	snprintf(dst, size, "uid=%u,fds=%u,env=%d,secret=%s",
	    (unsigned)getuid(), fds, nenv,
	    getenv("SUPERVISE_SECRET") == NULL ? "no" : "yes");
}

static int
child_on_conf_end(struct msg_chan *chan, struct msg *msg, void *arg)
{
	char what[128];

	(void)msg;
	(void)arg;
	if (strcmp(me.mode, "crash") == 0 && strcmp(me.role, "back") == 0)
		_exit(3);
	if (strcmp(me.mode, "silent") == 0)
		return 0;
	child_describe(what, sizeof(what));
	child_report(TYPE_STARTED, what);
	msg_send_empty(chan, MSG_READY, 0);
	if (strcmp(me.mode, "bad") == 0)
		msg_send_empty(chan, 4711, 0);
	return 0;
}

static int
child_on_drain(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	child_report(TYPE_DRAINED, NULL);
	msg_chan_flush(chan);
	if (strcmp(me.mode, "deaf") != 0)
		loop_stop(me.loop);
	return 0;
}

static const struct msg_rule child_rules[] = {
	{ MSG_CONF_BEGIN, ROLE_PARENT, 6, 1000, 0, proc_on_conf_begin,
	    "conf begin" },
	{ TYPE_MODE, ROLE_PARENT, 4, 100, 0, child_on_mode, "mode" },
	{ MSG_PEER, ROLE_PARENT, 8, 8, 1, child_on_peer, "peer" },
	{ MSG_CONF_END, ROLE_PARENT, 0, 0, 0, child_on_conf_end, "conf end" },
	{ MSG_DRAIN, ROLE_PARENT, 0, 0, 0, child_on_drain, "drain" },
};

/* More than 0 to 3 at this point was inherited. */
static void
child_check_fds(void)
{
	int fd;

	for (fd = 4; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			_exit(51);
}

static int
child_main(const struct proc_args *args)
{
	child_check_fds();
	log_init("test");
	log_procinit(args->role);
	proc_child_start(args);
	privdrop(args);
	snprintf(me.role, sizeof(me.role), "%s", args->role);
	if ((me.loop = loop_new()) == NULL)
		fatal("loop");
	me.parent = proc_parent_chan(me.loop, child_rules,
	    sizeof(child_rules) / sizeof(child_rules[0]), NULL);
	if (loop_run(me.loop) == -1)
		fatal("loop");
	msg_chan_free(me.parent);
	msg_chan_free(me.peer);
	loop_free(me.loop);
	return 0;
}

#endif
