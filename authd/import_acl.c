/* SPDX-License-Identifier: ISC */
/*
 * The access list of docker_auth, where the first rule that matches decides
 * as well.  So each rule must match exactly what it did: one that matched
 * less would leave the rest to the rules behind it.  Runs in authctl.
 */
#include "import.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "scope.h"
#include "str.h"

#define ACTIONS_ALL \
	(ACTION_PULL | ACTION_PUSH | ACTION_DELETE | ACTION_ALL)

struct rule {
	bool		 has_user;
	char		 user[ACL_MAX_PATTERN + 1];
	bool		 on_repository, on_catalog;
	char		 repository[ACL_MAX_PATTERN + 1];	/* "": all */
	char		 service[ACL_MAX_PATTERN + 1];		/* "": all */
	const char	*network;
	unsigned	 actions;
	bool		 never;		/* it matches nothing */
	const char	*why;		/* it is not exact; NULL: it is */
};

/* ---- reading ---- */

static void
read_account(struct import *import, struct rule *rule, const char *account)
{
	const char	*why;

	/* Who could not be anonymous there must not be so here. */
	rule->has_user = !import->anonymous;
	str_copy(rule->user, sizeof(rule->user), "*");
	if (account == NULL)
		return;
	if (*account == '\0') {
		rule->has_user = true;
		*rule->user = '\0';
		rule->never = !import->anonymous;
		return;
	}
	if ((why = import_pattern(account, IMPORT_USER, rule->user)) != NULL) {
		rule->why = why;
		rule->has_user = false;
		return;
	}
	/* Nothing but "one or more" leaves out the anonymous user. */
	if (strchr(account, '+') != NULL ||
	    rule->user[strspn(rule->user, "*")] != '\0') {
		rule->has_user = true;
		return;
	}
	if (strcmp(rule->user, "*") == 0)
		import->star_users = true;
	str_copy(rule->user, sizeof(rule->user), "*");
}

static void
read_name(struct rule *rule, const char *name)
{
	static const struct acl_names	 nobody = { "", "" };
	const char			*why;

	if (name == NULL)
		return;
	why = import_pattern(name, IMPORT_NAME, rule->repository);
	if (why != NULL) {
		rule->why = why;
		*rule->repository = '\0';
		return;
	}
	if (!acl_match(rule->repository, &nobody, "catalog"))
		rule->on_catalog = false;
}

static void
read_type(struct rule *rule, const char *type)
{
	rule->on_repository = rule->on_catalog = true;
	if (type == NULL || strcmp(type, "*") == 0)
		return;
	if (type[strcspn(type, "*?[\\/$")] != '\0')
		rule->why = "a pattern of types";
	else if (strcmp(type, "repository") == 0)
		rule->on_catalog = false;
	else if (strcmp(type, "registry") == 0)
		rule->on_repository = false;
	else
		rule->never = true;
}

static void
read_network(const struct import *import, struct rule *rule, const char *ip)
{
	struct acl_network	 network;

	if (ip == NULL)
		return;
	if (import->real_ip)
		rule->why = "an address from real_ip_header";
	else if (acl_network_parse(&network, ip) != NULL)
		rule->why = "a network that is none here";
	else
		rule->network = ip;
}

static void
add_service(struct import *import, const char *name)
{
	size_t	 i;

	for (i = 0; i < import->services.n; i++)
		if (strcmp(import->services.items[i], name) == 0)
			return;
	if (strlen(name) > 255 || i >= CONF_MAX_LIST)
		return;
	import->services.items = reallocarray(import->services.items, i + 1,
	    sizeof(char *));
	if (import->services.items == NULL ||
	    (import->services.items[i] = strdup(name)) == NULL)
		fatalx("out of memory");
	import->services.n++;
}

static void
read_service(struct import *import, struct rule *rule, const char *service)
{
	const char	*why;

	if (service == NULL)
		return;
	why = import_pattern(service, IMPORT_SERVICE, rule->service);
	if (why == NULL && import->anonymous && !rule->has_user &&
	    strstr(rule->service, "${") != NULL)
		why = "a service with a variable, for the anonymous user";
	if (why != NULL) {
		rule->why = why;
		*rule->service = '\0';
	} else if (strcspn(rule->service, "*$") == strlen(rule->service)) {
		add_service(import, rule->service);
	}
}

static unsigned
read_actions(struct import *import, struct yaml_node *rule, bool report)
{
	struct yaml_node	*list;
	const char		*name;
	unsigned		 actions = 0, action;
	size_t			 i;

	if (rule->type != YAML_MAP ||
	    (list = yaml_find(rule, "actions")) == NULL ||
	    list->type != YAML_LIST)
		return 0;
	for (i = 0; i < list->nitems; i++) {
		name = list->items[i]->type == YAML_SCALAR ?
		    list->items[i]->scalar : "";
		action = scope_action_parse(name, strlen(name));
		if (action == 0 && report)
			import_left(import, list->items[i],
			    "an action that registries do not know");
		actions |= action == ACTION_ALL ? ACTIONS_ALL : action;
	}
	return actions;
}

static const char *
text_of(const struct yaml_node *node)
{
	return node->type == YAML_SCALAR ? node->scalar : NULL;
}

static void
read_match(struct import *import, struct rule *rule, struct yaml_node *match)
{
	static const char *const known[] = { "account", "type", "name", "ip",
	    "service" };
	const char		*text[5] = { NULL };
	size_t			 i, k;

	for (i = 0; match != NULL && i < match->nitems; i++) {
		for (k = 0; k < 5; k++)
			if (match->items[i]->key != NULL &&
			    strcmp(match->items[i]->key, known[k]) == 0)
				break;
		if (k == 5 || (text[k] = text_of(match->items[i])) == NULL)
			rule->why = "labels, or something unknown";
	}
	read_account(import, rule, text[0]);
	read_type(rule, text[1]);
	read_name(rule, text[2]);
	read_network(import, rule, text[3]);
	read_service(import, rule, text[4]);
}

