/* SPDX-License-Identifier: ISC */
/*
 * htpasswd files: which lines are taken, which refuse the file, and who is
 * let in.  Hashes were made by htpasswd(1) and crypt_gensalt(3).
 */
#include <stdarg.h>
#include <setjmp.h>
#include <crypt.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "htpasswd.h"
#include "pwhash.h"

/* "alice-pw" with cost 5, "admin-pw" with cost 10 */
#define BCRYPT	"$2y$05$.7WqYySS0syKJVIuROG/EOvymMjFL1pJSE0q3DHP2PiB5bdqJxvse"
#define SHA512	"$6$94Fu6qaA3gSbkH0b$HK9/088W7fxVLahVuVdSpbs8y5udmU2M4HefGHJ" \
		".4Il4YganXinj.E.x0Wtz1VC15qfxVrWpautk/EN5VISFB1"
#define SHA256	"$5$Q6b6LtuVtmvmGoo.$LhSrwWE3Ui/TqlqDS6D0eFwPOX1bkvGu/DLOhT5t" \
		"9PA"
#define YESCRYPT "$y$j9T$c3v5ndZHvEBHxf4mdnmR.1$lIEUWXrM191Xk2ckR3J5M4BLL20B" \
		"ckgH716xLKIUkCA"
#define GOST	"$gy$j9T$.jYEzQtA0Tglw4WWU/KXy1$YVX/HL6TV7ManRCkzu2M4BWfGwOcU" \
		"HcTDMCspjXBKi6"
#define SCRYPT	"$7$CU..../....Isw6i49.4fk2iS4MwIozt/$Ke/012zh02Fzvo2nrZZK4Y" \
		"pdev9L8IocmBVxp2f98y1"

static struct htpasswd *
load(const char *text, size_t len, char **messages)
{
	size_t	 n = 0;
	struct htpasswd	*users;
	FILE	*f = open_memstream(messages, &n);

	assert_non_null(f);
	users = htpasswd_parse(text, len, "users", f);
	fclose(f);
	return users;
}

static struct htpasswd *
load_good(const char *text)
{
	char	*messages = NULL;
	struct htpasswd	*users = load(text, strlen(text), &messages);

	if (users == NULL)
		fail_msg("%s", messages);
	free(messages);
	return users;
}

static enum htpasswd_result
verify(struct htpasswd *users, const char *user, const char *password,
    size_t len)
{
	return htpasswd_check(users, user, password, len);
}

static void
expect(struct htpasswd *users, const char *user, const char *password,
    enum htpasswd_result want)
{
	enum htpasswd_result	 got = verify(users, user, password,
				    strlen(password));

	if (got != want)
		fail_msg("%s / %s: want %d, got %d", user, password, want,
		    got);
}

static void
test_pwhash_knows_schemes(void **state)
{
	static const struct {
		const char		*hash;
		enum pwhash_scheme	 scheme;
		uint64_t		 cost;
		bool			 weak;
	}		 cases[] = {
		{ BCRYPT, PWHASH_BCRYPT, 5, true },
		{ "$2a$10$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK82"
		    "62", PWHASH_BCRYPT, 10, false },
		{ "$2b$15$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK82"
		    "62", PWHASH_BCRYPT, 15, false },
		{ SHA512, PWHASH_SHA512, 5000, false },
		{ "$5$rounds=1000000$salt$LhSrwWE3Ui/TqlqDS6D0eFwPOX1bkvGu/DL"
		    "OhT5t9PA", PWHASH_SHA256, 1000000, false },
		{ YESCRYPT, PWHASH_YESCRYPT, 32 << 12, false },
		{ GOST, PWHASH_GOST_YESCRYPT, 32 << 12, false },
		{ SCRYPT, PWHASH_SCRYPT, 32 << 14, false },
		{ "!", PWHASH_LOCKED, 0, false },
		{ "*", PWHASH_LOCKED, 0, false },
		{ "!" BCRYPT, PWHASH_LOCKED, 0, false }
	};
	struct pwhash	 got;
	const char	*why;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why = pwhash_parse(cases[i].hash, &got);
		if (why != NULL)
			fail_msg("%s: %s", cases[i].hash, why);
		assert_int_equal(got.scheme, cases[i].scheme);
		assert_int_equal(got.cost, cases[i].cost);
		assert_int_equal(got.weak, cases[i].weak);
	}
}

