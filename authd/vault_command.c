/* SPDX-License-Identifier: ISC */
/*
 * Does what administrators ask: checks the arguments, changes the database
 * and tells what came of it.  Runs in the vault, and in authctl while no
 * vault does.  Knows no socket, and never sees a secret.
 */
#include "vault_command.h"

#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "json.h"
#include "str.h"

#include "vault_arguments.h"

#define PART		100		/* of a list in one answer */
#define OVERLAP		(INT64_C(24) * 3600)	/* of secrets in a rotation */

typedef void command_fn(const struct vault_call *);

/* ---- answers ---- */

static void
answer_result(const struct vault_call *call, enum vault_result result,
    const char *what, json_t *value)
{
	struct vault_outcome	*out = call->out;

	if (result == VAULT_OK) {
		out->result = value;
		if (value == NULL)
			vault_refuse(call, "out of memory");
		return;
	}
	json_decref(value);
	switch (result) {
	case VAULT_NOTFOUND:
		vault_refuse(call, "%s is not there", what);
		break;
	case VAULT_EXISTS:
		vault_refuse(call, "%s is there already", what);
		break;
	case VAULT_LIMIT:
		vault_refuse(call, "%s has as many as there may be: revoke "
		    "some first", what);
		break;
	default:
		vault_refuse(call, "the database: %s",
		    vault_db_error(call->db));
		break;
	}
}

/* Absent rather than 0: JSON can say that there is none. */
static json_t *
time_value(int64_t when)
{
	return when == 0 ? json_null() : json_integer(when);
}

/* "a b" as ["a", "b"] */
static json_t *
list_value(const char *text)
{
	json_t	*array = json_array();
	size_t	 len;

	for (text += strspn(text, " "); *text != '\0';
	    text += strspn(text, " ")) {
		len = strcspn(text, " ");
		json_array_append_new(array, json_stringn(text, len));
		text += len;
	}
	return array;
}

static json_t *
credential_value(const struct vault_credential *c)
{
	json_t	*value;

	value = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:o, "
	    "s:b}", "id", c->id, "kind", credential_kind_name(c->kind),
	    "user", c->owner, "comment", c->comment,
	    "networks", list_value(c->networks),
	    "rights", *c->rights == '\0' ? json_null() :
	    list_value(c->rights), "expires", time_value(c->expires),
	    "created", (json_int_t)c->created, "used", time_value(c->used),
	    "disabled", c->disabled);
	if (value != NULL && c->kind == CREDENTIAL_REFRESH) {
		json_object_set_new(value, "service",
		    json_string(c->service));
		json_object_set_new(value, "client", json_string(c->client));
	}
	return value;
}

/* ---- tokens ---- */

static void
fill_new(const struct vault_call *call, struct vault_credential *c,
    enum credential_kind kind)
{
	c->kind = kind;
	c->created = call->now;
	c->expires = vault_lifetime_end(call);
	credential_make_id(c->id);
	vault_text(call, "comment", c->comment, sizeof(c->comment), false);
}

static void
token_new(const struct vault_call *call)
{
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];
	struct vault_credential	 c;

	memset(&c, 0, sizeof(c));
	fill_new(call, &c, CREDENTIAL_PERSONAL);
	vault_user(call, "user", c.owner);
	vault_hash(call, hash);
	vault_networks(call, c.networks);
	vault_rights(call, c.rights, false);
	if (!vault_refused(call))
		answer_result(call, vault_db_add(call->db, &c, hash),
		    c.owner, credential_value(&c));
}

static void
add_credential(const struct vault_credential *c, void *arg)
{
	json_array_append_new(arg, credential_value(c));
}

