/* SPDX-License-Identifier: ISC */
/*
 * A PAM module that behaves as its argument says, for the tests of authd:
 *
 *	hang, crash, exit, abort	do that, when asked about a password
 *	fork FILE	leave a process behind; its number goes into the file
 *	daemon FILE	the same, in a session of its own
 *	hangfork FILE	leave a process behind, then hang
 *	twice		ask for a second secret
 *	close		close every descriptor, then exit
 *	noise		write nonsense to every descriptor
 *	rename NAME	the user is NAME
 *	items FILE	write PAM_RHOST, PAM_TTY and PAM_USER into the file
 *	environment FILE	write descriptors, mask, signals into the file
 *	RESULT		return that number
 *
 * "user=NAME" first: only for this user; others are let in.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <security/pam_appl.h>
#include <security/pam_modules.h>

static void
leave_process(const char *path, int new_session)
{
	FILE	*file;
	pid_t	 pid, middle;

	if (new_session && (middle = fork()) != 0) {
		/* Only its child stays, and has lost its parent. */
		usleep(100000);
		(void)middle;
		return;
	}
	if (new_session)
		setsid();
	if ((pid = fork()) == 0) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	}
	if ((file = fopen(path, "a")) != NULL) {
		fprintf(file, "%d\n", (int)pid);
		fclose(file);
	}
	if (new_session)
		_exit(0);
}

static int
ask_twice(pam_handle_t *pamh)
{
	static const struct pam_message	 secret = { PAM_PROMPT_ECHO_OFF,
					    "Password: " };
	static const struct pam_message	 code = { PAM_PROMPT_ECHO_OFF,
					    "Code: " };
	const struct pam_message	*messages[1];
	const struct pam_conv		*conv;
	const void			*item;
	struct pam_response		*answer = NULL;

	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS)
		return PAM_SYSTEM_ERR;
	conv = item;
	messages[0] = &secret;
	if (conv->conv(1, messages, &answer, conv->appdata_ptr) !=
	    PAM_SUCCESS || answer == NULL)
		return PAM_SYSTEM_ERR;
	free(answer->resp);
	free(answer);
	messages[0] = &code;
	return conv->conv(1, messages, &answer, conv->appdata_ptr);
}

static void
write_items(pam_handle_t *pamh, const char *path)
{
	const void	*host = NULL, *tty = NULL, *user = NULL;
	FILE		*file;

	pam_get_item(pamh, PAM_RHOST, &host);
	pam_get_item(pamh, PAM_TTY, &tty);
	pam_get_item(pamh, PAM_USER, &user);
	if ((file = fopen(path, "w")) == NULL)
		return;
	fprintf(file, "%s %s %s\n", host == NULL ? "-" : (const char *)host,
	    tty == NULL ? "-" : (const char *)tty, (const char *)user);
	fclose(file);
}

static void
write_environment(const char *path)
{
	DIR		*dir;
	struct dirent	*entry;
	FILE		*file;
	int		 n = 0;

	if ((dir = opendir("/proc/self/fd")) == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			n++;
	closedir(dir);
	if ((file = fopen(path, "w")) == NULL)
		return;
	/* Without the one that lists them. */
	fprintf(file, "%d %d %d\n", n - 1, getpgrp() == getpid(),
	    signal(SIGTERM, SIG_DFL) == SIG_DFL);
	fclose(file);
}

static void
write_noise(void)
{
	int	 fd;

	for (fd = 0; fd < 64; fd++)
		if (write(fd, "noise", 5) == -1)
			continue;
}

static int
behave(pam_handle_t *pamh, const char *how, const char *what)
{
	if (strcmp(how, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(how, "crash") == 0)
		raise(SIGSEGV);
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "exit") == 0)
		exit(0);
	if (strcmp(how, "close") == 0) {
		closefrom(0);
		for (;;)
			pause();
	}
	if (strcmp(how, "noise") == 0)
		write_noise();
	if (strcmp(how, "twice") == 0)
		return ask_twice(pamh);
	if (strcmp(how, "fork") == 0 || strcmp(how, "hangfork") == 0)
		leave_process(what, 0);
	if (strcmp(how, "daemon") == 0)
		leave_process(what, 1);
	if (strcmp(how, "hangfork") == 0)
		for (;;)
			pause();
	if (strcmp(how, "rename") == 0)
		return pam_set_item(pamh, PAM_USER, what);
	if (strcmp(how, "items") == 0)
		write_items(pamh, what);
	if (strcmp(how, "environment") == 0)
		write_environment(what);
	return atoi(how);
}

int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc,
    const char **argv)
{
	const void	*user = NULL;

	(void)flags;
	if (argc > 0 && strncmp(argv[0], "user=", 5) == 0) {
		if (pam_get_item(pamh, PAM_USER, &user) != PAM_SUCCESS ||
		    user == NULL || strcmp(user, argv[0] + 5) != 0)
			return PAM_SUCCESS;
		argc--;
		argv++;
	}
	return argc == 0 ? PAM_SUCCESS :
	    behave(pamh, argv[0], argc > 1 ? argv[1] : "/dev/null");
}

int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	return argc > 0 ? atoi(argv[0]) : PAM_SUCCESS;
}
