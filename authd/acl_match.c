/* SPDX-License-Identifier: ISC */
/*
 * Patterns of names.  Runs in the broker and in authctl.  What a client
 * chooses, its name included, is only ever compared byte by byte: it can
 * neither become a pattern nor make matching slow.
 */
#include "acl.h"

#include <stdint.h>
#include <string.h>

#include "str.h"

#define TOKEN_STAR	0x100u		/* "*" */
#define TOKEN_STARS	0x101u		/* "**" */
#define MAX_TOKENS	(2 * ACL_MAX_PATTERN)

static const char user_variable[] = "${user}";
static const char service_variable[] = "${service}";

const char *
acl_pattern_wrong(const char *pattern)
{
	const char	*p;

	if (*pattern == '\0')
		return "the pattern is empty";
	if (strlen(pattern) > ACL_MAX_PATTERN)
		return "the pattern is too long";
	for (p = pattern; (p = strstr(p, "${")) != NULL; p++) {
		if (strncmp(p, user_variable, sizeof(user_variable) - 1) != 0 &&
		    strncmp(p, service_variable,
		    sizeof(service_variable) - 1) != 0)
			return "the only variables are ${user} and "
			    "${service}";
	}
	return NULL;
}

/*
 * What the variable at the begin of a pattern stands for, and its length;
 * NULL when there is no variable.
 */
static const char *
variable_value(const char *pattern, const struct acl_names *names, size_t *len)
{
	if (str_starts(pattern, user_variable)) {
		*len = sizeof(user_variable) - 1;
		return names->user;
	}
	if (str_starts(pattern, service_variable)) {
		*len = sizeof(service_variable) - 1;
		return names->service;
	}
	return NULL;
}

/*
 * The pattern with the names in it.  -1 when it cannot match: a variable
 * that stands for nothing, or more letters than a name may have.
 */
static int
expand(const char *pattern, const struct acl_names *names,
    uint16_t tokens[MAX_TOKENS], size_t *ntokens)
{
	const char	*value;
	size_t		 n = 0, len;

	while (*pattern != '\0') {
		value = variable_value(pattern, names, &len);
		if (n + (value == NULL ? 1 : strlen(value)) > MAX_TOKENS)
			return -1;
		if (value != NULL) {
			if (*value == '\0')
				return -1;
			while (*value != '\0')
				tokens[n++] = (unsigned char)*value++;
			pattern += len;
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
acl_match(const char *pattern, const struct acl_names *names,
    const char *text)
{
	uint16_t	 tokens[MAX_TOKENS];
	size_t		 ntokens, n;

	/* Most patterns begin with letters, and most names with others. */
	n = strcspn(pattern, "*$");
	if (strncmp(pattern, text, n) != 0)
		return false;
	if (pattern[n] == '\0')
		return text[n] == '\0';
	if (expand(pattern + n, names, tokens, &ntokens) == -1)
		return false;
	return match_tokens(tokens, ntokens, text + n);
}
