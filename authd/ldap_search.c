/* SPDX-License-Identifier: ISC */
/*
 * Finds the one entry of a user and takes from it who he is: the directory
 * ignores case and blanks in what was typed, so that what was typed names
 * nobody.  Runs in the verifiers for LDAP.
 */
#include "ldap_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldap_dn.h"

#define MEMBER_OF	"memberOf"

void
ldap_user_done(struct ldap_user *user)
{
	size_t	 i;

	for (i = 0; i < user->ngroups; i++)
		free(user->groups[i]);
	free(user->groups);
	free(user->dn);
	memset(user, 0, sizeof(*user));
}

static int
copy_name(struct ldap_user *user, const struct berval *value)
{
	size_t	 i;

	if (value->bv_len == 0 || value->bv_len >= sizeof(user->name))
		return -1;
	for (i = 0; i < value->bv_len; i++)
		if ((unsigned char)value->bv_val[i] < 0x20 ||
		    value->bv_val[i] == 0x7f)
			return -1;
	memcpy(user->name, value->bv_val, value->bv_len);
	user->name[value->bv_len] = '\0';
	return 0;
}

/* One of several values is the name only when the DN itself says which. */
static enum ldap_status
read_name(struct ldap_conn *conn, LDAPMessage *entry, const char *attr,
    struct ldap_user *user)
{
	struct berval	**values;
	int		 error = -1, n;

	values = ldap_get_values_len(conn->ld, entry, attr);
	n = ldap_count_values_len(values);
	if (n == 1)
		error = copy_name(user, values[0]);
	else if (n > 1)
		error = ldap_dn_own_value(user->dn, attr, user->name,
		    sizeof(user->name));
	ldap_value_free_len(values);
	if (error == 0)
		return LDAP_STATUS_OK;
	snprintf(conn->why, sizeof(conn->why), "the entry has %s %s",
	    n == 0 ? "no" : n == 1 ? "an unusable" : "more than one", attr);
	return LDAP_STATUS_REFUSED;
}

static enum ldap_status
read_groups(struct ldap_conn *conn, LDAPMessage *entry,
    struct ldap_user *user)
{
	struct berval	**values;
	int		 i, n;

	values = ldap_get_values_len(conn->ld, entry, MEMBER_OF);
	n = ldap_count_values_len(values);
	if (n > 0)
		user->groups = calloc((size_t)n, sizeof(*user->groups));
	for (i = 0; i < n && user->groups != NULL; i++) {
		user->groups[i] = strndup(values[i]->bv_val,
		    values[i]->bv_len);
		if (user->groups[i] == NULL)
			break;
		user->ngroups++;
	}
	ldap_value_free_len(values);
	return user->ngroups == (size_t)n ? LDAP_STATUS_OK :
	    LDAP_STATUS_BROKEN;
}

static enum ldap_status
read_entry(struct ldap_conn *conn, const struct conf_ldap *conf,
    LDAPMessage *entry, struct ldap_user *user)
{
	enum ldap_status	 status;
	char			*dn;

	if ((dn = ldap_get_dn(conn->ld, entry)) != NULL)
		user->dn = strdup(dn);
	ldap_memfree(dn);
	if (user->dn == NULL)
		return LDAP_STATUS_BROKEN;
	ldap_state_read(&user->state, conn->ld, entry);
	status = read_name(conn, entry, conf->user_attr, user);
	return status == LDAP_STATUS_OK ? read_groups(conn, entry, user) :
	    status;
}

enum ldap_status
ldap_search_user(struct ldap_conn *conn, const struct conf_ldap *conf,
    const char *base, int scope, const char *filter, uint64_t deadline,
    struct ldap_user *user)
{
	char			 member_of[] = MEMBER_OF;
	char			*attrs[LDAP_STATE_ATTRS + 3] = { NULL };
	LDAPMessage		*res = NULL;
	enum ldap_status	 status;
	bool			 more;
	int			 n;

	attrs[0] = conf->user_attr;
	ldap_state_attrs(attrs + 1);
	if (strcmp(conf->groups_mode, "memberof") == 0)
		attrs[LDAP_STATE_ATTRS + 1] = member_of;
	ldap_user_done(user);
	status = ldap_conn_search(conn, base, scope, filter, attrs, 2,
	    deadline, &res, &more);
	if (status != LDAP_STATUS_OK)
		return status;
	n = ldap_count_entries(conn->ld, res);
	user->nfound = n < 0 ? 0 : (size_t)n + more;
	if (user->nfound == 1)
		status = read_entry(conn, conf,
		    ldap_first_entry(conn->ld, res), user);
	else
		status = LDAP_STATUS_NO;
	ldap_msgfree(res);
	return status;
}
