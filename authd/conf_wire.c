/* SPDX-License-Identifier: ISC */
/*
 * The configuration on its way from the parent to its children: each role
 * gets only the values that it needs, and the broker alone groups and rules.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "conf.h"
#include "messages.h"
#include "msg.h"

#define BATCH	32768			/* bytes, then the next message */

/* ---- sending ---- */

static int
send_values(const struct authd_conf *conf, struct msg_chan *chan,
    unsigned role)
{
	struct msg_out	 out;
	char		*value;
	size_t		 i;
	int		 error;

	for (i = 0; i < conf_nvalues(); i++) {
		if (!conf_value_is_for(i, role) ||
		    (value = conf_get_value(conf, i)) == NULL)
			continue;
		msg_begin(&out, MSG_CONF_VALUE, 0);
		msg_put_u32(&out, (uint32_t)i);
		msg_put_str(&out, value);
		error = msg_send(chan, &out);
		free(value);
		if (error == -1)
			return -1;
	}
	return 0;
}

static int
send_group(const struct conf_group *group, struct msg_chan *chan)
{
	struct msg_out	 out;
	size_t		 i = 0;

	do {
		msg_begin(&out, MSG_CONF_GROUP, 0);
		msg_put_str(&out, group->name);
		for (; i < group->users.n && out.len < BATCH; i++) {
			msg_put_bool(&out, true);
			msg_put_str(&out, group->users.items[i]);
		}
		msg_put_bool(&out, false);
		if (msg_send(chan, &out) == -1)
			return -1;
	} while (i < group->users.n);
	return 0;
}

static int
send_rules(const struct authd_conf *conf, struct msg_chan *chan)
{
	struct msg_out	 out;
	size_t		 i = 0;

	while (i < conf->nrules) {
		msg_begin(&out, MSG_CONF_RULE, 0);
		for (; i < conf->nrules && out.len < BATCH; i++) {
			msg_put_bool(&out, true);
			acl_rule_put(&out, &conf->rules[i]);
		}
		msg_put_bool(&out, false);
		if (msg_send(chan, &out) == -1)
			return -1;
	}
	return 0;
}

int
conf_send(const struct authd_conf *conf, struct msg_chan *chan, unsigned role)
{
	size_t	 i;

	if (send_values(conf, chan, role) == -1)
		return -1;
	if (role != ROLE_BROKER)
		return 0;
	for (i = 0; i < conf->ngroups; i++)
		if (send_group(&conf->groups[i], chan) == -1)
			return -1;
	return send_rules(conf, chan);
}

/* ---- receiving ---- */

int
conf_on_value(struct authd_conf *conf, struct msg *msg)
{
	uint32_t	 i;
	char		*value;
	int		 error;

	i = msg_get_u32(msg);
	if ((value = msg_get_strdup(msg, MSG_MAX_SIZE)) == NULL)
		return -1;
	error = msg_end(msg) == -1 ? -1 : conf_set_value(conf, i, value);
	free(value);
	return error;
}

/* The group of that name, a new one when there is none. */
static struct conf_group *
put_group(struct authd_conf *conf, const char *name)
{
	struct conf_group	*groups;
	size_t			 n = conf->ngroups;

	if (n > 0 && strcmp(conf->groups[n - 1].name, name) == 0)
		return &conf->groups[n - 1];
	if (n == CONF_MAX_GROUPS)
		return NULL;
	groups = reallocarray(conf->groups, n + 1, sizeof(*groups));
	if (groups == NULL)
		return NULL;
	conf->groups = groups;
	memset(&groups[n], 0, sizeof(groups[n]));
	if ((groups[n].name = strdup(name)) == NULL)
		return NULL;
	conf->ngroups++;
	return &groups[n];
}

int
conf_on_group(struct authd_conf *conf, struct msg *msg)
{
	struct conf_group	*group;
	char			 name[MAX_USER + 1], **items;
	size_t			 n;

	msg_get_str(msg, name, sizeof(name));
	if (msg->bad || (group = put_group(conf, name)) == NULL)
		return -1;
	while (msg_get_bool(msg)) {
		n = group->users.n;
		items = reallocarray(group->users.items, n + 1,
		    sizeof(*items));
		if (items == NULL)
			return -1;
		group->users.items = items;
		if ((items[n] = msg_get_strdup(msg, MAX_USER)) == NULL)
			return -1;
		group->users.n++;
	}
	return msg_end(msg);
}

int
conf_on_rules(struct authd_conf *conf, struct msg *msg)
{
	struct acl_rule	*rules;

	while (msg_get_bool(msg)) {
		if (conf->nrules == ACL_MAX_RULES)
			return -1;
		rules = reallocarray(conf->rules, conf->nrules + 1,
		    sizeof(*rules));
		if (rules == NULL)
			return -1;
		conf->rules = rules;
		if (acl_rule_get(msg, &rules[conf->nrules]) == -1)
			return -1;
		conf->nrules++;
	}
	return msg_end(msg);
}
