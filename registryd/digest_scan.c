/* SPDX-License-Identifier: ISC */
/*
 * Digests in a text that nobody parses: runs where garbage is told from what
 * is in use, and so must find more rather than less than any client of the
 * registry could see.  A digest in a comment counts like one in a descriptor.
 */
#include "digest_scan.h"

#include <string.h>

#define PREFIX		7	/* "sha256:" */
#define ESCAPE_U	2	/* "\u" so far */
#define ESCAPE_END	6
#define OTHER		'\377'	/* no character of a digest */

void
digest_scan_init(struct digest_scan *s, digest_found_fn *found, void *arg)
{
	memset(s, 0, sizeof(*s));
	s->found = found;
	s->arg = arg;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Of a lower-case hex digit, or -1. */
static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Does c go on from the first n characters of a prefix? */
static bool
prefix_goes_on(struct digest_scan *s, unsigned n, char c)
{
	static const char *const prefixes[] = { "sha256:", "sha512:" };

	if (n == 3) {
		if (c != '2' && c != '5')
			return false;
		memset(&s->digest, 0, sizeof(s->digest));
		s->digest.alg = c == '2' ? DIGEST_SHA256 : DIGEST_SHA512;
		return true;
	}
	if (n < 3)
		return c == prefixes[0][n];
	return c == prefixes[s->digest.alg == DIGEST_SHA512][n];
}

static void
match_digest(struct digest_scan *s, char c)
{
	unsigned n;
	int v;

	if (s->matched < PREFIX) {
		if (prefix_goes_on(s, s->matched, c))
			s->matched++;
		else
			s->matched = c == 's';
		return;
	}
	if ((v = digit_value(c)) == -1) {
		s->matched = c == 's';
		return;
	}
	n = s->matched++ - PREFIX;
	s->digest.bytes[n / 2] |= (uint8_t)(n % 2 == 0 ? v << 4 : v);
	if (n + 1 == 2 * digest_alg_size(s->digest.alg)) {
		s->matched = 0;
		s->found(&s->digest, s->arg);
	}
}

static void
match_word(struct digest_scan *s, char c)
{
	static const char word[] = "\"subject\"";

	if (c == word[s->word])
		s->word++;
	else
		s->word = c == '"';
	if (s->word == sizeof(word) - 1) {
		s->subject = true;
		s->word = 1;
	}
}

static void
match(struct digest_scan *s, char c)
{
	c = lower(c);
	match_digest(s, c);
	if (!s->subject)
		match_word(s, c);
}

/* One more character of \uXXXX; what is none is taken as it stands. */
static void
unescape_code(struct digest_scan *s, char c)
{
	unsigned i, n = s->escape - ESCAPE_U;
	int v = digit_value(lower(c));

	if (v == -1) {
		s->escape = 0;
		match(s, 'u');
		for (i = 0; i < n; i++)
			match(s, s->raw[i]);
		digest_scan_feed(s, &c, 1);
		return;
	}
	s->raw[n] = c;
	s->code = s->code << 4 | (uint32_t)v;
	if (++s->escape == ESCAPE_END) {
		s->escape = 0;
		match(s, s->code < 0x80 ? (char)s->code : OTHER);
	}
}

static void
unescape(struct digest_scan *s, char c)
{
	if (s->escape >= ESCAPE_U) {
		unescape_code(s, c);
		return;
	}
	s->escape = 0;
	switch (c) {
	case 'u':
		s->escape = ESCAPE_U;
		s->code = 0;
		break;
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		match(s, OTHER);
		break;
	default:			/* itself, also where JSON has none */
		match(s, c);
	}
}

void
digest_scan_feed(struct digest_scan *s, const void *data, size_t len)
{
	const char *p = data;
	size_t i;

	for (i = 0; i < len; i++) {
		if (s->escape > 0)
			unescape(s, p[i]);
		else if (p[i] == '\\')
			s->escape = 1;
		else
			match(s, p[i]);
	}
}