static void
test_pwhash_refuses(void **state)
{
	static const char *const hashes[] = {
		"", "x", "secret", "abXFvCLFg2/Xo", "_J9..rasmBYk8r9AiWNc",
		"$apr1$abcdefgh$0123456789012345678901",
		"$1$abcdefgh$0123456789012345678901", "$3$$8846f7eaee8fb117",
		"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "{SSHA}abc", "$md5$a$$b",
		"$sha1$1000$a$b", "$argon2id$v=19$m=65536,t=3,p=4$a$b",
		/* bcrypt: variant, costs, length, alphabet */
		"$2x$10$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK8262",
		"$2y$04$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK8262",
		"$2y$16$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK8262",
		"$2y$31$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK8262",
		"$2y$1$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK8262",
		"$2y$10$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK826",
		"$2y$10$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK82622",
		"$2y$10$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo-07azPK8262",
		"$2y$10$", "$2y$",
		/* SHA-2: rounds, salt, length */
		"$5$rounds=999$salt$LhSrwWE3Ui/TqlqDS6D0eFwPOX1bkvGu/DLOhT5t9"
		    "PA",
		"$5$rounds=1000001$salt$LhSrwWE3Ui/TqlqDS6D0eFwPOX1bkvGu/DLOh"
		    "T5t9PA",
		"$5$rounds=99999999999999999999$salt$LhSrwWE3Ui/TqlqDS6D0eFwP"
		    "OX1bkvGu/DLOhT5t9PA",
		"$5$rounds=$salt$LhSrwWE3Ui/TqlqDS6D0eFwPOX1bkvGu/DLOhT5t9PA",
		"$5$rounds=5000", "$5$seventeen.letters$LhSrwWE3Ui/TqlqDS6D0e"
		    "FwPOX1bkvGu/DLOhT5t9PA", "$6$salt$short", "$6$salt",
		/* yescrypt and scrypt: memory, parameters, ends too early */
		"$y$jVT$c3v5ndZHvEBHxf4mdnmR.1$lIEUWXrM191Xk2ckR3J5M4BLL20Bck"
		    "gH716xLKIUkCA",
		"$y$k9T$c3v5ndZHvEBHxf4mdnmR.1$lIEUWXrM191Xk2ckR3J5M4BLL20Bck"
		    "gH716xLKIUkCA",
		"$y$j9T", "$y$j", "$y$", "$y$j9T$", "$y$j9T$a", "$y$j9T$a$b",
		"$7$", "$7$CU..", "$7$CU..../....", "$7$CU..../....$b",
		"$7$zU..../....Isw6i49.4fk2iS4MwIozt/$Ke/012zh02Fzvo2nrZZK4Yp"
		    "dev9L8IocmBVxp2f98y1",
		"$7$CU....z....Isw6i49.4fk2iS4MwIozt/$Ke/012zh02Fzvo2nrZZK4Yp"
		    "dev9L8IocmBVxp2f98y1"
	};
	struct pwhash		 got;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (pwhash_parse(hashes[i], &got) == NULL)
			fail_msg("%s was taken", hashes[i]);
}

