/* SPDX-License-Identifier: ISC */
/*
 * An access rule as a message, from the parent to the broker, and as text
 * for administrators.
 */
#include "acl.h"

#include <stdlib.h>
#include <string.h>

#include "messages.h"

#define MAX_NETWORK	64

void
acl_rule_put(struct msg_out *out, const struct acl_rule *rule)
{
	/* "" stands for unset, except in a user: there it is a user. */
	msg_put_bool(out, rule->has_user);
	msg_put_str(out, rule->user);
	msg_put_str(out, rule->group);
	msg_put_str(out, rule->network);
	msg_put_str(out, rule->service);
	msg_put_str(out, rule->repository);
	msg_put_str(out, rule->registry);
	msg_put_u32(out, rule->actions);
	msg_put_u32(out, rule->line);
}

static char *
get_optional(struct msg *msg, size_t max)
{
	char	*text;

	text = msg_get_strdup(msg, max);
	if (text != NULL && *text == '\0') {
		free(text);
		return NULL;
	}
	return text;
}

int
acl_rule_get(struct msg *msg, struct acl_rule *rule)
{
	memset(rule, 0, sizeof(*rule));
	rule->has_user = msg_get_bool(msg);
	rule->user = msg_get_strdup(msg, ACL_MAX_PATTERN);
	rule->group = get_optional(msg, ACL_MAX_GROUP);
	rule->network = get_optional(msg, MAX_NETWORK);
	rule->service = get_optional(msg, ACL_MAX_PATTERN);
	rule->repository = get_optional(msg, ACL_MAX_PATTERN);
	rule->registry = get_optional(msg, MAX_NETWORK);
	rule->actions = msg_get_u32(msg);
	rule->line = msg_get_u32(msg);
	return msg->bad ? -1 : 0;
}

static void
format_field(struct buf *buf, const char *key, const char *value)
{
	if (value == NULL)
		return;
	buf_addf(buf, " %s=%s", key, *value == '\0' ? "\"\"" : value);
}

void
acl_rule_format(struct buf *buf, const struct acl_rule *rule, int index)
{
	struct buf	 actions;

	buf_addf(buf, "rule %d (line %u):", index + 1, rule->line);
	if (rule->has_user)
		format_field(buf, "user", rule->user);
	format_field(buf, "group", rule->group);
	format_field(buf, "network", rule->network);
	format_field(buf, "service", rule->service);
	format_field(buf, "repository", rule->repository);
	format_field(buf, "registry", rule->registry);
	/* The actions of a scope, behind its two colons. */
	buf_init(&actions, 64);
	scope_format(&actions, "", "", rule->actions);
	buf_addf(buf, " actions=%s", rule->actions == 0 ? "none" :
	    buf_str(&actions) + 2);
	buf_done(&actions);
}
