/* SPDX-License-Identifier: ISC */
/*
 * The parts of the PAM driver that need no module: conversation, meaning of
 * results, accounts, and what passes between verifier and helper.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cred_pam.h"

#define MAX_MESSAGES	40

/* ---- conversation ---- */

static void
free_responses(struct pam_response *responses, int n)
{
	int	 i;

	for (i = 0; i < n; i++)
		free(responses[i].resp);
	free(responses);
}

/* styles: o (echo on), x (echo off), i, e, ? (unknown). */
static int
converse(struct cred_pam_conv *conv, const char *styles,
    struct pam_response **responses)
{
	struct pam_message	 messages[MAX_MESSAGES];
	const struct pam_message *pointers[MAX_MESSAGES];
	size_t			 i, n = strlen(styles);

	assert_true(n <= MAX_MESSAGES);
	for (i = 0; i < n; i++) {
		messages[i].msg = "text";
		messages[i].msg_style = styles[i] == 'o' ?
		    PAM_PROMPT_ECHO_ON : styles[i] == 'x' ?
		    PAM_PROMPT_ECHO_OFF : styles[i] == 'i' ? PAM_TEXT_INFO :
		    styles[i] == 'e' ? PAM_ERROR_MSG : 4711;
		pointers[i] = &messages[i];
	}
	return cred_pam_conv((int)n, pointers, responses, conv);
}

static void
test_conv_answers(void **state)
{
	static const char *const	 styles[] = { "x", "o", "ox", "ixe",
	    "oxo", "iiii", "xiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii" };
	struct cred_pam_conv		 conv;
	struct pam_response		*responses;
	size_t				 i, j;

	(void)state;
	for (i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		conv = (struct cred_pam_conv){ .user = "alice",
		    .password = "secret" };
		assert_int_equal(converse(&conv, styles[i], &responses),
		    PAM_SUCCESS);
		for (j = 0; styles[i][j] != '\0'; j++) {
			assert_int_equal(responses[j].resp_retcode, 0);
			if (styles[i][j] == 'x')
				assert_string_equal(responses[j].resp,
				    "secret");
			else if (styles[i][j] == 'o')
				assert_string_equal(responses[j].resp,
				    "alice");
			else
				assert_null(responses[j].resp);
		}
		assert_false(conv.refused);
		free_responses(responses, (int)j);
	}
}

static void
test_conv_gives_the_password_once(void **state)
{
	struct cred_pam_conv	 conv = { .user = "alice",
				    .password = "secret" };
	struct pam_response	*responses;

	(void)state;
	assert_int_equal(converse(&conv, "x", &responses), PAM_SUCCESS);
	free_responses(responses, 1);
	assert_int_equal(converse(&conv, "i", &responses), PAM_SUCCESS);
	free_responses(responses, 1);
	assert_int_equal(converse(&conv, "x", &responses), PAM_CONV_ERR);
	assert_null(responses);
	assert_true(conv.refused);

	/* Both in one: nothing is given. */
	conv = (struct cred_pam_conv){ .user = "a", .password = "b" };
	assert_int_equal(converse(&conv, "oxx", &responses), PAM_CONV_ERR);
	assert_null(responses);
	assert_true(conv.refused);
}

static void
test_conv_refuses(void **state)
{
	static const char *const	 styles[] = { "", "?", "x?",
	    "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii" };
	struct cred_pam_conv		 conv;
	struct pam_response		*responses;
	size_t				 i;

	(void)state;
	for (i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		conv = (struct cred_pam_conv){ .user = "alice",
		    .password = "secret" };
		responses = (struct pam_response *)&conv;
		assert_int_equal(converse(&conv, styles[i], &responses),
		    PAM_CONV_ERR);
		assert_null(responses);
		assert_false(conv.refused);
	}
	assert_int_equal(cred_pam_conv(-1, NULL, &responses, &conv),
	    PAM_CONV_ERR);
}

/* ---- results ---- */