static void
test_htpasswd_checks_each_scheme(void **state)
{
	struct htpasswd	*users = load_good(
	    "alice:" BCRYPT "\n"
	    "carol:" SHA512 "\n"
	    "dave:" SHA256 "\n"
	    "eve:" YESCRYPT "\n"
	    "gost:" GOST "\n"
	    "scry:" SCRYPT "\n");

	(void)state;
	assert_int_equal(htpasswd_count(users), 6);
	expect(users, "alice", "alice-pw", HTPASSWD_GOOD);
	expect(users, "carol", "carol-pw", HTPASSWD_GOOD);
	expect(users, "dave", "dave-pw", HTPASSWD_GOOD);
	expect(users, "eve", "eve-pw", HTPASSWD_GOOD);
	expect(users, "gost", "gost-pw", HTPASSWD_GOOD);
	expect(users, "scry", "scry-pw", HTPASSWD_GOOD);
	expect(users, "alice", "carol-pw", HTPASSWD_WRONG);
	expect(users, "alice", "alice-pw ", HTPASSWD_WRONG);
	expect(users, "eve", "eve-p", HTPASSWD_WRONG);
	expect(users, "Alice", "alice-pw", HTPASSWD_UNKNOWN);
	expect(users, "nobody", "alice-pw", HTPASSWD_UNKNOWN);
	expect(users, "", "alice-pw", HTPASSWD_UNKNOWN);
	htpasswd_free(users);
}

static void
test_htpasswd_bounds_passwords(void **state)
{
	char	 text[600];
	struct htpasswd	*users = load_good("alice:" BCRYPT "\n");

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(verify(users, "alice", "", 0), HTPASSWD_WRONG);
	assert_int_equal(verify(users, "alice", "alice-pw\0x", 10),
	    HTPASSWD_WRONG);
	assert_int_equal(verify(users, "alice", "alice-pw\0", 9),
	    HTPASSWD_WRONG);
	assert_int_equal(verify(users, "alice", text, 511), HTPASSWD_WRONG);
	assert_int_equal(verify(users, "alice", text, 512), HTPASSWD_WRONG);
	assert_int_equal(verify(users, "alice", text, 600), HTPASSWD_WRONG);
	htpasswd_free(users);
}

/* The longest passwords: all 511 bytes count, and of bcrypt's the first 72. */
static void
test_htpasswd_long_passwords(void **state)
{
	static const struct {
		const char	*setting;
		size_t		 len, counts;
	}		 cases[] = {
		{ "$2y$05$abcdefghijklmnopqrstuu", 71, 71 },
		{ "$2y$05$abcdefghijklmnopqrstuu", 72, 72 },
		{ "$2y$05$abcdefghijklmnopqrstuu", 73, 72 },
		{ "$5$rounds=1000$salt$", 511, 511 },
		{ "$6$rounds=1000$salt$", 511, 511 },
		{ "$y$j75$c3v5ndZHvEBHxf4mdnmR.1$", 511, 511 }
	};
	static struct crypt_data data;
	struct htpasswd	*users;
	char		 password[PWHASH_MAX + 2], line[512];
	size_t		 i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = cases[i].len;
		memset(password, 'p', sizeof(password));
		password[len] = '\0';
		snprintf(line, sizeof(line), "long:%s\n", crypt_rn(password,
		    cases[i].setting, &data, sizeof(data)));
		users = load_good(line);
		password[len] = 'p';
		assert_int_equal(verify(users, "long", password, len),
		    HTPASSWD_GOOD);
		if (len == PWHASH_MAX)
			assert_int_equal(verify(users, "long", password,
			    len + 1), HTPASSWD_WRONG);
		password[cases[i].counts - 1] = 'q';
		assert_int_equal(verify(users, "long", password, len),
		    HTPASSWD_WRONG);
		password[cases[i].counts - 1] = 'p';
		password[cases[i].counts] = 'q';
		if (len > cases[i].counts)
			assert_int_equal(verify(users, "long", password, len),
			    HTPASSWD_GOOD);
		assert_int_equal(verify(users, "long", password,
		    cases[i].counts - 1), HTPASSWD_WRONG);
		htpasswd_free(users);
	}
}