static void
token_list(const struct vault_call *call)
{
	struct vault_cursor	 last;
	enum vault_result	 result;
	char			 user[MAX_USER + 1] = "";
	json_t			*list, *value;

	vault_text(call, "user", user, sizeof(user), false);
	vault_cursor(call, &last);
	if (vault_refused(call))
		return;
	list = json_array();
	result = vault_db_list(call->db, *user == '\0' ? NULL : user, &last,
	    PART, add_credential, list);
	value = json_pack("{s:o}", "credentials", list);
	/* That was all when there was less than a whole part. */
	if (result == VAULT_OK)
		json_object_set_new(value, "more", json_pack("{s:s, s:I, "
		    "s:s}", "user", last.owner, "created",
		    (json_int_t)last.created, "id", last.id));
	answer_result(call, result == VAULT_NOTFOUND ? VAULT_OK : result,
	    "", value);
}

/* Backends that take any case of a name leave some behind: that is told. */
static void
revoke_user(const struct vault_call *call, const char *user, int kind)
{
	enum vault_result	 result;
	int64_t			 n = 0, alike = 0;

	result = vault_db_revoke_all(call->db, user, kind, &n);
	if (result == VAULT_OK)
		result = vault_db_alike(call->db, user, kind, &alike);
	answer_result(call, result, user, json_pack("{s:I, s:I}", "revoked",
	    (json_int_t)n, "alike", (json_int_t)alike));
}

static void
token_revoke(const struct vault_call *call)
{
	char	 id[CREDENTIAL_ID_SIZE] = "";
	char	 user[MAX_USER + 1] = "";
	int	 kind = vault_kind(call);

	vault_text(call, "id", id, sizeof(id), false);
	vault_text(call, "user", user, sizeof(user), false);
	if ((*id == '\0') == (*user == '\0'))
		vault_refuse(call, "accepted: either an id or a user");
	if (vault_refused(call))
		return;
	call->out->takes_away = true;
	if (*id == '\0')
		revoke_user(call, user, kind);
	else
		answer_result(call, vault_db_revoke(call->db, id), id,
		    json_pack("{s:i}", "revoked", 1));
}

/* ---- robots ---- */

static json_t *
robot_value(const struct vault_robot *robot, json_t *secrets)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:I, s:b, s:o}", "name",
	    robot->name, "comment", robot->comment, "networks",
	    list_value(robot->networks), "rights", list_value(robot->rights),
	    "created", (json_int_t)robot->created, "disabled",
	    robot->disabled, "secrets", secrets);
}

static json_t *
secret_value(const struct vault_credential *c)
{
	return json_pack("{s:s, s:s, s:I, s:o, s:o}", "id", c->id, "comment",
	    c->comment, "created", (json_int_t)c->created, "expires",
	    time_value(c->expires), "used", time_value(c->used));
}

static void
robot_new(const struct vault_call *call)
{
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];
	struct vault_credential	 c;
	struct vault_robot	 robot;

	memset(&c, 0, sizeof(c));
	memset(&robot, 0, sizeof(robot));
	fill_new(call, &c, CREDENTIAL_ROBOT);
	vault_robot_name(call, robot.name);
	vault_hash(call, hash);
	vault_networks(call, robot.networks);
	vault_rights(call, robot.rights, true);
	if (vault_refused(call))
		return;
	memcpy(c.owner, robot.name, sizeof(c.owner));
	memcpy(robot.comment, c.comment, sizeof(robot.comment));
	c.comment[0] = '\0';
	robot.created = call->now;
	answer_result(call, vault_db_robot_add(call->db, &robot, &c, hash),
	    robot.name, robot_value(&robot, json_pack("[o]",
	    secret_value(&c))));
}

static void
robot_rotate(const struct vault_call *call)
{
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];
	struct vault_credential	 c;
	int64_t			 overlap = OVERLAP;
	json_int_t		 end;

	memset(&c, 0, sizeof(c));
	fill_new(call, &c, CREDENTIAL_ROBOT);
	vault_robot_name(call, c.owner);
	vault_hash(call, hash);
	vault_seconds(call, "overlap", &overlap);
	if (vault_refused(call))
		return;
	call->out->takes_away = true;
	end = call->now + overlap;
	answer_result(call, vault_db_robot_rotate(call->db, &c, hash, end),
	    c.owner, json_pack("{s:s, s:o, s:I}", "name", c.owner, "secret",
	    secret_value(&c), "old_end", end));
}

