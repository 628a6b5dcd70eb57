/* SPDX-License-Identifier: ISC */
/*
 * Scopes as text, as the access claim of a token, and as a bounded set.
 * Runs in registryd's worker (what a token allows) and in all of authd's
 * processes but the verifier (what is asked for, granted and signed).  Must
 * not decide anything: a scope says what, never who.
 */
#include "scope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In the order in which they are written. */
static const struct {
	const char	*name;
	unsigned	 bit;
} scope_actions[] = {
	{ "pull",	ACTION_PULL },
	{ "push",	ACTION_PUSH },
	{ "delete",	ACTION_DELETE },
	{ "*",		ACTION_ALL },
};
#define SCOPE_NACTIONS	(sizeof(scope_actions) / sizeof(scope_actions[0]))

unsigned
scope_action_parse(const char *text, size_t len)
{
	size_t	 i;

	for (i = 0; i < SCOPE_NACTIONS; i++) {
		if (strlen(scope_actions[i].name) == len &&
		    memcmp(scope_actions[i].name, text, len) == 0)
			return scope_actions[i].bit;
	}
	return 0;
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static size_t
alnum_span(const char *s, size_t len)
{
	size_t	 n = 0;

	while (n < len && is_alnum(s[n]))
		n++;
	return n;
}

/* "repository" or "repository(class)"; the class has no meaning any more. */
static int
parse_type(char *dst, const char *text, size_t len)
{
	size_t	 n, class;

	n = alnum_span(text, len);
	if (n == 0 || n >= SCOPE_MAX_TYPE)
		return -1;
	if (n < len) {
		class = alnum_span(text + n + 1, len - n - 1);
		if (text[n] != '(' || class == 0 || n + class + 2 != len ||
		    text[len - 1] != ')')
			return -1;
	}
	memcpy(dst, text, n);
	dst[n] = '\0';
	return 0;
}

/* Visible ASCII; what a name means is the business of who grants it. */
static int
parse_name(char *dst, const char *text, size_t len)
{
	size_t	 i;

	if (len == 0 || len >= SCOPE_MAX_NAME)
		return -1;
	for (i = 0; i < len; i++) {
		if (text[i] < 0x21 || text[i] > 0x7e)
			return -1;
	}
	memcpy(dst, text, len);
	dst[len] = '\0';
	return 0;
}

static unsigned
parse_actions(const char *text, size_t len)
{
	const char	*comma;
	unsigned	 actions = 0;
	size_t		 n;

	for (;;) {
		comma = memchr(text, ',', len);
		n = comma == NULL ? len : (size_t)(comma - text);
		if (n <= SCOPE_MAX_ACTION)
			actions |= scope_action_parse(text, n);
		if (comma == NULL)
			return actions;
		text += n + 1;
		len -= n + 1;
	}
}

int
scope_parse(struct scope *scope, const char *text, size_t len)
{
	struct scope	 parsed;
	const char	*first, *last;

	first = memchr(text, ':', len);
	last = memrchr(text, ':', len);
	if (first == NULL || first == last || last == text + len - 1)
		return -1;
	memset(&parsed, 0, sizeof(parsed));
	if (parse_type(parsed.type, text, (size_t)(first - text)) == -1 ||
	    parse_name(parsed.name, first + 1,
	    (size_t)(last - first - 1)) == -1)
		return -1;
	parsed.actions = parse_actions(last + 1,
	    (size_t)(text + len - last - 1));
	*scope = parsed;
	return 0;
}

int
scope_set_add_list(struct scope_set *set, const char *list)
{
	struct scope	 scope;
	size_t		 len;

	for (;;) {
		list += strspn(list, " ");
		len = strcspn(list, " ");
		if (len == 0)
			return 0;
		if (scope_parse(&scope, list, len) == 0 &&
		    scope_set_add(set, &scope) == -1)
			return -1;
		list += len;
	}
}

static struct scope *
set_find(const struct scope_set *set, const char *type, const char *name)
{
	size_t	 i;

	for (i = 0; i < set->n; i++) {
		if (strcmp(set->items[i].name, name) == 0 &&
		    strcmp(set->items[i].type, type) == 0)
			return &set->items[i];
	}
	return NULL;
}

int
scope_set_add(struct scope_set *set, const struct scope *scope)
{
	struct scope	*items;
	size_t		 cap;

	if (scope->actions == 0)
		return 0;
	items = set_find(set, scope->type, scope->name);
	if (items != NULL) {
		items->actions |= scope->actions;
		return 0;
	}
	if (set->n >= SCOPE_MAX) {
		errno = E2BIG;
		return -1;
	}
	/* Powers of two: full when n is one. */
	if ((set->n & (set->n - 1)) == 0) {
		cap = set->n == 0 ? 1 : 2 * set->n;
		items = reallocarray(set->items, cap, sizeof(*items));
		if (items == NULL)
			return -1;
		set->items = items;
	}
	set->items[set->n++] = *scope;
	return 0;
}

void
scope_set_done(struct scope_set *set)
{
	free(set->items);
	set->items = NULL;
	set->n = 0;
}

/* zot's extension: an entry may end before its token does. */
static bool
entry_is_over(const json_t *entry, int64_t now)
{
	const json_t	*exp;

	exp = json_object_get(entry, "exp");
	if (exp == NULL)
		return false;
	/* A fraction of a second does not count; 0 when not a number. */
	if (json_is_real(exp))
		return !(json_real_value(exp) >= (double)now + 1);
	return json_integer_value(exp) <= now;
}

static int
entry_actions(const json_t *list, unsigned *actions)
{
	const json_t	*item;
	size_t		 i;

	if (!json_is_array(list))
		return -1;
	*actions = 0;
	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		if (!json_is_string(item))
			return -1;
		*actions |= scope_action_parse(json_string_value(item),
		    json_string_length(item));
	}
	return 0;
}

