/* SPDX-License-Identifier: ISC */
/*
 * Which password hashes we take: the structure of each scheme's text is
 * checked here, and its cost is bounded, before crypt(3) sees it.  A hash
 * with an absurd cost would otherwise stop a verifier for minutes.
 */
#include "pwhash.h"

#include <stddef.h>
#include <string.h>

#include "str.h"

#define BCRYPT_MIN	5		/* what htpasswd -B makes by itself */
#define BCRYPT_GOOD	10
#define BCRYPT_MAX	15
#define SHA_MIN		1000
#define SHA_DEFAULT	5000
#define SHA_MAX		1000000
#define MEMORY_MAX	(UINT64_C(256) << 20)	/* of scrypt, yescrypt */
#define SCRYPT_MAX_P	4

static const char	 itoa64[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Exactly n characters of the alphabet, and then the end. */
static bool
is_digits(const char *s, size_t n)
{
	return strspn(s, itoa64) == n && s[n] == '\0';
}

static int
digit(char c)
{
	const char	*at = c == '\0' ? NULL : strchr(itoa64, c);

	return at == NULL ? -1 : (int)(at - itoa64);
}

/* $2y$10$ and 22 + 31 characters */
static const char *
parse_bcrypt(const char *s, struct pwhash *out)
{
	uint64_t	 cost;

	if (str_parse_u64(s, 2, 99, &cost) == -1 || s[2] != '$' ||
	    !is_digits(s + 3, 53))
		return "malformed bcrypt hash";
	if (cost < BCRYPT_MIN)
		return "bcrypt cost below 5";
	if (cost > BCRYPT_MAX)
		return "bcrypt cost above 15";
	out->scheme = PWHASH_BCRYPT;
	out->cost = cost;
	out->weak = cost < BCRYPT_GOOD;
	return NULL;
}

/* $6$[rounds=N$]salt$hash */
static const char *
parse_sha(const char *s, enum pwhash_scheme scheme, size_t hashlen,
    struct pwhash *out)
{
	static const char	 prefix[] = "rounds=";
	uint64_t		 rounds = SHA_DEFAULT;
	size_t			 n;

	if (str_starts(s, prefix)) {
		s += sizeof(prefix) - 1;
		n = strcspn(s, "$");
		if (s[n] != '$' || n > 9 ||
		    str_parse_u64(s, n, UINT32_MAX, &rounds) == -1)
			return "malformed rounds= of a SHA-2 hash";
		if (rounds < SHA_MIN)
			return "SHA-2 rounds below 1000";
		if (rounds > SHA_MAX)
			return "SHA-2 rounds above 1000000";
		s += n + 1;
	}
	n = strspn(s, itoa64);
	if (n > 16 || s[n] != '$' || !is_digits(s + n + 1, hashlen))
		return "malformed SHA-2 hash";
	out->scheme = scheme;
	out->cost = rounds;
	return NULL;
}

static const char *
check_memory(unsigned n_log2, uint64_t r)
{
	if (n_log2 > 30 || r == 0 || r > MEMORY_MAX ||
	    (UINT64_C(128) << n_log2) > MEMORY_MAX / r)
		return "memory cost above 256 MiB";
	return NULL;
}

/*
 * $y$j9T$salt$hash: the flavour, then log2(N) - 1 and r - 1, each one digit
 * below 48.  Parameters beyond these three are not made by any tool.
 */
static const char *
parse_yescrypt(const char *s, enum pwhash_scheme scheme, struct pwhash *out)
{
	const char	*why;
	size_t		 n;
	int		 n_log2, r;

	if (s[0] != 'j' || (n_log2 = digit(s[1])) == -1 || n_log2 >= 48 ||
	    (r = digit(s[2])) == -1 || r >= 48 || s[3] != '$')
		return "yescrypt parameters that are not supported";
	n = strspn(s + 4, itoa64);
	if (n == 0 || n > 86 || s[4 + n] != '$' || !is_digits(s + 5 + n, 43))
		return "malformed yescrypt hash";
	if ((why = check_memory((unsigned)n_log2 + 1, (uint64_t)r + 1)) !=
	    NULL)
		return why;
	out->scheme = scheme;
	out->cost = ((uint64_t)r + 1) << (n_log2 + 1);
	return NULL;
}

/* Five digits, the least significant first. */
static int
parse_u30(const char *s, uint64_t *out)
{
	uint64_t	 n = 0;
	unsigned	 i;
	int		 d;

	for (i = 0; i < 5; i++) {
		if ((d = digit(s[i])) == -1)
			return -1;
		n |= (uint64_t)d << (6 * i);
	}
	*out = n;
	return 0;
}

/* $7$, log2(N), r and p of five digits, salt$hash */
static const char *
parse_scrypt(const char *s, struct pwhash *out)
{
	const char	*why;
	uint64_t	 r, p;
	size_t		 n;
	int		 n_log2;

	if ((n_log2 = digit(s[0])) == -1 || n_log2 == 0 ||
	    parse_u30(s + 1, &r) == -1 || parse_u30(s + 6, &p) == -1 ||
	    p == 0)
		return "malformed scrypt hash";
	n = strcspn(s + 11, "$");
	if (n == 0 || n > 128 || s[11 + n] != '$' ||
	    !is_digits(s + 12 + n, 43))
		return "malformed scrypt hash";
	if (p > SCRYPT_MAX_P)
		return "scrypt p above 4";
	if ((why = check_memory((unsigned)n_log2, r)) != NULL)
		return why;
	out->scheme = PWHASH_SCRYPT;
	out->cost = (r * p) << n_log2;
	return NULL;
}

/* Schemes that are known and not taken: say so by name. */
static const char *
refusal(const char *hash)
{
	static const struct {
		const char	*prefix;
		const char	*why;
	}		 refused[] = {
		{ "$apr1$", "apr1 (MD5) hash, which is weak: make it anew "
		    "with authctl passwd" },
		{ "$1$", "MD5 hash, which is weak: make it anew with "
		    "authctl passwd" },
		{ "$3$", "NT hash, which is weak: make it anew with authctl "
		    "passwd" },
		{ "$md5", "Sun MD5 hash, which is weak: make it anew with "
		    "authctl passwd" },
		{ "$sha1", "SHA-1 hash, which is weak: make it anew with "
		    "authctl passwd" },
		{ "{SHA}", "SHA-1 hash, which is weak: make it anew with "
		    "authctl passwd" },
		{ "{SSHA}", "SHA-1 hash, which is weak: make it anew with "
		    "authctl passwd" },
		{ "$2x$", "bcrypt $2x$ hash, which is broken" },
		{ "$argon2", "argon2 hash, which is not supported" }
	};
	size_t		 i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (str_starts(hash, refused[i].prefix))
			return refused[i].why;
	return "not a hash that is taken (bcrypt, $5$, $6$, $y$, $gy$, $7$); "
	    "DES and plain passwords are refused";
}

const char *
pwhash_parse(const char *hash, struct pwhash *out)
{
	memset(out, 0, sizeof(*out));
	if (*hash == '\0')
		return "empty hash";
	if (*hash == '!' || *hash == '*') {
		out->scheme = PWHASH_LOCKED;
		return NULL;
	}
	if (str_starts(hash, "$2a$") || str_starts(hash, "$2b$") ||
	    str_starts(hash, "$2y$"))
		return parse_bcrypt(hash + 4, out);
	if (str_starts(hash, "$5$"))
		return parse_sha(hash + 3, PWHASH_SHA256, 43, out);
	if (str_starts(hash, "$6$"))
		return parse_sha(hash + 3, PWHASH_SHA512, 86, out);
	if (str_starts(hash, "$y$"))
		return parse_yescrypt(hash + 3, PWHASH_YESCRYPT, out);
	if (str_starts(hash, "$gy$"))
		return parse_yescrypt(hash + 4, PWHASH_GOST_YESCRYPT, out);
	if (str_starts(hash, "$7$"))
		return parse_scrypt(hash + 3, out);
	return refusal(hash);
}
