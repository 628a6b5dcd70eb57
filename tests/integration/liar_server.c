/* SPDX-License-Identifier: ISC */
/*
 * Sits at a control socket where a registryd should, and answers each line
 * that it is sent with the same one:
 *
 *   liar_server PATH ANSWER
 *
 * Prints a line when it listens; one client at a time.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		errx(1, "%s: too long", path);
	memcpy(sun.sun_path, path, strlen(path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 8) == -1)
		err(1, "%s", path);
	return fd;
}

static void
serve(int fd, const char *answer)
{
	size_t i, len = strlen(answer);
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < (size_t)n; i++)
			if (buf[i] == '\n' &&
			    (write(fd, answer, len) != (ssize_t)len ||
			    write(fd, "\n", 1) != 1))
				return;
}

int
main(int argc, char *argv[])
{
	int fd, client;

	if (argc != 3)
		errx(2, "usage: liar_server path answer");
	signal(SIGPIPE, SIG_IGN);
	fd = listen_at(argv[1]);
	puts("listening");
	fflush(stdout);
	for (;;) {
		if ((client = accept(fd, NULL, NULL)) == -1)
			err(1, "accept");
		serve(client, argv[2]);
		close(client);
	}
}
