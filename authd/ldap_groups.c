/* SPDX-License-Identifier: ISC */
/*
 * Finds the groups of a user: from his own entry, or by a search for groups
 * that name him, or their groups in turn.  Members of groups are never read;
 * that may be many thousands.  Runs in the verifiers for LDAP.
 */
#include "ldap_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldap_dn.h"
#include "ldap_escape.h"

/* What is searched for where groups.filter says nothing. */
static const struct {
	const char	*mode, *filter;
} filters[] = {
	{ "member", "(|(member={dn})(uniqueMember={dn}))" },
	{ "memberuid", "(memberUid={user})" },
	{ "ad_nested", "(member:1.2.840.113556.1.4.1941:={dn})" },
};

static bool
has_group(const struct cred_answer *answer, const char *name)
{
	size_t	 i;

	for (i = 0; i < answer->ngroups; i++)
		if (strcmp(answer->groups[i], name) == 0)
			return true;
	return false;
}

enum ldap_status
ldap_groups_add(const struct conf_ldap *conf, const char *dn,
    struct cred_answer *answer)
{
	char	 name[MAX_USER + 1], **groups;

	if (!ldap_dn_is_beneath(dn, conf->groups_base) ||
	    ldap_dn_own_value(dn, conf->groups_name_attr, name,
	    sizeof(name)) == -1 || has_group(answer, name))
		return LDAP_STATUS_OK;
	if (answer->ngroups == LDAP_MAX_GROUPS)
		return LDAP_STATUS_REFUSED;
	groups = reallocarray(answer->groups, answer->ngroups + 1,
	    sizeof(*groups));
	if (groups == NULL)
		return LDAP_STATUS_BROKEN;
	answer->groups = groups;
	if ((groups[answer->ngroups] = strdup(name)) == NULL)
		return LDAP_STATUS_BROKEN;
	answer->ngroups++;
	return LDAP_STATUS_OK;
}

/* DNs whose groups are still to be looked for, and those that were. */
struct nested {
	char	*dns[LDAP_MAX_NESTED];
	size_t	 n;
};

static enum ldap_status
nested_add(struct nested *nested, const char *dn)
{
	size_t	 i;

	for (i = 0; i < nested->n; i++)
		if (strcmp(nested->dns[i], dn) == 0)
			return LDAP_STATUS_OK;
	if (nested->n == LDAP_MAX_NESTED)
		return LDAP_STATUS_REFUSED;
	if ((nested->dns[nested->n] = strdup(dn)) == NULL)
		return LDAP_STATUS_BROKEN;
	nested->n++;
	return LDAP_STATUS_OK;
}

/* Each group that was found; into "nested" as well, when there is one. */
static enum ldap_status
add_found(struct ldap_conn *conn, const struct conf_ldap *conf,
    LDAPMessage *res, struct nested *nested, struct cred_answer *answer)
{
	enum ldap_status	 status = LDAP_STATUS_OK;
	LDAPMessage		*entry;
	char			*dn;

	for (entry = ldap_first_entry(conn->ld, res);
	    entry != NULL && status == LDAP_STATUS_OK;
	    entry = ldap_next_entry(conn->ld, entry)) {
		if ((dn = ldap_get_dn(conn->ld, entry)) == NULL)
			return LDAP_STATUS_BROKEN;
		status = ldap_groups_add(conf, dn, answer);
		if (status == LDAP_STATUS_OK && nested != NULL)
			status = nested_add(nested, dn);
		ldap_memfree(dn);
	}
	return status;
}

static enum ldap_status
search_groups(struct ldap_conn *conn, const struct conf_ldap *conf,
    const char *filter, uint64_t deadline, struct nested *nested,
    struct cred_answer *answer)
{
	char			 none[] = LDAP_NO_ATTRS;
	char			*attrs[] = { none, NULL };
	LDAPMessage		*res = NULL;
	enum ldap_status	 status;
	bool			 more;

	status = ldap_conn_search(conn, conf->groups_base, LDAP_SCOPE_SUBTREE,
	    filter, attrs, LDAP_MAX_GROUPS, deadline, &res, &more);
	if (status != LDAP_STATUS_OK)
		return status;
	status = more ? LDAP_STATUS_REFUSED :
	    add_found(conn, conf, res, nested, answer);
	ldap_msgfree(res);
	if (status == LDAP_STATUS_REFUSED)
		snprintf(conn->why, sizeof(conn->why), "a user is in too "
		    "many groups");
	return status;
}

static const char *
find_filter(const struct conf_ldap *conf)
{
	size_t	 i;

	if (conf->groups_filter != NULL)
		return conf->groups_filter;
	for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (strcmp(filters[i].mode, conf->groups_mode) == 0)
			return filters[i].filter;
	return NULL;
}

/* The groups of one DN: the user's, or those of a group. */
static enum ldap_status
groups_of(struct ldap_conn *conn, const struct conf_ldap *conf,
    const char *dn, const char *name, uint64_t deadline,
    struct nested *nested, struct cred_answer *answer)
{
	struct ldap_name	 names[] = { { "dn", dn }, { "user", name } };
	enum ldap_status	 status;
	char			*filter;

	filter = ldap_escape_expand(find_filter(conf), LDAP_SYNTAX_FILTER,
	    names, 2);
	if (filter == NULL)
		return LDAP_STATUS_REFUSED;
	status = search_groups(conn, conf, filter, deadline, nested, answer);
	free(filter);
	return status;
}

static enum ldap_status
find_nested(struct ldap_conn *conn, const struct conf_ldap *conf,
    const struct ldap_user *user, uint64_t deadline,
    struct cred_answer *answer)
{
	struct nested		 nested = { .n = 0 };
	enum ldap_status	 status;
	size_t			 i;

	status = groups_of(conn, conf, user->dn, user->name, deadline,
	    &nested, answer);
	/* It grows meanwhile. */
	for (i = 0; i < nested.n && status == LDAP_STATUS_OK; i++)
		status = groups_of(conn, conf, nested.dns[i], user->name,
		    deadline, &nested, answer);
	for (i = 0; i < nested.n; i++)
		free(nested.dns[i]);
	return status;
}

enum ldap_status
ldap_groups_find(struct ldap_conn *conn, const struct conf_ldap *conf,
    const struct ldap_user *user, uint64_t deadline,
    struct cred_answer *answer)
{
	enum ldap_status	 status = LDAP_STATUS_OK;
	size_t			 i;

	cred_answer_done(answer);
	if (strcmp(conf->groups_mode, "none") == 0)
		return status;
	if (strcmp(conf->groups_mode, "memberof") == 0) {
		for (i = 0; i < user->ngroups && status == LDAP_STATUS_OK; i++)
			status = ldap_groups_add(conf, user->groups[i],
			    answer);
		return status;
	}
	if (conf->groups_nested)
		return find_nested(conn, conf, user, deadline, answer);
	return groups_of(conn, conf, user->dn, user->name, deadline, NULL,
	    answer);
}
