/* SPDX-License-Identifier: ISC */
/*
 * The groups and the access rules of the configuration: reads them from the
 * file, prints them, and builds the list that decides.  Runs in the parent
 * and in authctl; knows no request.
 */
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "conf.h"
#include "htgroup.h"
#include "messages.h"
#include "str.h"
#include "xmem.h"
#include "yamldoc.h"

#define RULE_KEYS "user, group, network, service, repository, registry, actions"

/* ---- groups ---- */

static bool
user_name_ok(const char *name)
{
	return *name != '\0' && strlen(name) <= MAX_USER &&
	    strchr(name, ':') == NULL;
}

static void
read_group(struct conf_group *group, struct yamldoc *doc,
    struct yaml_node *node)
{
	struct conf_list	*users = &group->users;
	char			*name = NULL;
	size_t			 i;

	node->used = true;
	if (node->type != YAML_LIST) {
		conf_wrong(doc, node, "a list of users");
		return;
	}
	users->items = xcalloc(node->nitems + 1, sizeof(*users->items));
	for (i = 0; i < node->nitems; i++) {
		node->items[i]->used = true;
		if (yaml_string(doc, node->items[i], &name) == -1)
			continue;
		if (!user_name_ok(name)) {
			conf_wrong(doc, node->items[i],
			    "a user name of 1 to 255 bytes without ':'");
			continue;
		}
		users->items[users->n++] = name;
		name = NULL;
	}
	free(name);
}

/* All of it must fit into the queue of the broker's channel. */
static void
check_size(const struct authd_conf *conf, struct yamldoc *doc,
    struct yaml_node *map)
{
	size_t	 i, j, members = 0, bytes = 0;

	for (i = 0; i < conf->ngroups; i++) {
		members += conf->groups[i].users.n;
		for (j = 0; j < conf->groups[i].users.n; j++)
			bytes += strlen(conf->groups[i].users.items[j]);
	}
	if (members > CONF_MAX_MEMBERS || bytes > CONF_MAX_MEMBER_BYTES)
		yaml_error(doc, map, "found %zu members with %zu bytes, "
		    "accepted: %d and %d in all groups together", members,
		    bytes, CONF_MAX_MEMBERS, CONF_MAX_MEMBER_BYTES);
}

static void
read_groups(struct authd_conf *conf, struct yamldoc *doc)
{
	struct yaml_node	*map;
	size_t			 i;

	if ((map = yaml_find(doc->root, "groups")) == NULL)
		return;
	if (map->type != YAML_MAP || map->nitems > CONF_MAX_GROUPS) {
		conf_wrong(doc, map, "a map of at most 1024 groups, each a "
		    "list of users");
		return;
	}
	conf->groups = xcalloc(map->nitems + 1, sizeof(*conf->groups));
	conf->ngroups = map->nitems;
	for (i = 0; i < map->nitems; i++) {
		conf->groups[i].name = xstrdup(map->items[i]->key);
		read_group(&conf->groups[i], doc, map->items[i]);
		if (!user_name_ok(conf->groups[i].name))
			yaml_error(doc, map->items[i], "accepted: a name of "
			    "1 to %d bytes without ':'", MAX_USER);
	}
	check_size(conf, doc, map);
}

/* ---- rules ---- */

static void
read_actions(struct acl_rule *rule, struct yamldoc *doc,
    struct yaml_node *list)
{
	struct yaml_node	*item;
	char			*name = NULL;
	unsigned		 action;
	size_t			 i;

	if (list->type != YAML_LIST) {
		conf_wrong(doc, list,
		    "a list of pull, push, delete, \"*\"");
		return;
	}
	for (i = 0; i < list->nitems; i++) {
		item = list->items[i];
		item->used = true;
		if (yaml_string(doc, item, &name) == -1)
			continue;
		action = scope_action_parse(name, strlen(name));
		if (action == 0)
			conf_wrong(doc, item, "pull, push, delete, \"*\"");
		/* Verifiers that compare strings need the three by name. */
		if (action == ACTION_ALL)
			action |= ACTION_PULL | ACTION_PUSH | ACTION_DELETE;
		rule->actions |= action;
	}
	free(name);
}

static void
read_text(char **text, struct yamldoc *doc, struct yaml_node *map,
    const char *key)
{
	struct yaml_node	*node;

	if ((node = yaml_find(map, key)) != NULL)
		yaml_string(doc, node, text);
}

/* A rule as the file has it; errors go to doc. */
static void
read_rule(struct acl_rule *rule, struct yamldoc *doc, struct yaml_node *map)
{
	struct yaml_node	*actions;

	rule->line = map->line;
	read_text(&rule->user, doc, map, "user");
	rule->has_user = rule->user != NULL;
	read_text(&rule->group, doc, map, "group");
	read_text(&rule->network, doc, map, "network");
	read_text(&rule->service, doc, map, "service");
	read_text(&rule->repository, doc, map, "repository");
	read_text(&rule->registry, doc, map, "registry");
	if ((actions = yaml_find(map, "actions")) != NULL)
		read_actions(rule, doc, actions);
	else
		yaml_error(doc, map, "a rule needs actions: a list of pull, "
		    "push, delete, \"*\"; [] denies");
}

static void
check_rule(const struct authd_conf *conf, const struct acl_rule *rule,
    struct acl *scratch, struct yamldoc *doc, struct yaml_node *map)
{
	struct yaml_node	*group = yaml_find(map, "group");
	char			 error[256];

