/* SPDX-License-Identifier: ISC */
/*
 * The list of access rules and the decision by the first that matches.  Runs
 * in the broker, and in authctl to explain.  Grants nothing but what a rule
 * says: not a type, a name or an action that registries do not know.
 */
#include "acl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"

#define ACTIONS_REPOSITORY	(ACTION_PULL | ACTION_PUSH | ACTION_DELETE)

struct acl_entry {
	struct acl_rule		 rule;
	struct acl_network	 network;	/* when rule.network is set */
};

struct acl_group {
	char	 *name;
	char	**users;			/* sorted */
	size_t	  nusers;
};

struct acl {
	struct acl_entry *entries;
	size_t		 nentries;
	struct acl_group *groups;		/* sorted by name */
	size_t		 ngroups;
};

struct acl *
acl_new(void)
{
	return calloc(1, sizeof(struct acl));
}

void
acl_rule_done(struct acl_rule *rule)
{
	free(rule->user);
	free(rule->group);
	free(rule->network);
	free(rule->service);
	free(rule->repository);
	free(rule->registry);
	memset(rule, 0, sizeof(*rule));
}

static void
group_done(struct acl_group *group)
{
	size_t	 i;

	for (i = 0; i < group->nusers; i++)
		free(group->users[i]);
	free(group->users);
	free(group->name);
}

void
acl_free(struct acl *acl)
{
	size_t	 i;

	if (acl == NULL)
		return;
	for (i = 0; i < acl->nentries; i++)
		acl_rule_done(&acl->entries[i].rule);
	free(acl->entries);
	for (i = 0; i < acl->ngroups; i++)
		group_done(&acl->groups[i]);
	free(acl->groups);
	free(acl);
}

/* ---- rules ---- */

static int
copy_string(char **dst, const char *src)
{
	if (src == NULL)
		return 0;
	*dst = strdup(src);
	return *dst == NULL ? -1 : 0;
}

static int
rule_copy(struct acl_rule *dst, const struct acl_rule *src)
{
	memset(dst, 0, sizeof(*dst));
	if (copy_string(&dst->user, src->user) == -1 ||
	    copy_string(&dst->group, src->group) == -1 ||
	    copy_string(&dst->network, src->network) == -1 ||
	    copy_string(&dst->service, src->service) == -1 ||
	    copy_string(&dst->repository, src->repository) == -1 ||
	    copy_string(&dst->registry, src->registry) == -1) {
		acl_rule_done(dst);
		return -1;
	}
	dst->has_user = src->has_user;
	dst->actions = src->actions;
	dst->line = src->line;
	return 0;
}

static int
pattern_check(const char *key, const char *pattern, char *error,
    size_t errsize)
{
	const char	*wrong;

	wrong = pattern == NULL ? NULL : acl_pattern_wrong(pattern);
	if (wrong == NULL)
		return 0;
	snprintf(error, errsize, "%s: %s", key, wrong);
	return -1;
}

static int
rule_check(const struct acl_rule *rule, struct acl_network *network,
    char *error, size_t errsize)
{
	const char	*wrong;

	if (rule->has_user && rule->user == NULL)
		wrong = "user: it is missing";
	else if (rule->repository != NULL && rule->registry != NULL)
		wrong = "repository and registry cannot be in one rule";
	else if (rule->registry != NULL &&
	    strcmp(rule->registry, "catalog") != 0)
		wrong = "registry: only \"catalog\" is known";
	else if (rule->group != NULL && (*rule->group == '\0' ||
	    strlen(rule->group) > ACL_MAX_GROUP))
		wrong = "group: it is empty or too long";
	else
		wrong = NULL;
	if (wrong != NULL) {
		snprintf(error, errsize, "%s", wrong);
		return -1;
	}
	/* "" is the anonymous user. */
	if ((rule->has_user && *rule->user != '\0' &&
	    pattern_check("user", rule->user, error, errsize) == -1) ||
	    pattern_check("service", rule->service, error, errsize) == -1 ||
	    pattern_check("repository", rule->repository, error,
	    errsize) == -1)
		return -1;
	wrong = rule->network == NULL ? NULL :
	    acl_network_parse(network, rule->network);
	if (wrong != NULL)
		snprintf(error, errsize, "network: %s", wrong);
	return wrong == NULL ? 0 : -1;
}

int
acl_add_rule(struct acl *acl, const struct acl_rule *rule, char *error,
    size_t errsize)
{
	struct acl_entry	 entry, *entries;

	memset(&entry, 0, sizeof(entry));
	if (rule_check(rule, &entry.network, error, errsize) == -1)
		return -1;
	if (acl->nentries == ACL_MAX_RULES) {
		snprintf(error, errsize, "more than %d rules", ACL_MAX_RULES);
		return -1;
	}
	entries = reallocarray(acl->entries, acl->nentries + 1,
	    sizeof(*entries));
	if (entries == NULL) {
		snprintf(error, errsize, "out of memory");
		return -1;
	}
	acl->entries = entries;
	if (rule_copy(&entry.rule, rule) == -1) {
		snprintf(error, errsize, "out of memory");
		return -1;
	}
	acl->entries[acl->nentries++] = entry;
	return 0;
}

const struct acl_rule *
acl_rule_at(const struct acl *acl, size_t i)
{
	return i < acl->nentries ? &acl->entries[i].rule : NULL;
}

size_t
acl_nrules(const struct acl *acl)
{
	return acl->nentries;
}

