/* SPDX-License-Identifier: ISC */
/*
 * Patterns of docker_auth: globs of Go's path.Match, and regular expressions
 * between slashes.  Runs in authctl.
 */
#include "import.h"

#include <string.h>

#include "str.h"

struct writer {
	char		*to;
	size_t		 len;
	enum import_kind kind;
	unsigned	 stars;		/* 1 or 2: what is at the end */
	bool		 full;
};

static void
put_text(struct writer *w, const char *text, size_t len)
{
	if (w->len + len > ACL_MAX_PATTERN) {
		w->full = true;
		return;
	}
	memcpy(w->to + w->len, text, len);
	w->len += len;
	w->to[w->len] = '\0';
	w->stars = 0;
}

/* Several stars side by side are the widest of them. */
static void
put_stars(struct writer *w, unsigned stars)
{
	unsigned	 have = w->stars;

	if (have >= stars)
		return;
	put_text(w, "**", stars - have);
	if (!w->full)
		w->stars = stars;
}

/*
 * Length of a variable that is known here, 0 for none; it has been written
 * then.
 */
static size_t
put_variable(struct writer *w, const char *from)
{
	static const char	 account[] = "${account}";
	static const char	 service[] = "${service}";

	if (w->kind != IMPORT_USER && str_starts(from, account)) {
		put_text(w, "${user}", 7);
		return sizeof(account) - 1;
	}
	if (w->kind == IMPORT_NAME && str_starts(from, service)) {
		put_text(w, service, sizeof(service) - 1);
		return sizeof(service) - 1;
	}
	return 0;
}

/* What stands for itself in both, even behind a backslash. */
static bool
is_literal(char c)
{
	return c != '\0' && strchr("*$\\{}", c) == NULL;
}

static const char *
glob(struct writer *w, const char *from)
{
	size_t	 n;

	while (*from != '\0') {
		if ((n = put_variable(w, from)) > 0) {
			from += n;
			continue;
		}
		if (*from == '*') {
			put_stars(w, 1);
			from++;
			continue;
		}
		if (*from == '?' || *from == '[')
			return "a glob with ? or [";
		if (*from == '\\' && is_literal(from[1]))
			from++;
		if (!is_literal(*from))
			return "a variable or a letter that has another "
			    "meaning here";
		put_text(w, from++, 1);
	}
	return NULL;
}

/*
 * "one or more" where none is impossible anyway: a part of a name is never
 * empty.
 */
static bool
is_whole_part(const struct writer *w, const char *begin, const char *rest,
    const char *end, bool anchored)
{
	bool	 starts = w->len > 0 ? w->to[w->len - 1] == '/' :
		    anchored && begin != NULL;

	return w->kind == IMPORT_NAME && w->stars == 0 && starts &&
	    ((rest + 1 == end && *rest == '$') || *rest == '/');
}

/* The length of what a star can stand for at "from", 0: something else. */
static size_t
put_repeat(struct writer *w, const char *from, const char *end, bool anchored)
{
	if (str_starts(from, ".*")) {
		put_stars(w, 2);
		return 2;
	}
	if (str_starts(from, "[^/]*")) {
		put_stars(w, 1);
		return 5;
	}
	if (str_starts(from, "[^/]+") &&
	    is_whole_part(w, from, from + 5, end, anchored)) {
		put_stars(w, 1);
		return 5;
	}
	if (str_starts(from, ".+") && from[2] == '$' &&
	    is_whole_part(w, from, from + 2, end, anchored)) {
		put_stars(w, 2);
		return 2;
	}
	return 0;
}

/* Up to "end", the last slash. */
static const char *
regex(struct writer *w, const char *from, const char *end)
{
	bool	 anchored = *from == '^';
	size_t	 n;

	if (anchored)
		from++;
	else
		put_stars(w, 2);
	while (from < end) {
		if (*from == '$' && from + 1 == end)
			return NULL;
		if ((n = put_variable(w, from)) > 0 ||
		    (n = put_repeat(w, from, end, anchored)) > 0) {
			from += n;
			continue;
		}
		if (strchr(".^$|()[]{}*+?", *from) != NULL)
			return "a regular expression that is no plain pattern";
		/* Letters and digits behind a backslash are classes. */
		if (*from == '\\') {
			from++;
			if (from == end || !is_literal(*from) ||
			    strchr("./-_+?()[]|^@#%:,;!~=&<> ", *from) == NULL)
				return "a regular expression with classes or "
				    "escapes";
		}
		put_text(w, from++, 1);
	}
	put_stars(w, 2);
	return NULL;
}

const char *
import_pattern(const char *from, enum import_kind kind,
    char to[ACL_MAX_PATTERN + 1])
{
	struct writer	 w = { .to = to, .kind = kind };
	const char	*why;
	size_t		 len = strlen(from);

	*to = '\0';
	if (kind == IMPORT_USER && (strcmp(from, "/.+/") == 0 ||
	    strcmp(from, "/^.+$/") == 0)) {
		str_copy(to, ACL_MAX_PATTERN + 1, "*");
		return NULL;
	}
	why = len > 2 && *from == '/' && from[len - 1] == '/' ?
	    regex(&w, from + 1, from + len - 1) : glob(&w, from);
	if (why != NULL)
		return why;
	return w.full ? "a pattern that is too long" : acl_pattern_wrong(to);
}