	if (acl_add_rule(scratch, rule, error, sizeof(error)) == -1)
		yaml_error(doc, map, "%s", error);
	else if (rule->group != NULL && conf->htgroup == NULL &&
	    !conf_groups_are_open(conf) &&
	    !conf_group_is_known(conf, rule->group))
		conf_wrong(doc, group, "a name that groups: defines");
}

static void
read_rules(struct authd_conf *conf, struct yamldoc *doc)
{
	struct yaml_node	*list, *map;
	struct acl		*scratch;
	size_t			 i, errors;

	if ((list = yaml_find(doc->root, "access")) == NULL)
		return;
	if (list->type != YAML_LIST || list->nitems > ACL_MAX_RULES) {
		conf_wrong(doc, list, "a list of at most 4096 rules");
		return;
	}
	if ((scratch = acl_new()) == NULL)
		fatalx("out of memory");
	conf->rules = xcalloc(list->nitems + 1, sizeof(*conf->rules));
	for (i = 0; i < list->nitems; i++) {
		map = list->items[i];
		map->used = true;
		if (map->type != YAML_MAP) {
			conf_wrong(doc, map, "a map of " RULE_KEYS);
			continue;
		}
		errors = doc->nerrors;
		read_rule(&conf->rules[conf->nrules], doc, map);
		if (doc->nerrors == errors)
			check_rule(conf, &conf->rules[conf->nrules], scratch,
			    doc, map);
		yaml_check_unused(doc, map, RULE_KEYS);
		conf->nrules++;
	}
	acl_free(scratch);
}

void
conf_access_parse(struct authd_conf *conf, struct yamldoc *doc)
{
	if (doc->root == NULL)
		return;
	read_groups(conf, doc);
	read_rules(conf, doc);
	conf_expect_parse(conf, doc);
}

void
conf_access_free(struct authd_conf *conf)
{
	struct conf_list	*users;
	size_t			 i, j;

	for (i = 0; i < conf->ngroups; i++) {
		users = &conf->groups[i].users;
		for (j = 0; j < users->n; j++)
			free(users->items[j]);
		free(users->items);
		free(conf->groups[i].name);
	}
	free(conf->groups);
	for (i = 0; i < conf->nrules; i++)
		acl_rule_done(&conf->rules[i]);
	free(conf->rules);
	htgroup_free(conf->file_groups);
	conf_expect_free(conf);
}

/* ---- printing ---- */

static void
print_text(const char *key, const char *value, FILE *out)
{
	if (value == NULL)
		return;
	fprintf(out, "%s: ", key);
	conf_print_string(value, out);
	fputs(", ", out);
}

static void
print_actions(unsigned actions, FILE *out)
{
	static const struct {
		unsigned	 bit;
		const char	*name;
	}		 names[] = {
		{ ACTION_PULL, "pull" },
		{ ACTION_PUSH, "push" },
		{ ACTION_DELETE, "delete" }
	};
	const char	*comma = "";
	size_t		 i;

	if ((actions & ACTION_ALL) != 0) {
		fputs("actions: [\"*\"]", out);
		return;
	}
	fputs("actions: [", out);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((actions & names[i].bit) == 0)
			continue;
		fprintf(out, "%s%s", comma, names[i].name);
		comma = ", ";
	}
	putc(']', out);
}

void
conf_access_print(const struct authd_conf *conf, FILE *out)
{
	const struct acl_rule	*rule;
	size_t			 i;

	fputs(conf->ngroups == 0 ? "groups: {}\n" : "groups:\n", out);
	for (i = 0; i < conf->ngroups; i++) {
		fputs("  ", out);
		conf_print_string(conf->groups[i].name, out);
		fputs(": ", out);
		conf_print_list(&conf->groups[i].users, out);
		putc('\n', out);
	}
	fputs(conf->nrules == 0 ? "access: []\n" : "access:\n", out);
	for (i = 0; i < conf->nrules; i++) {
		rule = &conf->rules[i];
		fputs("  - {", out);
		print_text("user", rule->has_user ? rule->user : NULL, out);
		print_text("group", rule->group, out);
		print_text("network", rule->network, out);
		print_text("service", rule->service, out);
		print_text("repository", rule->repository, out);
		print_text("registry", rule->registry, out);
		print_actions(rule->actions, out);
		fputs("}\n", out);
	}
	conf_expect_print(conf, out);
}

static int
add_groups(struct acl *acl, const struct conf_group *groups, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (acl_add_group(acl, groups[i].name,
		    (const char *const *)groups[i].users.items,
		    groups[i].users.n) == -1)
			return -1;
	return 0;
}

struct acl *
conf_acl(const struct authd_conf *conf, char *error, size_t errsize)
{
	struct acl	*acl;
	size_t		 i;

	if ((acl = acl_new()) == NULL) {
		str_copy(error, errsize, "out of memory");
		return NULL;
	}
	if (add_groups(acl, conf->groups, conf->ngroups) == -1 ||
	    (conf->file_groups != NULL && add_groups(acl,
	    conf->file_groups->groups, conf->file_groups->n) == -1)) {
		str_copy(error, errsize, "out of memory");
		goto fail;
	}
	for (i = 0; i < conf->nrules; i++)
		if (acl_add_rule(acl, &conf->rules[i], error, errsize) == -1)
			goto fail;
	return acl;

fail:
	acl_free(acl);
	return NULL;
}
