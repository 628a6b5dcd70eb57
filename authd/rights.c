/* SPDX-License-Identifier: ISC */
/*
 * Lists of rights and of networks, as the database has them.  Runs in the
 * broker, which narrows by them what access rules grant, and in the vault and
 * authctl, which check them before they are kept.
 */
#include "rights.h"

#include <string.h>

#include "str.h"

#define CATALOG		"registry:catalog"
#define REPOSITORY	"repository:"
#define REPOSITORY_ACTIONS	(ACTION_PULL | ACTION_PUSH | ACTION_DELETE)
#define ITEM_SIZE	(ACL_MAX_PATTERN + 64)

struct right {
	char		 pattern[ACL_MAX_PATTERN + 1];	/* "": the catalog */
	unsigned	 actions;
};

static unsigned
parse_actions(const char *text)
{
	unsigned	 actions = 0, action;
	size_t		 n;

	for (;;) {
		n = strcspn(text, ",");
		if ((action = scope_action_parse(text, n)) == 0)
			return 0;
		actions |= action;
		if (text[n] == '\0')
			return actions;
		text += n + 1;
	}
}

static bool
has_odd_character(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == ':' || (unsigned char)*text <= 0x20 ||
		    (unsigned char)*text >= 0x7f)
			return true;
	return false;
}

static const char *
parse(struct right *right, const char *text)
{
	char		 copy[ITEM_SIZE];
	const char	*pattern = copy;
	char		*actions;

	if (str_copy(copy, sizeof(copy), text) == -1)
		return "it is too long";
	if ((actions = strrchr(copy, ':')) == NULL)
		return "accepted: PATTERN:ACTIONS, or registry:catalog:*";
	*actions++ = '\0';
	if ((right->actions = parse_actions(actions)) == 0)
		return "actions are a list of pull, push, delete, *";
	if (strcmp(copy, CATALOG) == 0) {
		right->pattern[0] = '\0';
		return right->actions == ACTION_ALL ? NULL :
		    "the only action of the catalog is *";
	}
	if (str_starts(copy, REPOSITORY))
		pattern += sizeof(REPOSITORY) - 1;
	if (has_odd_character(pattern))
		return "a pattern has no ':', no blanks and only ASCII";
	if (str_copy(right->pattern, sizeof(right->pattern), pattern) == -1)
		return "the pattern is too long";
	/* Verifiers that compare strings need the three by name. */
	if ((right->actions & ACTION_ALL) != 0)
		right->actions |= REPOSITORY_ACTIONS;
	return acl_pattern_wrong(pattern);
}

const char *
rights_wrong(const char *text)
{
	struct right	 right;

	return parse(&right, text);
}

/* The first item of a list into dst; where the next begins, NULL: no more. */
static const char *
next_item(const char *list, char *dst, size_t size)
{
	size_t	 len;

	list += strspn(list, " ");
	if ((len = strcspn(list, " ")) == 0)
		return NULL;
	/* One that does not fit is wrong, and so not a right. */
	if (len >= size)
		len = 0;
	memcpy(dst, list, len);
	dst[len] = '\0';
	return list + strcspn(list, " ");
}

static bool
is_for(const struct right *right, const struct acl_names *names,
    const struct scope *wanted)
{
	if (strcmp(wanted->type, "registry") == 0)
		return right->pattern[0] == '\0' &&
		    strcmp(wanted->name, "catalog") == 0;
	return right->pattern[0] != '\0' &&
	    strcmp(wanted->type, "repository") == 0 &&
	    scope_repository_name_ok(wanted->name) &&
	    acl_match(right->pattern, names, wanted->name);
}

unsigned
rights_grant(const char *rights, const struct acl_names *names,
    const struct scope *wanted)
{
	struct right	 right;
	char		 item[ITEM_SIZE];
	unsigned	 has = 0;

	while ((rights = next_item(rights, item, sizeof(item))) != NULL)
		if (parse(&right, item) == NULL &&
		    is_for(&right, names, wanted))
			has |= right.actions;
	return (wanted->actions & ACTION_ALL) != 0 ? has :
	    has & wanted->actions;
}

bool
rights_has_network(const char *networks, const char *address)
{
	struct acl_network	 network;
	char			 item[ITEM_SIZE];

	while ((networks = next_item(networks, item, sizeof(item))) != NULL)
		if (acl_network_parse(&network, item) == NULL &&
		    acl_network_has(&network, address))
			return true;
	return false;
}
