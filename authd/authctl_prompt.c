/* SPDX-License-Identifier: ISC */
/*
 * Asking for a password, at the terminal without showing it, or from
 * standard input for scripts.
 */
#include "authctl.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX_LINE	1024

static volatile sig_atomic_t	caught;

static void
on_signal(int signo)
{
	caught = signo;
}

/*
 * One line without its end, as a secret.  NULL at the end of the input, when
 * it is too long, or when a signal came; errno tells which.
 */
static struct secret *
read_line(int fd)
{
	char		 line[MAX_LINE];
	struct secret	*secret = NULL;
	size_t		 len = 0;
	ssize_t		 n;

	errno = 0;
	while ((n = read(fd, line + len, 1)) == 1 && line[len] != '\n') {
		if (++len == sizeof(line)) {
			errno = EMSGSIZE;
			n = -1;
			break;
		}
	}
	/* The last line may lack its end. */
	if (n == 1 || (n == 0 && len > 0))
		secret = secret_new(line, len);
	secret_wipe(line, sizeof(line));
	return secret;
}

/*
 * Ask at the terminal.  A signal puts the echo back on before it is
 * delivered, and a stop is not possible in between.
 */
static struct secret *
ask(int tty, const char *prompt)
{
	static const int	 signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
				    SIGTSTP };
	struct sigaction	 action, old[5];
	struct termios		 echo, silent;
	struct secret		*secret;
	size_t			 i;

	if (tcgetattr(tty, &echo) == -1)
		return NULL;
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	for (i = 0; i < 5; i++)
		sigaction(signals[i], &action, &old[i]);
	silent = echo;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	tcsetattr(tty, TCSAFLUSH, &silent);
	dprintf(tty, "%s", prompt);
	secret = read_line(tty);
	dprintf(tty, "\n");
	tcsetattr(tty, TCSAFLUSH, &echo);
	for (i = 0; i < 5; i++)
		sigaction(signals[i], &old[i], NULL);
	if (caught != 0)
		raise(caught);
	return secret;
}

static struct secret *
ask_twice(int tty, const char *user)
{
	struct secret	*first, *second;
	char		 prompt[320];
	bool		 equal;

	snprintf(prompt, sizeof(prompt), "New password for %s: ", user);
	first = ask(tty, prompt);
	if (first == NULL) {
		warnx("no password: nothing was changed");
		return NULL;
	}
	second = ask(tty, "The same again: ");
	equal = second != NULL && secret_equal(first, secret_data(second),
	    secret_len(second));
	secret_free(second);
	if (!equal) {
		warnx("the two passwords differ: nothing was changed");
		secret_free(first);
		return NULL;
	}
	return first;
}

struct secret *
authctl_read_password(const char *user)
{
	struct secret	*password;
	int		 tty;

	if (!isatty(STDIN_FILENO)) {
		password = read_line(STDIN_FILENO);
		if (password == NULL && errno == EMSGSIZE)
			warnx("standard input: the password is too "
			    "long");
		else if (password == NULL)
			warnx("standard input: no password");
		return password;
	}
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty == -1) {
		warn("/dev/tty");
		return NULL;
	}
	password = ask_twice(tty, user);
	close(tty);
	return password;
}
