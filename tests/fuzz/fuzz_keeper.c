/* SPDX-License-Identifier: ISC */
/*
 * The keeper against a worker that has been taken over.  Each line of the
 * input is one thing that it does:
 *
 *	msg TYPE ID [s:STRING|b:U8|w:U32|q:U64|x:HEX|p|f|P]...
 *		a message; "p" passes the read end of a new pipe, "P" its
 *		write end, "f" some other file
 *	write TEXT	into the last pipe
 *	close		the last pipe
 *	hangup		and connect again
 *
 * Whatever it does: the keeper lives, gives its memory back, and no blob
 * ever has another digest than its name says.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper_worker.h"
#include "layout.h"
#include "log.h"
#include "messages.h"

#define MAX_LINES	64
#define MAX_INPUT	16384

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct world {
	char		 dir[64];
	struct keeper	 keeper;
	int		 channel;	/* the worker's end */
	int		 pipe;		/* write end of the last one, or -1 */
};

static size_t root_len;		/* of the directory's name, for nftw */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

/* A few turns of the loop, without waiting for anything. */
static void
turn(struct world *w)
{
	int i;

	for (i = 0; i < 4; i++) {
		if (loop_defer(w->keeper.loop, stop, w->keeper.loop) == -1)
			abort();
		if (loop_run(w->keeper.loop) == -1)
			abort();
	}
}

static void
reconnect(struct world *w)
{
	int fds[2];

	if (w->channel != -1)
		close(w->channel);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds) == -1)
		abort();
	if (keeper_worker_add(&w->keeper, 0, fds[0]) == -1)
		abort();
	w->channel = fds[1];
}

static void
put_hex(struct msg_out *m, const char *hex)
{
	unsigned v;

	/* Raw bytes between fields: each one as a u8. */
	for (; sscanf(hex, "%2x", &v) == 1 && hex[1] != '\0'; hex += 2)
		msg_put_u8(m, (uint8_t)v);
}

static int
put_field(struct world *w, struct msg_out *m, const char *field)
{
	int fds[2], pass = -1;

	if (field[0] != '\0' && field[1] == ':') {
		switch (field[0]) {
		case 's':
			msg_put_str(m, field + 2);
			break;
		case 'b':
			msg_put_u8(m, (uint8_t)strtoul(field + 2, NULL, 10));
			break;
		case 'w':
			msg_put_u32(m, (uint32_t)strtoul(field + 2, NULL,
			    10));
			break;
		case 'q':
			msg_put_u64(m, strtoull(field + 2, NULL, 10));
			break;
		case 'x':
			put_hex(m, field + 2);
			break;
		default:
			break;
		}
		return -1;
	}
	if (strcmp(field, "p") == 0 || strcmp(field, "P") == 0) {
		if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) == -1)
			return -1;
		pass = field[0] == 'p' ? fds[0] : dup(fds[1]);
		if (field[0] == 'P')
			close(fds[0]);
		if (w->pipe != -1)
			close(w->pipe);
		w->pipe = fds[1];
	} else if (strcmp(field, "f") == 0)
		pass = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return pass;
}

