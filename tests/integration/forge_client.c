/* SPDX-License-Identifier: ISC */
/*
 * Writes a message into a channel of another process as if that process had
 * sent it: what a process that was taken over could do.  Takes the end of
 * the channel by pidfd_getfd(2), so it needs root.
 *
 *   forge_client PID FD TYPE [FIELD]...
 *
 * TYPE is a name of authd's messages, a number, or "raw": then the frame has
 * no header.  A FIELD is u8:N, u32:N, u64:N, str:TEXT, zeros:N (so many
 * bytes of zeros), or fd: a descriptor goes along.
 */
#include <sys/socket.h>
#include <sys/syscall.h>

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "messages.h"

#define MAX_FRAME	(1 << 18)

static const struct {
	const char	*name;
	uint32_t	 type;
} types[] = {
	{ "conf_begin", MSG_CONF_BEGIN }, { "conf_end", MSG_CONF_END },
	{ "ready", MSG_READY }, { "peer", MSG_PEER },
	{ "drain", MSG_DRAIN }, { "peer_bad", MSG_PEER_BAD },
	{ "conf_value", MSG_CONF_VALUE }, { "conf_rule", MSG_CONF_RULE },
	{ "conf_file", MSG_CONF_FILE },
	{ "conf_signer_key", MSG_CONF_SIGNER_KEY },
	{ "token_request", MSG_TOKEN_REQUEST },
	{ "token_reply", MSG_TOKEN_REPLY }, { "verify", MSG_VERIFY },
	{ "verdict", MSG_VERDICT }, { "users_changed", MSG_USERS_CHANGED },
	{ "sign", MSG_SIGN }, { "signed", MSG_SIGNED },
	{ "find", MSG_FIND }, { "found", MSG_FOUND },
	{ "keep", MSG_KEEP }, { "forget", MSG_FORGET },
};

static uint8_t	 frame[MAX_FRAME];
static size_t	 len;
static int	 with_fd = -1;

static void
put(uint64_t v, size_t n)
{
	if (n > sizeof(frame) - len)
		errx(2, "too large");
	while (n-- > 0)
		frame[len++] = (uint8_t)(v >> 8 * n);
}

static void
put_bytes(const void *data, size_t n)
{
	if (n > sizeof(frame) - len)
		errx(2, "too large");
	if (data != NULL)
		memcpy(frame + len, data, n);
	else
		memset(frame + len, 0, n);
	len += n;
}

static void
put_field(const char *field)
{
	const char	*value = strchr(field, ':');

	if (strcmp(field, "fd") == 0) {
		with_fd = open("/dev/null", O_RDONLY);
		return;
	}
	if (value++ == NULL)
		errx(2, "no field: %s", field);
	if (strncmp(field, "u8:", 3) == 0)
		put(strtoull(value, NULL, 0), 1);
	else if (strncmp(field, "u32:", 4) == 0)
		put(strtoull(value, NULL, 0), 4);
	else if (strncmp(field, "u64:", 4) == 0)
		put(strtoull(value, NULL, 0), 8);
	else if (strncmp(field, "zeros:", 6) == 0)
		put_bytes(NULL, strtoull(value, NULL, 0));
	else if (strncmp(field, "str:", 4) == 0) {
		put(strlen(value), 4);
		put_bytes(value, strlen(value));
	} else
		errx(2, "no field: %s", field);
}

static uint32_t
find_type(const char *name)
{
	size_t	 i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	if (*name < '0' || *name > '9')
		errx(2, "no type: %s", name);
	return (uint32_t)strtoul(name, NULL, 0);
}

static void
send_frame(int fd)
{
	union {
		struct cmsghdr	 align;
		char		 bytes[CMSG_SPACE(sizeof(int))];
	}		 control;
	struct msghdr	 hdr;
	struct cmsghdr	*cmsg;
	struct iovec	 iov = { .iov_base = frame, .iov_len = len };

	memset(&hdr, 0, sizeof(hdr));
	hdr.msg_iov = &iov;
	hdr.msg_iovlen = 1;
	if (with_fd != -1) {
		memset(&control, 0, sizeof(control));
		hdr.msg_control = &control;
		hdr.msg_controllen = sizeof(control.bytes);
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &with_fd, sizeof(int));
	}
	if (sendmsg(fd, &hdr, MSG_NOSIGNAL) == -1)
		err(1, "sendmsg");
}

int
main(int argc, char *argv[])
{
	int	 pidfd, fd, i;

	if (argc < 4)
		errx(2, "usage: forge_client PID FD TYPE [FIELD]...");
	pidfd = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	if (pidfd == -1)
		err(1, "pidfd_open %s", argv[1]);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(argv[2]), 0);
	if (fd == -1)
		err(1, "pidfd_getfd %s", argv[2]);
	if (strcmp(argv[3], "raw") != 0) {
		put(find_type(argv[3]), 4);
		put(1, 8);
	}
	for (i = 4; i < argc; i++)
		put_field(argv[i]);
	send_frame(fd);
	return 0;
}