static void
test_htpasswd_takes_many_lines(void **state)
{
	struct htpasswd	*users;
	size_t		 len = 0, i;
	char		*text = NULL;
	FILE		*f = open_memstream(&text, &len);

	(void)state;
	assert_non_null(f);
	for (i = 0; i < 1000000; i++)
		fprintf(f, "u%zu:!\n", i);
	fprintf(f, "alice:" BCRYPT);
	fclose(f);
	users = load_good(text);
	free(text);
	assert_int_equal(htpasswd_count(users), 1000001);
	expect(users, "alice", "alice-pw", HTPASSWD_GOOD);
	expect(users, "u999999", "x", HTPASSWD_LOCKED);
	expect(users, "u1000000", "x", HTPASSWD_UNKNOWN);
	htpasswd_free(users);
}

static void
test_htpasswd_locked_never_match(void **state)
{
	static const char	 locked[] = "!" BCRYPT;
	static const char *const passwords[] = { "*", "!", "*0", "*1",
	    "alice-pw", BCRYPT, locked };
	struct htpasswd			*users = load_good("star:*\nbang:!\n"
				    "locked:!" BCRYPT "\nalice:" BCRYPT "\n");
	const char		*hash = NULL;
	size_t			 i;

	(void)state;
	assert_int_equal(htpasswd_find(users, "alice", &hash),
	    HTPASSWD_GOOD);
	assert_string_equal(hash, BCRYPT);
	assert_int_equal(htpasswd_find(users, "locked", NULL),
	    HTPASSWD_LOCKED);
	assert_int_equal(htpasswd_find(users, "star", &hash),
	    HTPASSWD_LOCKED);
	assert_int_equal(htpasswd_find(users, "nobody", &hash),
	    HTPASSWD_UNKNOWN);
	for (i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++) {
		expect(users, "star", passwords[i], HTPASSWD_LOCKED);
		expect(users, "bang", passwords[i], HTPASSWD_LOCKED);
		expect(users, "locked", passwords[i], HTPASSWD_LOCKED);
	}
	htpasswd_free(users);
	/* With nobody to imitate there is nothing to compute. */
	users = load_good("star:*\n");
	expect(users, "star", "*", HTPASSWD_LOCKED);
	expect(users, "nobody", "x", HTPASSWD_UNKNOWN);
	htpasswd_free(users);
	users = load_good("");
	expect(users, "nobody", "x", HTPASSWD_UNKNOWN);
	htpasswd_free(users);
}

static void
test_htpasswd_takes_odd_files(void **state)
{
	static const char *const texts[] = {
		"alice:" BCRYPT,			/* no newline */
		"alice:" BCRYPT "\r\n",
		"\xef\xbb\xbf" "alice:" BCRYPT "\n",
		"# comment\n\n  \t\nalice:" BCRYPT "\n\n",
		"alice:" BCRYPT ":Alice Example:rest\n",
		"zed:!\nalice:" BCRYPT "\nbob:*\n"
	};
	struct htpasswd			*users;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		users = load_good(texts[i]);
		expect(users, "alice", "alice-pw", HTPASSWD_GOOD);
		htpasswd_free(users);
	}
}

static void
test_htpasswd_refuses_by_line(void **state)
{
	static const struct {
		const char	*text;
		size_t		 len;
		const char	*found;
	}		 cases[] = {
#define TEXT(s)	s, sizeof(s) - 1
		{ TEXT("a:!\nbroken\n"), "users:2: no ':'" },
		{ TEXT("a:!\n\n:!\n"), "users:3: empty user name" },
		{ TEXT("a:!\nb:!\na:*\n"), "users:3: the user of line 1" },
		{ TEXT("a:\n"), "users:1: empty hash" },
		{ TEXT("a:plain\n"), "users:1: not a hash" },
		{ TEXT("a:!\0\n"), "users:1: NUL" },
		{ TEXT("a\tb:!\n"), "users:1: control character" },
		{ TEXT("a:!\nb:$apr1$a$b\nc:{SHA}x\n"), "users:3: SHA-1" }
#undef TEXT
	};
	char		*messages;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		messages = NULL;
		assert_null(load(cases[i].text, cases[i].len, &messages));
		if (strstr(messages, cases[i].found) == NULL)
			fail_msg("no \"%s\" in: %s", cases[i].found,
			    messages);
		free(messages);
	}
}