bool
acl_has_anonymous(const struct acl *acl)
{
	const struct acl_rule	*rule;
	size_t			 i;

	for (i = 0; i < acl->nentries; i++) {
		rule = &acl->entries[i].rule;
		if (rule->actions != 0 && rule->group == NULL &&
		    (!rule->has_user || *rule->user == '\0'))
			return true;
	}
	return false;
}

/* ---- groups ---- */

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
compare_groups(const void *a, const void *b)
{
	return strcmp(((const struct acl_group *)a)->name,
	    ((const struct acl_group *)b)->name);
}

static int
compare_name(const void *name, const void *group)
{
	return strcmp(name, ((const struct acl_group *)group)->name);
}

static int
group_add_users(struct acl_group *group, const char *const *users, size_t n)
{
	char	**all;
	size_t	  i;

	all = reallocarray(group->users, group->nusers + n + 1, sizeof(*all));
	if (all == NULL)
		return -1;
	group->users = all;
	for (i = 0; i < n; i++) {
		if ((all[group->nusers] = strdup(users[i])) == NULL)
			break;
		group->nusers++;
	}
	qsort(all, group->nusers, sizeof(*all), compare_strings);
	return i == n ? 0 : -1;
}

static struct acl_group *
find_group(const struct acl *acl, const char *name)
{
	return acl->ngroups == 0 ? NULL : bsearch(name, acl->groups,
	    acl->ngroups, sizeof(*acl->groups), compare_name);
}

int
acl_add_group(struct acl *acl, const char *name, const char *const *users,
    size_t n)
{
	struct acl_group	*groups, *group;

	if ((group = find_group(acl, name)) != NULL)
		return group_add_users(group, users, n);
	groups = reallocarray(acl->groups, acl->ngroups + 1, sizeof(*groups));
	if (groups == NULL)
		return -1;
	acl->groups = groups;
	group = &groups[acl->ngroups];
	memset(group, 0, sizeof(*group));
	if ((group->name = strdup(name)) == NULL ||
	    group_add_users(group, users, n) == -1) {
		group_done(group);
		return -1;
	}
	acl->ngroups++;
	qsort(acl->groups, acl->ngroups, sizeof(*groups), compare_groups);
	return 0;
}

bool
acl_has_member(const struct acl *acl, const char *name, const char *user)
{
	const struct acl_group	*group = find_group(acl, name);

	return group != NULL && group->nusers > 0 && bsearch(&user,
	    group->users, group->nusers, sizeof(*group->users),
	    compare_strings) != NULL;
}

static bool
in_group(const struct acl *acl, const struct acl_subject *subject,
    const char *name)
{
	size_t	 i;

	/* Nobody is in a group without having said who they are. */
	if (*subject->user == '\0')
		return false;
	for (i = 0; i < subject->ngroups; i++) {
		if (strcmp(subject->groups[i], name) == 0)
			return true;
	}
	return acl_has_member(acl, name, subject->user);
}

/* ---- the decision ---- */

static bool
user_matches(const struct acl_rule *rule, const struct acl_names *names)
{
	const char	*user = names->user;

	if (!rule->has_user)
		return true;
	if (*rule->user == '\0' || *user == '\0')
		return *rule->user == *user;
	/* Everybody, also with a '/' in the name. */
	if (strcmp(rule->user, "*") == 0)
		return true;
	return acl_match(rule->user, names, user);
}

static bool
resource_matches(const struct acl_rule *rule, const struct acl_names *names,
    const struct scope *scope)
{
	bool	 catalog;

	catalog = strcmp(scope->type, "registry") == 0;
	if (rule->registry != NULL)
		return catalog;
	if (rule->repository != NULL)
		return !catalog && acl_match(rule->repository, names,
		    scope->name);
	return true;
}

static bool
entry_matches(const struct acl *acl, const struct acl_entry *entry,
    const struct acl_subject *subject, const struct scope *scope)
{
	const struct acl_rule	*rule = &entry->rule;
	const struct acl_names	 names = { subject->user, subject->service };

	return user_matches(rule, &names) &&
	    (rule->group == NULL || in_group(acl, subject, rule->group)) &&
	    (rule->network == NULL ||
	    acl_network_has(&entry->network, subject->peer)) &&
	    (rule->service == NULL ||
	    acl_match(rule->service, &names, subject->service)) &&
	    resource_matches(rule, &names, scope);
}

/* What registries know: repositories with good names, and the catalog. */
static bool
resource_known(const struct scope *scope)
{
	if (strcmp(scope->type, "repository") == 0)
		return scope_repository_name_ok(scope->name);
	return strcmp(scope->type, "registry") == 0 &&
	    strcmp(scope->name, "catalog") == 0;
}

static unsigned
grant(const struct acl_rule *rule, const struct scope *wanted)
{
	unsigned	 has;

	/* Who may all gets each by its name, too: zot compares names. */
	has = rule->actions;
	if ((has & ACTION_ALL) != 0)
		has |= ACTIONS_REPOSITORY;
	if (strcmp(wanted->type, "registry") == 0)
		has &= ACTION_ALL;
	return (wanted->actions & ACTION_ALL) != 0 ? has :
	    has & wanted->actions;
}

unsigned
acl_decide(const struct acl *acl, const struct acl_subject *subject,
    const struct scope *wanted, int *rule)
{
	size_t	 i;

	*rule = -1;
	if (!resource_known(wanted))
		return 0;
	for (i = 0; i < acl->nentries; i++) {
		if (entry_matches(acl, &acl->entries[i], subject, wanted)) {
			*rule = (int)i;
			return grant(&acl->entries[i].rule, wanted);
		}
	}
	return 0;
}
