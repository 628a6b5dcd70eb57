/* SPDX-License-Identifier: ISC */
/*
 * Cases beneath "expect:" that say what the access rules should come to.
 * Tried by "authd -n", at each start and reload, and by "authctl test"; a
 * process that serves never sees them.
 */
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "buf.h"
#include "conf.h"
#include "messages.h"
#include "str.h"
#include "xmem.h"
#include "yamldoc.h"

#define MAX_EXPECTS	4096
#define MAX_TEXT	16384
#define REPOSITORY	(ACTION_PULL | ACTION_PUSH | ACTION_DELETE)
#define EXPECT_KEYS	"user, groups, network, service, scope, grants"

/* ---- reading ---- */

static void
read_text(char **text, struct yamldoc *doc, struct yaml_node *map,
    const char *key, bool required)
{
	struct yaml_node	*node;

	if ((node = yaml_find(map, key)) != NULL)
		yaml_string(doc, node, text);
	else if (required)
		yaml_error(doc, map, "%s is missing", key);
}

static void
read_groups(struct conf_list *groups, struct yamldoc *doc,
    struct yaml_node *map)
{
	struct yaml_node	*node = yaml_find(map, "groups");
	char			*name;
	size_t			 i;

	if (node == NULL)
		return;
	if (node->type != YAML_LIST) {
		conf_wrong(doc, node, "a list of groups");
		return;
	}
	groups->items = xcalloc(node->nitems + 1, sizeof(*groups->items));
	for (i = 0; i < node->nitems; i++) {
		name = NULL;
		node->items[i]->used = true;
		if (yaml_string(doc, node->items[i], &name) == 0)
			groups->items[groups->n++] = name;
	}
}

/* "pull,push", "*", or "" for nothing.  -1: it is none of these. */
static int
parse_grants(const char *text, bool catalog, unsigned *actions)
{
	unsigned	 action;
	size_t		 len;

	*actions = 0;
	while (*text != '\0') {
		len = strcspn(text, ",");
		if ((action = scope_action_parse(text, len)) == 0)
			return -1;
		*actions |= action;
		text += len;
		if (*text == ',' && *++text == '\0')
			return -1;
	}
	if ((*actions & ACTION_ALL) != 0 && !catalog)
		*actions |= REPOSITORY;
	return 0;
}

/* A scope that registries know; anything else is never granted. */
static bool
scope_ok(const char *text, struct scope *scope)
{
	if (scope_parse(scope, text, strlen(text)) == -1 ||
	    scope->actions == 0)
		return false;
	if (strcmp(scope->type, "repository") == 0)
		return scope_repository_name_ok(scope->name);
	return strcmp(scope->type, "registry") == 0 &&
	    strcmp(scope->name, "catalog") == 0;
}

static bool
service_ok(const struct authd_conf *conf, const char *service)
{
	size_t	 i;

	if (service == NULL)
		return conf->services.n == 1;
	for (i = 0; i < conf->services.n; i++)
		if (strcmp(conf->services.items[i], service) == 0)
			return true;
	return false;
}

static void
check_expect(const struct authd_conf *conf, const struct conf_expect *expect,
    struct yamldoc *doc, struct yaml_node *map)
{
	struct acl_network	 network;
	struct scope		 scope;
	unsigned		 actions;

	if (!scope_ok(expect->scope, &scope))
		conf_wrong(doc, yaml_find(map, "scope"),
		    "repository:NAME:pull,push or registry:catalog:*");
	if (parse_grants(expect->grants, false, &actions) == -1)
		conf_wrong(doc, yaml_find(map, "grants"),
		    "actions as in \"pull,push\", \"*\", or \"\"");
	if (expect->network != NULL && (strchr(expect->network, '/') != NULL ||
	    acl_network_parse(&network, expect->network) != NULL))
		conf_wrong(doc, yaml_find(map, "network"),
		    "the address of a client");
	if (!service_ok(conf, expect->service))
		yaml_error(doc, map, "service: accepted: one of services, "
		    "and it is needed when there are several");
}

static void
read_expect(struct authd_conf *conf, struct yamldoc *doc,
    struct yaml_node *map)
{
	struct conf_expect	*expect = &conf->expects[conf->nexpects++];
	size_t			 errors = doc->nerrors;

	map->used = true;
	if (map->type != YAML_MAP) {
		conf_wrong(doc, map, "a map of " EXPECT_KEYS);
		return;
	}
	expect->line = map->line;
	read_text(&expect->user, doc, map, "user", false);
	read_groups(&expect->groups, doc, map);
	read_text(&expect->network, doc, map, "network", false);
	read_text(&expect->service, doc, map, "service", false);
	read_text(&expect->scope, doc, map, "scope", true);
	read_text(&expect->grants, doc, map, "grants", true);
	yaml_check_unused(doc, map, EXPECT_KEYS);
	if (doc->nerrors == errors)
		check_expect(conf, expect, doc, map);
}

