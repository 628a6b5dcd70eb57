/* SPDX-License-Identifier: ISC */
/*
 * authctl's commands on files in a directory of their own.
 */
#include "authctl.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "buf.h"
#include "claims.h"
#include "jwks.h"
#include "jws.h"

static char	 dir[64];

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_authctl.XXXXXX");
	return mkdtemp(dir) == NULL || chdir(dir) == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return chdir("/") == -1 ? -1 :
	    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE	*file;

	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fchmod(fileno(file), mode), 0);
	assert_int_equal(fclose(file), 0);
}

static char *
read_file(const char *path)
{
	struct buf	 buf;
	char		*room;
	FILE		*file;
	size_t		 n;

	file = fopen(path, "r");
	assert_non_null(file);
	buf_init(&buf, 1 << 20);
	while ((room = buf_reserve(&buf, 4096)) != NULL &&
	    (n = fread(room, 1, 4096, file)) > 0)
		buf_commit(&buf, n);
	fclose(file);
	buf_addstr(&buf, "");
	return buf.data == NULL ? strdup("") : buf_steal(&buf, NULL);
}

static void
check_file(const char *path, const char *want)
{
	char	*text = read_file(path);

	assert_string_equal(text, want);
	free(text);
}

static mode_t
mode_of(const char *path)
{
	struct stat	 st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode;
}

/*
 * Run a command with this as its standard input and its messages thrown
 * away.
 */