/* What msg_send() would do, but nothing is queued. */
static void
send_frame(struct world *w, struct msg_out *m, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr	 align;
		char		 bytes[CMSG_SPACE(MSG_MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov = { m->data, m->len };
	struct msghdr hdr;
	struct cmsghdr *c;

	memset(&hdr, 0, sizeof(hdr));
	hdr.msg_iov = &iov;
	hdr.msg_iovlen = 1;
	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	if (!m->failed)
		(void)sendmsg(w->channel, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
do_msg(struct world *w, char *line)
{
	int fds[MSG_MAX_FDS], fd;
	char *field, *rest = line;
	unsigned long type, id;
	struct msg_out m;
	size_t nfds = 0;

	type = strtoul(rest, &rest, 10);
	id = strtoul(rest, &rest, 10);
	msg_begin(&m, (uint32_t)type, id);
	while ((field = strsep(&rest, " ")) != NULL) {
		fd = put_field(w, &m, field);
		if (fd != -1 && nfds < MSG_MAX_FDS)
			fds[nfds++] = fd;
		else if (fd != -1)
			close(fd);
	}
	send_frame(w, &m, fds, nfds);
	while (nfds > 0)
		close(fds[--nfds]);
	msg_drop(&m);
}

static void
do_line(struct world *w, char *line)
{
	char drain[4096];

	if (strncmp(line, "msg ", 4) == 0)
		do_msg(w, line + 4);
	else if (strncmp(line, "write ", 6) == 0 && w->pipe != -1)
		(void)!write(w->pipe, line + 6, strlen(line + 6));
	else if (strcmp(line, "close") == 0 && w->pipe != -1) {
		close(w->pipe);
		w->pipe = -1;
	} else if (strcmp(line, "hangup") == 0)
		reconnect(w);
	turn(w);
	while (recv(w->channel, drain, sizeof(drain), MSG_DONTWAIT) > 0)
		continue;
	if (w->keeper.nworkers == 0)
		reconnect(w);
}

/* Each file named "data" beneath blobs is what its directory says. */
static int
check_blob(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	struct digest_ctx *c;
	struct digest d, want;
	char text[DIGEST_STR_SIZE], buf[4096];
	const char *slash = path + ftw->base - 1;
	const char *alg = path + root_len + 1;
	ssize_t n;
	int fd;

	(void)st;
	/* A repository may be called so, too: only at the root. */
	if (type != FTW_F ||
	    strncmp(alg, LAYOUT_BLOBS "/", strlen(LAYOUT_BLOBS "/")) != 0)
		return 0;
	alg += strlen(LAYOUT_BLOBS "/");
	snprintf(text, sizeof(text), "%.6s:%.*s", alg,
	    (int)(slash - alg - 10), alg + 10);
	if (digest_parse(&want, text) == -1 ||
	    (c = digest_ctx_new(want.alg)) == NULL)
		abort();
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		abort();
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (digest_ctx_update(c, buf, (size_t)n) == -1)
			abort();
	close(fd);
	if (digest_ctx_result(c, &d) == -1 || !digest_equal(&d, &want))
		abort();
	digest_ctx_free(c);
	return 0;
}

static void
world_open(struct world *w, enum store_durability durability)
{
	int fd;

	memset(w, 0, sizeof(*w));
	w->channel = w->pipe = -1;
	snprintf(w->dir, sizeof(w->dir), "%s/registryd-fuzz.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	root_len = strlen(w->dir);
	if (mkdtemp(w->dir) == NULL ||
	    (fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		abort();
	w->keeper.store = store_fs_new(fd, w->dir, true, durability);
	w->keeper.loop = loop_new();
	if (w->keeper.store == NULL || w->keeper.loop == NULL)
		abort();
	w->keeper.max_manifest = 4096;
	w->keeper.max_blob = 65536;
	LIST_INIT(&w->keeper.workers);
	reconnect(w);
}

static void
world_close(struct world *w)
{
	if (w->pipe != -1)
		close(w->pipe);
	close(w->channel);
	turn(w);
	keeper_worker_cut_all(&w->keeper);
	if (w->keeper.manifest_bytes != 0 || w->keeper.nworkers != 0)
		abort();
	if (nftw(w->dir, check_blob, 16, FTW_PHYS) != 0)
		abort();
	loop_free(w->keeper.loop);
	store_free(w->keeper.store);
	if (nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		abort();
}

/* Alone, or in groups that wait for a barrier. */
static void
run(const uint8_t *data, size_t size, enum store_durability durability)
{
	struct world w;
	char *text, *line, *rest;
	int n = 0;

	if (size > MAX_INPUT || (text = malloc(size + 1)) == NULL)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	world_open(&w, durability);
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL && n++ < MAX_LINES)
		do_line(&w, line);
	world_close(&w);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	signal(SIGPIPE, SIG_IGN);
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	run(data, size, STORE_NONE);
	run(data, size, STORE_BATCH);
	return 0;
}