static void
test_verdicts(void **state)
{
	static const struct {
		int			 error;
		bool			 account;
		enum cred_verdict	 want;
	} cases[] = {
		{ PAM_SUCCESS, true, CRED_OK },
		{ PAM_AUTH_ERR, false, CRED_BAD },
		{ PAM_AUTH_ERR, true, CRED_BAD },
		{ PAM_USER_UNKNOWN, false, CRED_UNKNOWN },
		{ PAM_USER_UNKNOWN, true, CRED_BAD },
		{ PAM_MAXTRIES, false, CRED_BAD },
		{ PAM_PERM_DENIED, true, CRED_BAD },
		{ PAM_ACCT_EXPIRED, true, CRED_BAD },
		{ PAM_CRED_EXPIRED, true, CRED_BAD },
		{ PAM_AUTHTOK_EXPIRED, true, CRED_BAD },
		{ PAM_NEW_AUTHTOK_REQD, true, CRED_BAD },
		{ PAM_NEW_AUTHTOK_REQD, false, CRED_BAD },
		{ PAM_AUTHINFO_UNAVAIL, false, CRED_UNAVAILABLE },
		{ PAM_CRED_INSUFFICIENT, false, CRED_UNAVAILABLE },
		{ PAM_SYSTEM_ERR, false, CRED_UNAVAILABLE },
		{ PAM_ABORT, false, CRED_UNAVAILABLE },
		{ PAM_CONV_ERR, false, CRED_UNAVAILABLE },
		{ PAM_SERVICE_ERR, true, CRED_UNAVAILABLE },
		{ PAM_OPEN_ERR, false, CRED_UNAVAILABLE },
		{ PAM_SYMBOL_ERR, false, CRED_UNAVAILABLE },
		{ PAM_BUF_ERR, false, CRED_UNAVAILABLE },
		{ PAM_IGNORE, false, CRED_UNAVAILABLE },
		{ PAM_MODULE_UNKNOWN, false, CRED_UNAVAILABLE },
		{ -1, false, CRED_UNAVAILABLE },
		{ 4711, true, CRED_UNAVAILABLE },
	};
	const char	*reason;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reason = NULL;
		assert_int_equal(cred_pam_verdict(cases[i].error,
		    cases[i].account, &reason), cases[i].want);
		assert_non_null(reason);
		/* Nothing to add for the two that everybody sees. */
		assert_int_equal(*reason == '\0', cases[i].error ==
		    PAM_SUCCESS || cases[i].error == PAM_AUTH_ERR);
	}
}

/* ---- accounts ---- */

static void
test_accounts(void **state)
{
	uid_t	 uid = 99;
	gid_t	 gid = 99;

	(void)state;
	assert_int_equal(cred_pam_account("root", &uid, &gid),
	    ACCOUNT_FOUND);
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 0);
	assert_int_equal(cred_pam_account("no such user here", &uid, &gid),
	    ACCOUNT_NONE);
}

static void
test_groups(void **state)
{
	struct cred_answer	 answer = { .ngroups = 0 };

	(void)state;
	assert_int_equal(cred_pam_groups("root", 0, &answer), 0);
	assert_true(answer.ngroups >= 1);
	assert_string_equal(answer.groups[0], "root");
	cred_answer_done(&answer);
}

/* What needs no module: names and numbers that never get that far. */
static void
test_check_refuses_early(void **state)
{
	static const struct {
		const char		*user;
		uint64_t		 min_uid;
		size_t			 len;
		enum cred_verdict	 want;
	} cases[] = {
		{ "", 0, 1, CRED_UNKNOWN },
		{ "../root", 0, 1, CRED_UNKNOWN },
		{ "a/b", 0, 1, CRED_UNKNOWN },
		{ "a:b", 0, 1, CRED_UNKNOWN },
		{ "a\nb", 0, 1, CRED_UNKNOWN },
		{ "-a", 0, 1, CRED_UNKNOWN },
		{ "+a", 0, 1, CRED_UNKNOWN },
		{ "root", 1, 1, CRED_BAD },
		{ "root", 1000, 1, CRED_BAD },
		{ "root", 0, CRED_PAM_MAX_PASSWORD + 1, CRED_BAD },
		{ "no such user here", 1, CRED_PAM_MAX_PASSWORD + 1,
		    CRED_UNKNOWN },
	};
	struct cred_answer	 answer;
	char			 service[] = "authd-test-of-no-service";
	char			 confdir[] = "/nonexistent";
	struct conf_pam		 pam = { .service = service,
				    .confdir = confdir };
	char			 password[CRED_PAM_MAX_PASSWORD + 2];
	size_t			 i;

	(void)state;
	memset(password, 'x', sizeof(password));
	password[sizeof(password) - 1] = '\0';
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&answer, 0, sizeof(answer));
		pam.min_uid = cases[i].min_uid;
		assert_int_equal(cred_pam_check(&pam, cases[i].user, password,
		    cases[i].len, "192.0.2.1", &answer), cases[i].want);
		cred_answer_done(&answer);
	}
}

