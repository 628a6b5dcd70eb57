/* SPDX-License-Identifier: ISC */
/*
 * Whether one pattern matches whatever another matches.  For administrators
 * only, in authctl: it may take some time.
 *
 * Both patterns are automata with one place behind each token.  The narrow
 * one is followed letter by letter, with the set of places in which the wide
 * one could then be; where the narrow one ends, the wide one must be able to
 * end.  Letters are those of the patterns, one that stands for all others,
 * and each variable, of which nothing is known but that it is the same in
 * both.
 */
#include "acl.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

#define STAR		0x100u		/* "*" */
#define STARS		0x101u		/* "**" */
#define USER		0x102u		/* ${user} */
#define SERVICE		0x103u
#define OTHER		0x104u		/* a letter in neither pattern */
#define MAX_TOKENS	ACL_MAX_PATTERN
#define WORDS		(MAX_TOKENS / 64 + 1)
#define MAX_STATES	4096		/* more is taken for "no" */

struct tokens {
	uint16_t	 t[MAX_TOKENS];
	size_t		 n;
};

struct state {
	size_t		 at;		/* in the narrow pattern */
	uint64_t	 wide[WORDS];	/* places in the wide one */
};

struct cover {
	struct tokens	 narrow, wide;
	uint16_t	 letters[2 * MAX_TOKENS + 4];
	size_t		 nletters;
	struct state	*states;	/* seen, and from "done" on to do */
	size_t		 nstates, done;
};

static int
add_token(struct tokens *tokens, unsigned token)
{
	if (tokens->n == MAX_TOKENS)
		return -1;
	tokens->t[tokens->n++] = (uint16_t)token;
	return 0;
}

/* user: what ${user} stands for, NULL when that is not known. */
static int
tokenize(struct tokens *tokens, const char *pattern, const char *user)
{
	static const char	 user_variable[] = "${user}";
	static const char	 service_variable[] = "${service}";
	const char		*p = pattern, *u;

	tokens->n = 0;
	while (*p != '\0') {
		unsigned token = (unsigned char)*p;

		if (str_starts(p, "**")) {
			token = STARS;
			p += 2;
		} else if (*p == '*') {
			token = STAR;
			p++;
		} else if (str_starts(p, user_variable)) {
			token = USER;
			p += sizeof(user_variable) - 1;
			for (u = user; u != NULL && *u != '\0'; u++)
				if (add_token(tokens,
				    (unsigned char)*u) == -1)
					return -1;
			if (user != NULL)
				continue;
		} else if (str_starts(p, service_variable)) {
			token = SERVICE;
			p += sizeof(service_variable) - 1;
		} else
			p++;
		if (add_token(tokens, token) == -1)
			return -1;
	}
	return 0;
}

static bool
is_star(unsigned token)
{
	return token == STAR || token == STARS;
}

/* May this token take this letter? */
static bool
takes(unsigned token, unsigned letter)
{
	if (token == STARS)
		return true;
	/* A name may have a '/' in it. */
	if (token == STAR)
		return letter != '/' && letter != USER && letter != SERVICE;
	return token == letter;
}

static void
add_letters(struct cover *c, const struct tokens *tokens)
{
	size_t	 i, j;

	for (i = 0; i < tokens->n; i++) {
		if (is_star(tokens->t[i]) || tokens->t[i] >= USER)
			continue;
		for (j = 0; j < c->nletters; j++)
			if (c->letters[j] == tokens->t[i])
				break;
		if (j == c->nletters)
			c->letters[c->nletters++] = tokens->t[i];
	}
}

static bool
has(const uint64_t *set, size_t i)
{
	return (set[i / 64] >> (i % 64) & 1) != 0;
}

static void
put(uint64_t *set, size_t i)
{
	set[i / 64] |= (uint64_t)1 << (i % 64);
}

/* A star may stand for nothing: the place behind it is in the set, too. */
static void
close_set(const struct tokens *wide, uint64_t *set)
{
	size_t	 i;

	for (i = 0; i < wide->n; i++)
		if (has(set, i) && is_star(wide->t[i]))
			put(set, i + 1);
}

static void
step_set(const struct tokens *wide, const uint64_t *from, unsigned letter,
    uint64_t *to)
{
	size_t	 i;

	memset(to, 0, WORDS * sizeof(*to));
	for (i = 0; i < wide->n; i++)
		if (has(from, i) && takes(wide->t[i], letter))
			put(to, is_star(wide->t[i]) ? i : i + 1);
	close_set(wide, to);
}

/* -1: too many. */
static int
add_state(struct cover *c, size_t at, const uint64_t *set)
{
	size_t	 i;

	for (i = 0; i < c->nstates; i++)
		if (c->states[i].at == at && memcmp(c->states[i].wide, set,
		    sizeof(c->states[i].wide)) == 0)
			return 0;
	if (c->nstates == MAX_STATES)
		return -1;
	c->states[c->nstates].at = at;
	memcpy(c->states[c->nstates].wide, set,
	    sizeof(c->states[c->nstates].wide));
	c->nstates++;
	return 0;
}

/* All that can follow a state; false when the wide pattern fails there. */
static bool
follow(struct cover *c, const struct state *state)
{
	uint64_t	 set[WORDS];
	unsigned	 token;
	size_t		 i;

	if (state->at == c->narrow.n)
		return has(state->wide, c->wide.n);
	token = c->narrow.t[state->at];
	if (!is_star(token)) {
		step_set(&c->wide, state->wide, token, set);
		return add_state(c, state->at + 1, set) == 0;
	}
	if (add_state(c, state->at + 1, state->wide) == -1)
		return false;
	for (i = 0; i < c->nletters; i++) {
		if (!takes(token, c->letters[i]))
			continue;
		step_set(&c->wide, state->wide, c->letters[i], set);
		if (add_state(c, state->at, set) == -1)
			return false;
	}
	return true;
}

static bool
run(struct cover *c)
{
	struct state	 state;
	uint64_t	 set[WORDS] = { 0 };

	put(set, 0);
	close_set(&c->wide, set);
	if (add_state(c, 0, set) == -1)
		return false;
	while (c->done < c->nstates) {
		state = c->states[c->done++];
		if (!follow(c, &state))
			return false;
	}
	return true;
}

bool
acl_pattern_covers(const char *wide, const char *narrow, const char *user)
{
	struct cover	*c;
	bool		 covers = false;
	size_t		 n = strcspn(wide, "*$");

	/* The letters before the first star decide nearly always. */
	if (strcspn(narrow, "$") > n && strncmp(wide, narrow, n) != 0)
		return false;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return false;
	c->states = calloc(MAX_STATES, sizeof(*c->states));
	if (c->states != NULL && tokenize(&c->wide, wide, user) == 0 &&
	    tokenize(&c->narrow, narrow, user) == 0) {
		add_letters(c, &c->narrow);
		add_letters(c, &c->wide);
		/* It may be there twice. */
		c->letters[c->nletters++] = '/';
		c->letters[c->nletters++] = OTHER;
		covers = run(c);
	}
	free(c->states);
	free(c);
	return covers;
}
