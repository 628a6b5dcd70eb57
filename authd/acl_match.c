/* SPDX-License-Identifier: ISC */
/*
 * Patterns of names.  Runs in the broker and in authctl.  What a client
 * chooses, its name included, is only ever compared byte by byte: it can
 * neither become a pattern nor make matching slow.
 */
#include "acl.h"

#include <stdint.h>
#include <string.h>

#define TOKEN_STAR	0x100u		/* "*" */
#define TOKEN_STARS	0x101u		/* "**" */
#define MAX_TOKENS	(2 * ACL_MAX_PATTERN)

static const char variable[] = "${user}";

const char *
acl_pattern_wrong(const char *pattern)
{
	const char	*p;

	if (*pattern == '\0')
		return "the pattern is empty";
	if (strlen(pattern) > ACL_MAX_PATTERN)
		return "the pattern is too long";
	for (p = pattern; (p = strstr(p, "${")) != NULL; p++) {
		if (strncmp(p, variable, sizeof(variable) - 1) != 0)
			return "the only variable is ${user}";
	}
	return NULL;
}

/*
 * The pattern with the user's name in it.  -1 when it cannot match: a
 * variable without a user, or more letters than a name may have.
 */
static int
expand(const char *pattern, const char *user, uint16_t tokens[MAX_TOKENS],
    size_t *ntokens)
{
	size_t	 n = 0;

	while (*pattern != '\0') {
		if (n + strlen(user) >= MAX_TOKENS)
			return -1;
		if (strncmp(pattern, variable, sizeof(variable) - 1) == 0) {
			if (*user == '\0')
				return -1;
			for (size_t i = 0; user[i] != '\0'; i++)
				tokens[n++] = (unsigned char)user[i];
			pattern += sizeof(variable) - 1;
		} else if (strncmp(pattern, "**", 2) == 0) {
			tokens[n++] = TOKEN_STARS;
			pattern += 2;
		} else if (*pattern == '*') {
			tokens[n++] = TOKEN_STAR;
			pattern++;
		} else
			tokens[n++] = (unsigned char)*pattern++;
	}
	*ntokens = n;
	return 0;
}

/* Does this place of the pattern still hold with one more character? */
static bool
step(const bool *at, const uint16_t *tokens, size_t ntokens, size_t i,
    unsigned char c)
{
	if (i < ntokens && at[i] && (tokens[i] == TOKEN_STARS ||
	    (tokens[i] == TOKEN_STAR && c != '/')))
		return true;
	return i > 0 && at[i - 1] && tokens[i - 1] == c;
}

/*
 * All places in the pattern at once, one character of the text after the
 * other: at[i] tells whether the text so far matches the first i tokens.
 */
static bool
match_tokens(const uint16_t *tokens, size_t ntokens, const char *text)
{
	bool	 at[MAX_TOKENS + 1];
	bool	 any = true;
	size_t	 i;

	memset(at, 0, sizeof(at));
	at[0] = true;
	for (;;) {
		/* A star may stand for nothing: the place behind it is on. */
		for (i = 0; i < ntokens; i++) {
			if (at[i] && tokens[i] >= TOKEN_STAR)
				at[i + 1] = true;
		}
		if (*text == '\0' || !any)
			return at[ntokens];
		any = false;
		/* Downwards: each place looks at the old one below it. */
		for (i = ntokens + 1; i-- > 0;) {
			at[i] = step(at, tokens, ntokens, i,
			    (unsigned char)*text);
			any = any || at[i];
		}
		text++;
	}
}

bool
acl_match(const char *pattern, const char *user, const char *text)
{
	uint16_t	 tokens[MAX_TOKENS];
	size_t		 ntokens, n;

	/* Most patterns begin with letters, and most names with others. */
	n = strcspn(pattern, "*$");
	if (strncmp(pattern, text, n) != 0)
		return false;
	if (pattern[n] == '\0')
		return text[n] == '\0';
	if (expand(pattern + n, user, tokens, &ntokens) == -1)
		return false;
	return match_tokens(tokens, ntokens, text + n);
}
