/* SPDX-License-Identifier: ISC */
/*
 * The child's side of its start: options, first steps, and the channel to
 * the parent.  What the child then does is its daemon's business.
 */
#include "proc.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "log.h"
#include "str.h"

#define MAX_STATIC_FIELDS	32
#define MAX_STATIC_TEXT		1024
#define MAX_OPEN_FILES		65536

void
proc_fill_fds(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			exit(1);
	} while (fd <= STDERR_FILENO);
	close(fd);
}

static int
parse_gids(struct proc_args *args, const char *list)
{
	uint64_t v;
	size_t len;

	args->ngids = 0;
	for (;;) {
		len = strcspn(list, ",");
		if (args->ngids == PROC_MAX_GROUPS ||
		    str_parse_u64(list, len, UINT_MAX - 1, &v) == -1)
			return -1;
		args->gids[args->ngids++] = (gid_t)v;
		if (list[len] == '\0')
			return 0;
		list += len + 1;
	}
}

int
proc_getopt(struct proc_args *args, int opt, const char *value)
{
	uint64_t v;

	switch (opt) {
	case 'P':
		return value[0] == '\0' ? -1 :
		    str_copy(args->role, sizeof(args->role), value);
	case 'I':
		if (str_parse_u64(value, strlen(value), 65535, &v) == -1)
			return -1;
		args->instance = (unsigned)v;
		return 0;
	case 'U':
		if (str_parse_u64(value, strlen(value), UINT_MAX - 1, &v) ==
		    -1 || v == 0)
			return -1;
		args->uid = (uid_t)v;
		args->drop = true;
		return 0;
	case 'G':
		return parse_gids(args, value);
	default:
		return -1;
	}
}

static void
raise_file_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == -1)
		return;
	if (lim.rlim_cur < lim.rlim_max && lim.rlim_cur < MAX_OPEN_FILES) {
		lim.rlim_cur = lim.rlim_max < MAX_OPEN_FILES ? lim.rlim_max :
		    MAX_OPEN_FILES;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
}

void
proc_child_start(const struct proc_args *args)
{
	/* SIGTERM to a whole process group must not cut off requests. */
	static const int ignored[] = { SIGPIPE, SIGHUP, SIGINT, SIGTERM,
	    SIGUSR1, SIGUSR2 };
	socklen_t len = sizeof(int);
	size_t i;
	int type;

	if (getsockopt(PROC_CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type,
	    &len) == -1 || type != SOCK_SEQPACKET)
		fatalx("-P %s is for the parent process only", args->role);
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	compat_set_name();
	compat_die_with_parent();
	raise_file_limit();
}

static void
on_parent_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)chan;
	(void)arg;
	if (why != NULL)
		fatalx("message from the parent: %s", why);
	log_debug("the parent has gone");
	exit(1);
}

struct msg_chan *
proc_parent_chan(struct loop *loop, const struct msg_rule *rules,
    size_t nrules, void *arg)
{
	struct msg_chan *chan;

	chan = msg_chan_new(loop, PROC_CHANNEL_FD, ROLE_PARENT, 0, rules,
	    nrules, on_parent_closed, arg);
	if (chan == NULL)
		fatal("channel to the parent");
	return chan;
}

void
proc_report_peer(struct msg_chan *parent, const struct msg_chan *peer)
{
	struct msg_out out;

	msg_begin(&out, MSG_PEER_BAD, 0);
	msg_put_u32(&out, msg_chan_role(peer));
	msg_put_u32(&out, msg_chan_instance(peer));
	/* Without it the peer stays as it is: cut off. */
	if (msg_send(parent, &out) == -1)
		log_debug("the parent cannot be told of a bad peer");
}

int
proc_on_conf_begin(struct msg_chan *chan, struct msg *msg, void *arg)
{
	char *key, *value;
	uint8_t level, format;
	uint32_t i, n;

	(void)chan;
	(void)arg;
	level = msg_get_u8(msg);
	format = msg_get_u8(msg);
	n = msg_get_u32(msg);
	if (msg->bad || level > LOG_LEVEL_DEBUG ||
	    format > LOG_FORMAT_LOGSTASH || n > MAX_STATIC_FIELDS)
		return -1;
	log_configure((enum log_level)level, (enum log_format)format);
	for (i = 0; i < n && !msg->bad; i++) {
		key = msg_get_strdup(msg, MAX_STATIC_TEXT);
		value = msg_get_strdup(msg, MAX_STATIC_TEXT);
		if (key != NULL && value != NULL)
			log_add_static_field(key, value);
		free(key);
		free(value);
	}
	return msg_end(msg);
}