static void
test_htpasswd_reads_from_the_start(void **state)
{
	char	 path[] = "/tmp/test_htpasswd.XXXXXX";
	void	*first, *second;
	int	 fd = mkstemp(path);

	(void)state;
	assert_int_not_equal(fd, -1);
	unlink(path);
	assert_int_equal(write(fd, "alice:" BCRYPT "\n", 67), 67);
	first = htpasswd_load(fd, "users", stdout);
	second = htpasswd_load(fd, "users", stdout);
	assert_int_equal(htpasswd_count(first), 1);
	assert_int_equal(htpasswd_count(second), 1);
	htpasswd_free(first);
	htpasswd_free(second);
	close(fd);
}

static void
test_htpasswd_takes_many_users(void **state)
{
	size_t	 len = 0, i;
	char	*text = NULL, name[16];
	FILE	*f = open_memstream(&text, &len);
	struct htpasswd	*users;

	(void)state;
	assert_non_null(f);
	for (i = 0; i < 100000; i++)
		fprintf(f, "user%zu:%s\n", i * 7919 % 100000, BCRYPT);
	fclose(f);
	users = load_good(text);
	free(text);
	assert_int_equal(htpasswd_count(users), 100000);
	for (i = 0; i < 100000; i += 33333) {
		snprintf(name, sizeof(name), "user%zu", i);
		expect(users, name, "alice-pw", HTPASSWD_GOOD);
	}
	htpasswd_free(users);
}

static uint64_t
time_of(struct htpasswd *users, const char *user, enum htpasswd_result verdict)
{
	uint64_t	 best = UINT64_MAX, start, us;
	unsigned	 i;

	for (i = 0; i < 3; i++) {
		start = clock_monotonic_us();
		expect(users, user, "wrong", verdict);
		us = clock_monotonic_us() - start;
		if (us < best)
			best = us;
	}
	return best;
}

/* A stranger costs what most users cost, not nothing and not the default. */
static void
test_htpasswd_hides_who_exists(void **state)
{
	struct htpasswd		*users = load_good("carol:" SHA512 "\n"
	    "a:$2y$11$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK8262\n"
	    "b:$2y$05$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK8262\n"
	    "locked:!\n");
	uint64_t	 known, unknown, locked;

	(void)state;
	known = time_of(users, "a", HTPASSWD_WRONG);
	unknown = time_of(users, "nobody", HTPASSWD_UNKNOWN);
	locked = time_of(users, "locked", HTPASSWD_LOCKED);
	assert_in_range(unknown, known / 3, known * 3);
	assert_in_range(locked, known / 3, known * 3);
	htpasswd_free(users);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_pwhash_knows_schemes),
		cmocka_unit_test(test_pwhash_refuses),
		cmocka_unit_test(test_htpasswd_checks_each_scheme),
		cmocka_unit_test(test_htpasswd_bounds_passwords),
		cmocka_unit_test(test_htpasswd_long_passwords),
		cmocka_unit_test(test_htpasswd_takes_many_lines),
		cmocka_unit_test(test_htpasswd_locked_never_match),
		cmocka_unit_test(test_htpasswd_takes_odd_files),
		cmocka_unit_test(test_htpasswd_refuses_by_line),
		cmocka_unit_test(test_htpasswd_reads_from_the_start),
		cmocka_unit_test(test_htpasswd_takes_many_users),
		cmocka_unit_test(test_htpasswd_hides_who_exists)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