struct listing {
	struct vault_db	*db;
	json_t		*robots;
	bool		 failed;
};

static void
add_secret(const struct vault_credential *c, void *arg)
{
	json_array_append_new(arg, secret_value(c));
}

static void
add_robot(const struct vault_robot *robot, void *arg)
{
	struct listing		*listing = arg;
	struct vault_cursor	 last;
	json_t			*secrets = json_array();

	memset(&last, 0, sizeof(last));
	if (vault_db_list(listing->db, robot->name, &last,
	    VAULT_MAX_SECRETS + 1, add_secret, secrets) == VAULT_FAILED)
		listing->failed = true;
	json_array_append_new(listing->robots, robot_value(robot, secrets));
}

static void
robot_list(const struct vault_call *call)
{
	struct listing		 listing = { call->db, NULL, false };
	char			 name[MAX_USER + 1] = "";
	enum vault_result	 result;
	json_t			*value;

	vault_text(call, "after", name, sizeof(name), false);
	if (vault_refused(call))
		return;
	listing.robots = json_array();
	result = vault_db_robot_list(call->db, name, PART, add_robot,
	    &listing);
	value = json_pack("{s:o}", "robots", listing.robots);
	if (result == VAULT_OK)
		json_object_set_new(value, "more", json_string(name));
	if (listing.failed)
		result = VAULT_FAILED;
	answer_result(call, result == VAULT_NOTFOUND ? VAULT_OK : result,
	    "", value);
}

static void
set_disabled(const struct vault_call *call, bool disabled)
{
	char	 name[MAX_USER + 1] = "";

	vault_robot_name(call, name);
	if (vault_refused(call))
		return;
	call->out->takes_away = disabled;
	answer_result(call, vault_db_robot_disable(call->db, name, disabled),
	    name, json_pack("{s:s, s:b}", "name", name, "disabled",
	    disabled));
}

static void
robot_disable(const struct vault_call *call)
{
	set_disabled(call, true);
}

/* What is remembered of it says "disabled": that is to be forgotten too. */
static void
robot_enable(const struct vault_call *call)
{
	set_disabled(call, false);
	call->out->takes_away = true;
}

static void
robot_delete(const struct vault_call *call)
{
	char	 name[MAX_USER + 1] = "";

	vault_robot_name(call, name);
	if (vault_refused(call))
		return;
	call->out->takes_away = true;
	answer_result(call, vault_db_robot_delete(call->db, name), name,
	    json_pack("{s:s}", "name", name));
}

/* ---- the table ---- */

static const struct {
	const char	*name;
	command_fn	*run;
	const char	*arguments;	/* that it may have, with blanks */
} commands[] = {
	{ "token.new", token_new,
	    " user hash comment lifetime networks rights " },
	{ "token.list", token_list, " user after " },
	{ "token.revoke", token_revoke, " id user kind " },
	{ "robot.new", robot_new,
	    " name hash comment lifetime networks rights " },
	{ "robot.list", robot_list, " after " },
	{ "robot.rotate", robot_rotate,
	    " name hash comment lifetime overlap " },
	{ "robot.disable", robot_disable, " name " },
	{ "robot.enable", robot_enable, " name " },
	{ "robot.delete", robot_delete, " name " }
};
#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

void
vault_command(struct vault_db *db, const struct vault_limits *limits,
    const char *command, json_t *request, int64_t now,
    struct vault_outcome *out)
{
	struct vault_call	 call = { db, limits, request, now, out };
	size_t			 i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, command) == 0)
			break;
	if (i == NCOMMANDS)
		vault_refuse(&call, "unknown command");
	else if (vault_known(&call, commands[i].arguments))
		commands[i].run(&call);
}