/* A service whose module is not there: nothing can be checked. */
static void
test_check_without_module(void **state)
{
	static const char	 line[] =
				    "auth required /nonexistent/pam_none.so\n";
	struct cred_answer	 answer;
	char			 service[] = "none";
	char			 dir[] = "/tmp/test_cred_pam.XXXXXX";
	char			 path[64];
	struct conf_pam		 pam = { .service = service, .confdir = dir };
	FILE			*file;
	enum cred_verdict	 verdict;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, service);
	assert_non_null(file = fopen(path, "w"));
	fputs(line, file);
	assert_int_equal(fclose(file), 0);
	memset(&answer, 0, sizeof(answer));
	verdict = cred_pam_check(&pam, "alice", "x", 1, "192.0.2.1", &answer);
	unlink(path);
	rmdir(dir);
	assert_int_equal(verdict, CRED_UNAVAILABLE);
	assert_string_not_equal(answer.reason, "");
	cred_answer_done(&answer);
}

/* ---- the helper ---- */

static void
test_helper_answers(void **state)
{
	char			 service[] = "none", confdir[] = "/nonexistent";
	struct conf_pam		 pam = { .service = service,
				    .confdir = confdir, .min_uid = 1000 };
	struct cred_pam_result	 result;
	char			 password[CRED_PAM_MAX_PASSWORD + 200];
	int			 fds[2], status;
	pid_t			 pid;

	(void)state;
	memset(password, 'x', sizeof(password));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		close(fds[0]);
		cred_pam_helper(&pam, fds[1]);
	}
	close(fds[1]);
	memset(&result, 0, sizeof(result));
	assert_int_equal(cred_pam_send(fds[0], "root", password, 5, "unix"),
	    0);
	assert_int_equal(cred_pam_recv(fds[0], &result), 0);
	assert_int_equal(result.verdict, CRED_BAD);
	assert_string_equal(result.answer.reason, "beneath pam.min_uid");
	assert_false(result.dirty);
	memset(&result, 0, sizeof(result));
	assert_int_equal(cred_pam_send(fds[0], "no such user here", password,
	    sizeof(password), "192.0.2.1"), 0);
	assert_int_equal(cred_pam_recv(fds[0], &result), 0);
	assert_int_equal(result.verdict, CRED_UNKNOWN);
	/* It ends with its verifier. */
	assert_int_equal(shutdown(fds[0], SHUT_WR), 0);
	assert_int_equal(cred_pam_recv(fds[0], &result), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fds[0]);
}

static void
test_recv_refuses_nonsense(void **state)
{
	static const struct {
		const char	*bytes;
		size_t		 len;
	} cases[] = {
		{ "noise", 5 },
		/* type 2, id 0: no fields, a verdict that is none, OK
		   without a user, groups that are not there, more behind */
		{ "\0\0\0\2\0\0\0\0\0\0\0\0", 12 },
		{ "\0\0\0\2\0\0\0\0\0\0\0\0"
		    "\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		    30 },
		{ "\0\0\0\2\0\0\0\0\0\0\0\0"
		    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		    30 },
		{ "\0\0\0\2\0\0\0\0\0\0\0\0"
		    "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\7",
		    30 },
		{ "\0\0\0\2\0\0\0\0\0\0\0\0"
		    "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0z",
		    31 },
		/* another type */
		{ "\0\0\0\1\0\0\0\0\0\0\0\0"
		    "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		    30 },
	};
	struct cred_pam_result	 result;
	size_t			 i;
	int			 fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&result, 0, sizeof(result));
		assert_int_equal(send(fds[1], cases[i].bytes, cases[i].len, 0),
		    (ssize_t)cases[i].len);
		assert_int_equal(cred_pam_recv(fds[0], &result), -1);
		cred_answer_done(&result.answer);
	}
	/* The last but one, were it of the right type, is good. */
	assert_int_equal(send(fds[1], "\0\0\0\2\0\0\0\0\0\0\0\0\0\1"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 30, 0), 30);
	memset(&result, 0, sizeof(result));
	assert_int_equal(cred_pam_recv(fds[0], &result), 0);
	assert_int_equal(result.verdict, CRED_BAD);
	close(fds[1]);
	assert_int_equal(cred_pam_recv(fds[0], &result), 1);
	assert_int_equal(cred_pam_send(fds[0], "a", "b", 1, "c"), -1);
	assert_int_equal(errno, EPIPE);
	close(fds[0]);
}

int
main(void)
{
	static const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_conv_answers),
		cmocka_unit_test(test_conv_gives_the_password_once),
		cmocka_unit_test(test_conv_refuses),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_check_refuses_early),
		cmocka_unit_test(test_check_without_module),
		cmocka_unit_test(test_helper_answers),
		cmocka_unit_test(test_recv_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