/* ---- writing ---- */

static void
put_field(const char *key, const char *value, FILE *out)
{
	fprintf(out, "%s: ", key);
	conf_print_string(value, out);
	fputs(", ", out);
}

static void
put_actions(unsigned actions, FILE *out)
{
	static const char *const names[] = { "pull", "push", "delete" };
	const char		*comma = "";
	size_t			 i;

	fputs("actions: [", out);
	if ((actions & ACTION_ALL) != 0)
		fputs("\"*\"", out);
	for (i = 0; i < 3 && (actions & ACTION_ALL) == 0; i++) {
		if ((actions & (1u << i)) == 0)
			continue;
		fprintf(out, "%s%s", comma, names[i]);
		comma = ", ";
	}
	fputs("]}\n", out);
}

/* resource: "repository", "registry", or NULL for both. */
static void
put_rule(const struct rule *rule, const char *resource, const char *value,
    unsigned actions, FILE *out)
{
	fputs("  - {", out);
	if (rule->has_user)
		put_field("user", rule->user, out);
	if (rule->network != NULL)
		put_field("network", rule->network, out);
	if (*rule->service != '\0')
		put_field("service", rule->service, out);
	if (resource != NULL)
		put_field(resource, value, out);
	put_actions(actions, out);
}

static void
put_rules(const struct rule *rule, unsigned actions, FILE *out)
{
	if (rule->on_repository && rule->on_catalog &&
	    *rule->repository == '\0') {
		put_rule(rule, NULL, NULL, actions, out);
		return;
	}
	if (rule->on_repository)
		put_rule(rule, "repository", *rule->repository == '\0' ?
		    "**" : rule->repository, actions, out);
	if (rule->on_catalog)
		put_rule(rule, "registry", "catalog", actions, out);
}

/*
 * To docker_auth the anonymous user has the empty name, and to us none: a
 * rule of his own, when there are repositories that it could be about.
 */
static void
put_nameless(struct rule *rule, FILE *out)
{
	static const char	 variable[] = "${user}";
	struct rule		 own = *rule;
	char			*at;

	if (rule->has_user || !rule->on_repository ||
	    strstr(rule->repository, variable) == NULL ||
	    str_starts(rule->repository, "${user}/"))
		return;
	while ((at = strstr(own.repository, variable)) != NULL)
		memmove(at, at + sizeof(variable) - 1,
		    strlen(at + sizeof(variable) - 1) + 1);
	if (*own.repository == '\0')
		return;
	if (acl_pattern_wrong(own.repository) != NULL ||
	    strstr(own.repository, "**") != NULL) {
		rule->why = "the name of the anonymous user";
		return;
	}
	own.has_user = true;
	*own.user = '\0';
	own.on_catalog = false;
	put_rules(&own, own.actions, out);
}

static void
put_comment(const struct import *import, struct yaml_node *node,
    const char *why)
{
	struct yaml_node	*match = yaml_find(node, "match"), *item;
	char			 key[64], value[256];
	size_t			 i;

	fprintf(import->rules, "  # line %u:", node->line);
	for (i = 0; match != NULL && i < match->nitems; i++) {
		item = match->items[i];
		if (item->key == NULL)
			continue;
		fprintf(import->rules, " %s=%s", str_vis(key, sizeof(key),
		    item->key, strlen(item->key)),
		    item->type != YAML_SCALAR ? "..." : str_vis(value,
		    sizeof(value), item->scalar, strlen(item->scalar)));
	}
	fprintf(import->rules, ": %s\n", why);
}

static void
import_rule(struct import *import, struct yaml_node *node, unsigned later)
{
	struct rule		 rule = { .never = false };
	struct yaml_node	*match;

	match = node->type == YAML_MAP ? yaml_find(node, "match") : NULL;
	if (match == NULL || (match->type != YAML_MAP &&
	    !yaml_is_empty(match))) {
		/* Without knowing more it may be about everything. */
		import_left(import, node, "not a rule");
		if (later != 0)
			fputs("  - {actions: []}\n", import->rules);
		return;
	}
	rule.actions = read_actions(import, node, true);
	read_match(import, &rule, match);
	if (rule.never) {
		put_comment(import, node, "it matches nobody or nothing here");
		import_left(import, node, "matches nobody or nothing here");
		return;
	}
	if (rule.why == NULL)
		put_nameless(&rule, import->rules);
	if (rule.why == NULL) {
		put_rules(&rule, rule.actions, import->rules);
		return;
	}
	import_left(import, node, rule.why);
	put_comment(import, node, rule.why);
	if ((later & ~rule.actions) == 0)
		return;
	fputs("  # in its place, for rules behind it grant more:\n",
	    import->rules);
	put_rules(&rule, 0, import->rules);
}

void
import_acl(struct import *import, struct yaml_node *list)
{
	unsigned	 later;
	size_t		 i, j;

	if (list->type != YAML_LIST) {
		import_left(import, list, "not a list of rules");
		return;
	}
	for (i = 0; i < list->nitems; i++) {
		/* Up to four rules come of one. */
		if (i == ACL_MAX_RULES / 4) {
			import_left(import, list->items[i],
			    "this rule and those behind it are too many");
			return;
		}
		later = 0;
		for (j = i + 1; j < list->nitems; j++)
			later |= read_actions(import, list->items[j], false);
		import_rule(import, list->items[i], later);
	}
}