static int
entry_parse(struct scope *scope, const json_t *entry, int64_t now)
{
	const json_t	*type, *name;

	type = json_object_get(entry, "type");
	name = json_object_get(entry, "name");
	if (!json_is_string(type) || !json_is_string(name) ||
	    entry_is_over(entry, now))
		return -1;
	memset(scope, 0, sizeof(*scope));
	if (parse_type(scope->type, json_string_value(type),
	    json_string_length(type)) == -1 ||
	    parse_name(scope->name, json_string_value(name),
	    json_string_length(name)) == -1)
		return -1;
	return entry_actions(json_object_get(entry, "actions"),
	    &scope->actions);
}

int
scope_set_from_claim(struct scope_set *set, const json_t *access, int64_t now)
{
	struct scope	 scope;
	size_t		 i;

	/* json_array_size() of anything else, or NULL, is 0. */
	for (i = 0; i < json_array_size(access); i++) {
		if (entry_parse(&scope, json_array_get(access, i), now) == 0 &&
		    scope_set_add(set, &scope) == -1)
			return -1;
	}
	return 0;
}

bool
scope_set_allows(const struct scope_set *set, const char *type,
    const char *name, unsigned actions)
{
	const struct scope	*item;

	item = set_find(set, type, name);
	if (item == NULL || actions == 0)
		return false;
	return (item->actions & ACTION_ALL) != 0 ||
	    (item->actions & actions) == actions;
}

int
scope_format(struct buf *buf, const char *type, const char *name,
    unsigned actions)
{
	const char	*separator = ":";
	size_t		 i;

	buf_addstr(buf, type);
	buf_addc(buf, ':');
	buf_addstr(buf, name);
	for (i = 0; i < SCOPE_NACTIONS; i++) {
		if ((actions & scope_actions[i].bit) == 0)
			continue;
		buf_addstr(buf, separator);
		buf_addstr(buf, scope_actions[i].name);
		separator = ",";
	}
	if (*separator == ':')
		buf_addc(buf, ':');
	return buf_failed(buf) ? -1 : 0;
}

static json_t *
actions_to_json(unsigned actions)
{
	json_t	*list;
	size_t	 i;

	list = json_array();
	for (i = 0; list != NULL && i < SCOPE_NACTIONS; i++) {
		if ((actions & scope_actions[i].bit) != 0 &&
		    json_array_append_new(list,
		    json_string(scope_actions[i].name)) == -1) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *
scope_set_to_claim(const struct scope_set *set)
{
	json_t	*access, *entry;
	size_t	 i;

	access = json_array();
	if (access == NULL)
		return NULL;
	for (i = 0; i < set->n; i++) {
		entry = json_object();
		/* The _new functions take the value even when they fail. */
		if (json_object_set_new(entry, "type",
		    json_string(set->items[i].type)) == -1 ||
		    json_object_set_new(entry, "name",
		    json_string(set->items[i].name)) == -1 ||
		    json_object_set_new(entry, "actions",
		    actions_to_json(set->items[i].actions)) == -1) {
			json_decref(entry);
			json_decref(access);
			return NULL;
		}
		if (json_array_append_new(access, entry) == -1) {
			json_decref(access);
			return NULL;
		}
	}
	return access;
}

/* Length of a run of separators that may stand between letters; 0 if bad. */
static size_t
separator_span(const char *s)
{
	switch (*s) {
	case '.':
		return 1;
	case '_':
		return s[1] == '_' ? 2 : 1;
	case '-':
		return strspn(s, "-");
	case '/':
		return 1;
	default:
		return 0;
	}
}

bool
scope_repository_name_ok(const char *name)
{
	size_t	 n, len;

	len = strlen(name);
	if (len >= SCOPE_MAX_NAME)
		return false;
	for (;;) {
		n = alnum_span(name, len);
		if (n == 0)
			return false;
		name += n;
		len -= n;
		if (len == 0)
			return true;
		n = separator_span(name);
		if (n == 0)
			return false;
		name += n;
		len -= n;
	}
}