void
conf_expect_parse(struct authd_conf *conf, struct yamldoc *doc)
{
	struct yaml_node	*list;
	size_t			 i;

	if ((list = yaml_find(doc->root, "expect")) == NULL)
		return;
	if (list->type != YAML_LIST || list->nitems > MAX_EXPECTS) {
		conf_wrong(doc, list, "a list of at most 4096 cases");
		return;
	}
	conf->expects = xcalloc(list->nitems + 1, sizeof(*conf->expects));
	for (i = 0; i < list->nitems; i++)
		read_expect(conf, doc, list->items[i]);
}

void
conf_expect_free(struct authd_conf *conf)
{
	struct conf_expect	*expect;
	size_t			 i, j;

	for (i = 0; i < conf->nexpects; i++) {
		expect = &conf->expects[i];
		for (j = 0; j < expect->groups.n; j++)
			free(expect->groups.items[j]);
		free(expect->groups.items);
		free(expect->user);
		free(expect->network);
		free(expect->service);
		free(expect->scope);
		free(expect->grants);
	}
	free(conf->expects);
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

void
conf_expect_print(const struct authd_conf *conf, FILE *out)
{
	const struct conf_expect	*expect;
	size_t				 i;

	if (conf->nexpects > 0)
		fputs("expect:\n", out);
	for (i = 0; i < conf->nexpects; i++) {
		expect = &conf->expects[i];
		fputs("  - {", out);
		print_text("user", expect->user, out);
		if (expect->groups.n > 0) {
			fputs("groups: ", out);
			conf_print_list(&expect->groups, out);
			fputs(", ", out);
		}
		print_text("network", expect->network, out);
		print_text("service", expect->service, out);
		print_text("scope", expect->scope, out);
		fputs("grants: ", out);
		conf_print_string(expect->grants, out);
		fputs("}\n", out);
	}
}

/* ---- trying ---- */

static void
add_actions(struct buf *text, unsigned actions)
{
	struct buf	 list;

	/* The actions of a scope, behind its two colons. */
	buf_init(&list, 64);
	scope_format(&list, "", "", actions);
	buf_addstr(text, actions == 0 ? "nothing" : buf_str(&list) + 2);
	buf_done(&list);
}

static void
add_who(struct buf *text, const struct conf_expect *expect)
{
	size_t	 i;

	buf_addstr(text, expect->user == NULL || *expect->user == '\0' ?
	    "anonymous" : expect->user);
	for (i = 0; i < expect->groups.n; i++)
		buf_addf(text, "%s%s", i == 0 ? " in group " : ", ",
		    expect->groups.items[i]);
	if (expect->network != NULL)
		buf_addf(text, " from %s", expect->network);
	if (expect->service != NULL)
		buf_addf(text, " for %s", expect->service);
	buf_addf(text, ": %s: ", expect->scope);
}

bool
conf_expect_try(const struct authd_conf *conf, const struct acl *acl,
    const struct conf_expect *expect, struct buf *text)
{
	const struct acl_subject subject = {
		.user = expect->user == NULL ? "" : expect->user,
		.groups = (const char *const *)expect->groups.items,
		.ngroups = expect->groups.n,
		.peer = expect->network == NULL ? "" : expect->network,
		.service = expect->service == NULL ?
		    conf->services.items[0] : expect->service
	};
	struct scope	 scope;
	unsigned	 wanted, granted;
	int		 rule;

	if (!scope_ok(expect->scope, &scope) || parse_grants(expect->grants,
	    strcmp(scope.type, "registry") == 0, &wanted) == -1)
		return false;
	granted = acl_decide(acl, &subject, &scope, &rule);
	add_who(text, expect);
	add_actions(text, wanted);
	if (granted == wanted)
		return true;
	buf_addstr(text, " is expected, but granted is ");
	add_actions(text, granted);
	if (rule == -1) {
		buf_addstr(text, ": no rule matches");
	} else {
		buf_addstr(text, " by ");
		acl_rule_format(text, acl_rule_at(acl, (size_t)rule), rule);
	}
	return false;
}

int
conf_expect_check(const struct authd_conf *conf, FILE *messages)
{
	struct acl	*acl;
	struct buf	 text;
	char		 error[256];
	size_t		 i;
	int		 status = 0;

	if (conf->nexpects == 0)
		return 0;
	if ((acl = conf_acl(conf, error, sizeof(error))) == NULL) {
		fprintf(messages, "error: %s: %s\n", conf->name, error);
		return -1;
	}
	for (i = 0; i < conf->nexpects; i++) {
		buf_init(&text, MAX_TEXT);
		if (!conf_expect_try(conf, acl, &conf->expects[i], &text)) {
			fprintf(messages, "error: %s:%u: expect[%zu]: %s\n",
			    conf->name, conf->expects[i].line, i,
			    buf_str(&text));
			status = -1;
		}
		buf_done(&text);
	}
	acl_free(acl);
	return status;
}