static int
run(int (*command)(const char *, int, char **), const char *input, ...)
{
	char	*argv[12];
	int	 saved[3], fds[3], argc = 0, i, status;
	va_list	 ap;

	va_start(ap, input);
	do {
		argv[argc] = va_arg(ap, char *);
	} while (argv[argc++] != NULL);
	va_end(ap);
	write_file("input", input, 0600);
	fds[0] = open("input", O_RDONLY | O_CLOEXEC);
	fds[1] = open("output", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	fds[2] = open("errors", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	fflush(stdout);
	fflush(stderr);
	for (i = 0; i < 3; i++) {
		saved[i] = dup(i);
		assert_int_equal(dup2(fds[i], i), i);
		close(fds[i]);
	}
	optind = 1;
	status = command("no-such-authd.yml", argc - 1, argv);
	fflush(stdout);
	fflush(stderr);
	for (i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	return status;
}

static void
assert_says(const char *path, const char *what)
{
	char	*text = read_file(path);

	if (strstr(text, what) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", text, what);
	free(text);
}

/* ---- key new ---- */

static void
test_authctl_key_new(void **state)
{
	struct scope_set set = { NULL, 0 };
	struct claims	 claims = { .issuer = "a", .audience = "b",
			    .subject = "c", .access = &set, .now = 1,
			    .lifetime = 60 };
	struct claims_key *made;
	struct jwks	*trusted = jwks_new();
	struct buf	 token;
	json_t		*json;
	char		*key, *cert, *header, *again, error[256];

	(void)state;
	assert_int_equal(mkdir("keys", 0700), 0);
	umask(0);
	assert_int_equal(run(authctl_key, "", "key", "new", "-o", "keys",
	    "-n", "our tokens", NULL), 0);
	umask(077);
	assert_int_equal(mode_of("keys/token.key"), S_IFREG | 0600);
	assert_int_equal(mode_of("keys/token.crt"), S_IFREG | 0644);
	assert_says("output", "rootcertbundle: ");
	assert_says("output", "/keys/token.crt");
	/* The signer takes the pair, and a verifier its tokens. */
	key = read_file("keys/token.key");
	cert = read_file("keys/token.crt");
	made = claims_key_new(key, strlen(key), cert, strlen(cert), error,
	    sizeof(error));
	assert_non_null(made);
	assert_int_equal(jwks_add_pem(trusted, cert, strlen(cert), error,
	    sizeof(error)), 1);
	buf_init(&token, 65536);
	header = claims_key_header(made, CLAIMS_KID_RFC7638, true);
	claims.header = header;
	assert_int_equal(claims_sign(made, &claims, &token), 0);
	assert_int_equal(jws_verify(trusted, token.data, token.len, &json),
	    JWS_OK);
	json_decref(json);
	buf_done(&token);
	free(header);
	claims_key_free(made);
	jwks_free(trusted);

	/* Never again in the same place. */
	assert_int_equal(run(authctl_key, "", "key", "new", "-o", "keys",
	    NULL), 1);
	assert_says("errors", "exists");
	again = read_file("keys/token.key");
	assert_string_equal(key, again);
	free(again);
	free(key);
	free(cert);
}

static void
test_authctl_key_new_leaves_nothing_half(void **state)
{
	(void)state;
	assert_int_equal(mkdir("half", 0700), 0);
	write_file("half/token.crt", "mine", 0600);
	assert_int_equal(run(authctl_key, "", "key", "new", "-o", "half",
	    NULL), 1);
	assert_int_equal(access("half/token.key", F_OK), -1);
	check_file("half/token.crt", "mine");
	/* A link to nowhere is something, too. */
	assert_int_equal(unlink("half/token.crt"), 0);
	assert_int_equal(symlink("nowhere", "half/token.key"), 0);
	assert_int_equal(run(authctl_key, "", "key", "new", "-o", "half",
	    NULL), 1);
	assert_int_equal(access("half/nowhere", F_OK), -1);
	assert_int_equal(access("half/token.crt", F_OK), -1);
	assert_int_equal(run(authctl_key, "", "key", "new", "-o", "absent",
	    NULL), 1);
	assert_says("errors", "absent: No such file");
	assert_int_equal(run(authctl_key, "", "key", "new", "-n", "", NULL),
	    1);
}

/* ---- the htpasswd file ---- */

static void
test_htpasswd_set(void **state)
{
	static const struct {
		const char	*old, *user, *hash;
		enum htpasswd_edit want;
		const char	*new;
	} cases[] = {
		{ "", "a", "h", HTPASSWD_ADDED, "a:h\n" },
		{ "b:x\n", "a", "h", HTPASSWD_ADDED, "b:x\na:h\n" },
		{ "b:x", "a", "h", HTPASSWD_ADDED, "b:x\na:h\n" },
		{ "a:x\nb:y\n", "a", "h", HTPASSWD_CHANGED, "a:h\nb:y\n" },
		{ "b:y\na:x", "a", "h", HTPASSWD_CHANGED, "b:y\na:h\n" },
		/* what looks alike is not the same */
		{ "aa:x\n#a:x\n a:x\n\nA:x\nba:x\n", "a", "h",
		    HTPASSWD_ADDED,
		    "aa:x\n#a:x\n a:x\n\nA:x\nba:x\na:h\n" },
		{ "# c\r\n\nb:x:rest\na:x:rest\n", "a", "h",
		    HTPASSWD_CHANGED, "# c\r\n\nb:x:rest\na:h\n" },
		{ "a\n", "a", "h", HTPASSWD_ADDED, "a\na:h\n" },
		/* two of the same are one again */
		{ "a:x\nb:y\na:z\n", "a", "h", HTPASSWD_CHANGED,
		    "a:h\nb:y\n" },
		{ "a:x\nb:y\na:z\n", "a", NULL, HTPASSWD_DELETED, "b:y\n" },
		{ "a:x", "a", NULL, HTPASSWD_DELETED, "" },
		{ "b:x\n", "a", NULL, HTPASSWD_NO_USER, "b:x\n" },
		{ "", "a", NULL, HTPASSWD_NO_USER, "" },
	};
	size_t	 i;
	int	 saved;

	(void)state;
	fflush(stderr);
	saved = dup(2);
	assert_non_null(freopen("errors", "w", stderr));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file("htpasswd", cases[i].old, 0640);
		assert_int_equal(htpasswd_set("htpasswd", cases[i].user,
		    cases[i].hash), cases[i].want);
		check_file("htpasswd", cases[i].new);
		assert_int_equal(mode_of("htpasswd"), S_IFREG | 0640);
	}
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
}

static void
test_htpasswd_user_names(void **state)
{
	static const char *const bad[] = { "", "a:b", ":", "#a", " a", "a ",
	    "a\n", "a\tb", "\x7f" };
	char	 longest[257];
	size_t	 i;

	(void)state;
	assert_null(htpasswd_user_wrong("a"));
	assert_null(htpasswd_user_wrong("a b@example.com"));
	assert_null(htpasswd_user_wrong("b\xc3\xa4r"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(htpasswd_user_wrong(bad[i]));
	memset(longest, 'a', 256);
	longest[256] = '\0';
	assert_non_null(htpasswd_user_wrong(longest));
	longest[255] = '\0';
	assert_null(htpasswd_user_wrong(longest));
}

/* ---- passwd ---- */

static bool
password_is(const char *path, const char *user, const char *password)
{
	struct crypt_data	*data = calloc(1, sizeof(*data));
	char			*text = read_file(path), *line, *hash, *got;
	size_t			 n = strlen(user);
	bool			 is = false;

	for (line = strtok(text, "\n"); line != NULL;
	    line = strtok(NULL, "\n")) {
		if (strncmp(line, user, n) != 0 || line[n] != ':')
			continue;
		hash = line + n + 1;
		assert_int_equal(strncmp(hash, "$2y$", 4), 0);
		got = crypt_r(password, hash, data);
		is = got != NULL && strcmp(got, hash) == 0;
	}
	free(text);
	free(data);
	return is;
}

static void
test_authctl_passwd(void **state)
{
	(void)state;
	unlink("users");
	assert_int_equal(run(authctl_passwd, "secret one\n", "passwd", "-p",
	    "users", "-c", "8", "alice", NULL), 0);
	assert_int_equal(mode_of("users"), S_IFREG | 0600);
	assert_true(password_is("users", "alice", "secret one"));
	assert_false(password_is("users", "alice", "secret one\n"));
	assert_int_equal(chmod("users", 0640), 0);
	/* Without the end of the line; and only the first line counts. */
	assert_int_equal(run(authctl_passwd, "two", "passwd", "-p", "users",
	    "-c", "8", "bob", NULL), 0);
	assert_int_equal(run(authctl_passwd, "new\nother\n", "passwd", "-p",
	    "users", "-c", "8", "alice", NULL), 0);
	assert_says("output", "changed the password of user alice");
	assert_true(password_is("users", "alice", "new"));
	assert_true(password_is("users", "bob", "two"));
	assert_int_equal(mode_of("users"), S_IFREG | 0640);
	assert_int_equal(run(authctl_passwd, "", "passwd", "-D", "-p",
	    "users", "alice", NULL), 0);
	assert_false(password_is("users", "alice", "new"));
	assert_true(password_is("users", "bob", "two"));
	assert_int_equal(run(authctl_passwd, "", "passwd", "-D", "-p",
	    "users", "alice", NULL), 1);
	assert_says("errors", "no user alice");
	/* Through a link: the link stays one. */
	assert_int_equal(symlink("users", "link"), 0);
	assert_int_equal(run(authctl_passwd, "three\n", "passwd", "-p",
	    "link", "-c", "8", "bob", NULL), 0);
	assert_int_equal(mode_of("link") & S_IFMT, S_IFLNK);
	assert_true(password_is("users", "bob", "three"));
}

static void
test_authctl_passwd_refuses(void **state)
{
	char	 text[2048];

	(void)state;
	write_file("users", "bob:x\n", 0600);
	assert_int_equal(run(authctl_passwd, "", "passwd", "-p", "users",
	    "bob", NULL), 1);
	assert_says("errors", "no password");
	assert_int_equal(run(authctl_passwd, "\n", "passwd", "-p", "users",
	    "bob", NULL), 1);
	assert_says("errors", "empty password");
	assert_int_equal(run(authctl_passwd, "a\tb\n", "passwd", "-p",
	    "users", "bob", NULL), 1);
	assert_says("errors", "control character");
	snprintf(text, sizeof(text), "%073d\n", 0);
	assert_int_equal(run(authctl_passwd, text, "passwd", "-p", "users",
	    "bob", NULL), 1);
	assert_says("errors", "72 bytes");
	snprintf(text, sizeof(text), "%02000d\n", 0);
	assert_int_equal(run(authctl_passwd, text, "passwd", "-p", "users",
	    "bob", NULL), 1);
	assert_says("errors", "too long");
	assert_int_equal(run(authctl_passwd, "x\n", "passwd", "-p", "users",
	    "a:b", NULL), 1);
	assert_int_equal(run(authctl_passwd, "x\n", "passwd", "-p",
	    "absent/users", "bob", NULL), 1);
	assert_int_equal(run(authctl_passwd, "x\n", "passwd", "bob", NULL),
	    1);
	assert_says("errors", "no-such-authd.yml");
	check_file("users", "bob:x\n");
	/* 72 bytes are still all of them. */
	snprintf(text, sizeof(text), "%072d\n", 0);
	assert_int_equal(run(authctl_passwd, text, "passwd", "-p", "users",
	    "-c", "8", "bob", NULL), 0);
}

/* ---- passwd at a terminal ---- */

/* The child: a session whose terminal is this one. */
static void
run_at_terminal(const char *terminal)
{
	char	*argv[] = { strdup("passwd"), strdup("-p"), strdup("users"),
		    strdup("-c"), strdup("8"), strdup("carol"), NULL };
	int	 fd, i;

	setsid();
	fd = open(terminal, O_RDWR);
	if (fd == -1 || ioctl(fd, TIOCSCTTY, 0) == -1)
		_exit(99);
	for (i = 0; i < 3; i++)
		dup2(fd, i);
	optind = 1;
	i = authctl_passwd("none", 6, argv);
	fflush(NULL);
	_exit(i);
}

/* What the terminal shows, up to and with this text; "" at its end. */
static void
read_until(int fd, const char *what, char *seen, size_t size)
{
	size_t	 len = strlen(seen);
	ssize_t	 n;

	while ((*what == '\0' || strstr(seen, what) == NULL) &&
	    len + 1 < size && (n = read(fd, seen + len, 1)) == 1) {
		len++;
		seen[len] = '\0';
	}
}

/* Type two passwords; the exit status. */
static int
type_passwords(const char *first, const char *second, char *seen,
    size_t size)
{
	pid_t	 pid;
	int	 fd, status;

	fd = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(fd != -1 && grantpt(fd) == 0 && unlockpt(fd) == 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0)
		run_at_terminal(ptsname(fd));
	alarm(60);
	seen[0] = '\0';
	read_until(fd, "New password for carol: ", seen, size);
	assert_int_equal(write(fd, first, strlen(first)), strlen(first));
	read_until(fd, "The same again: ", seen, size);
	assert_int_equal(write(fd, second, strlen(second)), strlen(second));
	read_until(fd, "", seen, size);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	alarm(0);
	close(fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_authctl_passwd_at_a_terminal(void **state)
{
	char	 seen[4096];

	(void)state;
	unlink("users");
	assert_int_equal(type_passwords("hush hush\n", "hush hush\n", seen,
	    sizeof(seen)), 0);
	assert_true(password_is("users", "carol", "hush hush"));
	assert_null(strstr(seen, "hush"));
	assert_non_null(strstr(seen, "added user carol"));
	assert_int_equal(type_passwords("one\n", "two\n", seen,
	    sizeof(seen)), 1);
	assert_non_null(strstr(seen, "differ"));
	assert_true(password_is("users", "carol", "hush hush"));
}

/* ---- explain ---- */

static const char conf[] =
    "listen: localhost:0\n"
    "issuer: authd\n"
    "realm: authd\n"
    "services: [registry.example.com]\n"
    "token: {key: k, certificate: c}\n"
    "htpasswd: users\n"
    "groups: {dev: [alice]}\n"
    "access:\n"
    "  - {group: dev, network: 10.0.0.0/8, repository: \"d/**\","
    " actions: [pull]}\n"
    "  - {user: \"*\", repository: \"${user}/**\","
    " actions: [pull, push, delete]}\n"
    "  - {user: \"\", repository: \"public/**\", actions: [pull]}\n";

static void
test_authctl_explain(void **state)
{
	(void)state;
	write_file("authd.yml", conf, 0600);
	assert_int_equal(run(authctl_explain, "", "explain", "-f",
	    "authd.yml", "alice", "repository:alice/a:*", "foo",
	    "repository:A:pull", "registry:catalog:*", NULL), 0);
	check_file("output",
	    "repository:alice/a:*\n"
	    "    decided by rule 2 (line 10): user=* repository=${user}/** "
	    "actions=pull,push,delete\n"
	    "    granted: repository:alice/a:pull,push,delete\n"
	    "foo\n"
	    "    not a scope (type:name:action,...): ignored\n"
	    "repository:A:pull\n"
	    "    no repository can have this name\n"
	    "    granted: nothing\n"
	    "registry:catalog:*\n"
	    "    no rule matches\n"
	    "    granted: nothing\n");
	assert_int_equal(run(authctl_explain, "", "explain", "-f",
	    "authd.yml", "-a", "10.0.0.1", "alice", "repository:d/a:pull",
	    NULL), 0);
	assert_says("output", "granted: repository:d/a:pull\n");
	assert_int_equal(run(authctl_explain, "", "explain", "-f",
	    "authd.yml", "-", "repository:public/a:*", NULL), 0);
	assert_says("output", "granted: repository:public/a:pull\n");
	assert_int_equal(run(authctl_explain, "", "explain", "-f",
	    "authd.yml", "-s", "other", "-", "repository:public/a:*", NULL),
	    1);
	assert_says("errors", "not one of the services");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authctl_key_new),
		cmocka_unit_test(test_authctl_key_new_leaves_nothing_half),
		cmocka_unit_test(test_htpasswd_set),
		cmocka_unit_test(test_htpasswd_user_names),
		cmocka_unit_test(test_authctl_passwd),
		cmocka_unit_test(test_authctl_passwd_refuses),
		cmocka_unit_test(test_authctl_passwd_at_a_terminal),
		cmocka_unit_test(test_authctl_explain),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
