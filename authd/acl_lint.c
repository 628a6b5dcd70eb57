/* SPDX-License-Identifier: ISC */
/*
 * Finds rules that never decide: what they ask for does not exist, or one
 * rule before them takes all of it.  Runs in authctl.
 */
#include "acl_lint.h"

#include <string.h>

/* ---- what cannot be ---- */

/* A pattern of which one exact text is all that it matches. */
static bool
is_literal(const char *pattern)
{
	return pattern[strcspn(pattern, "*$")] == '\0';
}

static bool
has_variable(const char *pattern)
{
	return strstr(pattern, "${") != NULL;
}

static bool
service_matches(const char *pattern, const char *service)
{
	const struct acl_names	 names = { "", service };

	return pattern == NULL || strstr(pattern, "${user}") != NULL ||
	    acl_match(pattern, &names, service);
}

static bool
any_service(const struct authd_conf *conf, const char *pattern)
{
	size_t	 i;

	for (i = 0; i < conf->services.n; i++)
		if (service_matches(pattern, conf->services.items[i]))
			return true;
	return false;
}

/* No repository has such letters, or slashes in such places. */
static bool
name_impossible(const char *pattern)
{
	size_t	 i, len = strlen(pattern);
	bool	 variable = has_variable(pattern);

	if (pattern[0] == '/' || pattern[len - 1] == '/' ||
	    strstr(pattern, "//") != NULL)
		return true;
	for (i = 0; !variable && i < len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789._-/*",
		    pattern[i]) == NULL)
			return true;
	return false;
}

/* NULL when the rule may match something. */
static const char *
impossible(const struct authd_conf *conf, const struct acl_rule *rule)
{
	bool	 anonymous = rule->has_user && *rule->user == '\0';

	if (anonymous && rule->group != NULL)
		return "the anonymous user is in no group";
	if (anonymous && rule->repository != NULL &&
	    strstr(rule->repository, "${user}") != NULL)
		return "the anonymous user has no name for ${user}";
	if (rule->group != NULL && !conf_groups_are_open(conf) &&
	    !conf_group_is_known(conf, rule->group))
		return "there is no such group";
	if (rule->service != NULL && !any_service(conf, rule->service))
		return "no service matches";
	if (rule->repository != NULL && name_impossible(rule->repository))
		return "no repository can have such a name";
	return NULL;
}

/* ---- what is hidden ---- */

/* Who matches the narrow rule matches the wide one. */
static bool
user_covered(const struct acl *acl, const struct acl_rule *wide,
    const struct acl_rule *narrow)
{
	const char	*user = narrow->has_user ? narrow->user : NULL;

	if (wide->group != NULL && (narrow->group == NULL ||
	    strcmp(wide->group, narrow->group) != 0) && (user == NULL ||
	    !is_literal(user) || !acl_has_member(acl, wide->group, user)))
		return false;
	if (!wide->has_user)
		return true;
	/* Members of groups have authenticated. */
	if (*wide->user == '\0')
		return user != NULL && *user == '\0';
	if (user == NULL)
		return narrow->group != NULL && strcmp(wide->user, "*") == 0;
	if (*user == '\0')
		return false;
	if (strcmp(wide->user, "*") == 0)
		return true;
	/* Alone it is everybody, also with a '/' in the name. */
	return acl_pattern_covers(wide->user,
	    strcmp(user, "*") == 0 ? "**" : user, NULL);
}

static bool
network_covered(const struct acl_rule *wide, const struct acl_rule *narrow)
{
	struct acl_network	 w, n;
	unsigned		 bits;

	if (wide->network == NULL)
		return true;
	if (narrow->network == NULL ||
	    acl_network_parse(&w, wide->network) != NULL ||
	    acl_network_parse(&n, narrow->network) != NULL ||
	    w.family != n.family || w.prefix > n.prefix ||
	    memcmp(w.address, n.address, w.prefix / 8) != 0)
		return false;
	bits = w.prefix % 8;
	return bits == 0 || (w.address[w.prefix / 8] ^
	    n.address[w.prefix / 8]) >> (8 - bits) == 0;
}

static bool
service_covered(const struct authd_conf *conf, const struct acl_rule *wide,
    const struct acl_rule *narrow)
{
	size_t	 i;

	if (wide->service == NULL)
		return true;
	if (strstr(wide->service, "${user}") != NULL)
		return false;
	for (i = 0; i < conf->services.n; i++)
		if (service_matches(narrow->service,
		    conf->services.items[i]) && !service_matches(wide->service,
		    conf->services.items[i]))
			return false;
	return true;
}

static bool
resource_covered(const struct acl_rule *wide, const struct acl_rule *narrow)
{
	const char	*user = NULL;

	if (wide->registry != NULL)
		return narrow->registry != NULL;
	if (wide->repository == NULL)
		return true;
	if (narrow->repository == NULL)
		return false;
	if (narrow->has_user && *narrow->user != '\0' &&
	    is_literal(narrow->user))
		user = narrow->user;
	return acl_pattern_covers(wide->repository, narrow->repository, user);
}

bool
acl_lint(const struct authd_conf *conf, const struct acl *acl, size_t i,
    struct buf *why, int *by)
{
	const struct acl_rule	*rule = acl_rule_at(acl, i), *before;
	const char		*reason;
	size_t			 j;

	*by = -1;
	if ((reason = impossible(conf, rule)) != NULL) {
		buf_addstr(why, reason);
		return true;
	}
	for (j = 0; j < i; j++) {
		before = acl_rule_at(acl, j);
		if (!user_covered(acl, before, rule) ||
		    !network_covered(before, rule) ||
		    !service_covered(conf, before, rule) ||
		    !resource_covered(before, rule))
			continue;
		buf_addstr(why, "hidden by ");
		acl_rule_format(why, before, (int)j);
		*by = (int)j;
		return true;
	}
	return false;
}
