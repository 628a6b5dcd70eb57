/* SPDX-License-Identifier: ISC */
/*
 * Grammar of repository names, tags and upload ids.  Runs in every process;
 * what passes here is later used as path components, so it is strict.
 */
#include "reference.h"

#include <string.h>

#include "str.h"

/* ASCII only, whatever the locale. */
static bool
is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* Length of the separator at s: ".", "_", "__" or any number of "-"; or 0. */
static size_t
separator(const char *s)
{
	if (s[0] == '-')
		return strspn(s, "-");
	if (s[0] == '_')
		return s[1] == '_' ? 2 : 1;
	return s[0] == '.' ? 1 : 0;
}

bool
repo_name_ok(const char *name)
{
	const char *s = name;
	size_t sep;

	if (strnlen(name, REPO_NAME_SIZE) > REPO_NAME_MAX)
		return false;
	for (;;) {
		if (!is_lower_alnum(*s))
			return false;
		while (is_lower_alnum(*s))
			s++;
		if (*s == '\0')
			return true;
		sep = *s == '/' ? 1 : separator(s);
		if (sep == 0)
			return false;
		s += sep;
	}
}

bool
tag_ok(const char *tag)
{
	size_t i;

	if (!is_alnum(tag[0]) && tag[0] != '_')
		return false;
	for (i = 1; tag[i] != '\0'; i++) {
		if (i >= TAG_MAX)
			return false;
		if (!is_alnum(tag[i]) && strchr("._-", tag[i]) == NULL)
			return false;
	}
	return true;
}

bool
upload_id_ok(const char *id)
{
	size_t i;

	if (!is_alnum(id[0]))
		return false;
	for (i = 1; id[i] != '\0'; i++) {
		if (i >= UPLOAD_ID_MAX)
			return false;
		if (!is_alnum(id[i]) && strchr("_=-", id[i]) == NULL)
			return false;
	}
	return true;
}

int
reference_parse(struct reference *ref, const char *text)
{
	struct reference res;

	memset(&res, 0, sizeof(res));
	if (strchr(text, ':') != NULL) {
		res.is_digest = true;
		if (digest_parse(&res.digest, text) == -1)
			return -1;
	} else if (!tag_ok(text) ||
	    str_copy(res.tag, sizeof(res.tag), text) == -1)
		return -1;
	*ref = res;
	return 0;
}
