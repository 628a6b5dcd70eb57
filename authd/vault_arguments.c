/* SPDX-License-Identifier: ISC */
/*
 * Reads and checks the arguments of commands.  Runs where they do: in the
 * vault and in authctl.
 */
#include "vault_arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "encode.h"
#include "str.h"

#include "rights.h"

#define MAX_KEY		32		/* bytes of a name that is known */
#define MAX_SECONDS	(INT64_C(100) * 366 * 86400)

void
vault_refuse(const struct vault_call *call, const char *fmt, ...)
{
	va_list	 ap;

	if (vault_refused(call))
		return;
	va_start(ap, fmt);
	vsnprintf(call->out->error, sizeof(call->out->error), fmt, ap);
	va_end(ap);
}

bool
vault_refused(const struct vault_call *call)
{
	return call->out->error[0] != '\0';
}

bool
vault_known(const struct vault_call *call, const char *names)
{
	const char	*key;
	char		 word[MAX_KEY + 3];
	json_t		*value;

	json_object_foreach(call->request, key, value) {
		if (strcmp(key, "command") == 0)
			continue;
		snprintf(word, sizeof(word), " %.*s ", MAX_KEY, key);
		if (strchr(key, ' ') != NULL || strstr(names, word) == NULL)
			vault_refuse(call, "unknown argument");
	}
	return !vault_refused(call);
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

void
vault_text(const struct vault_call *call, const char *key, char *dst,
    size_t size, bool needed)
{
	const json_t	*value = json_object_get(call->request, key);
	const char	*text = json_string_value(value);

	if (value == NULL && !needed)
		return;
	if (text == NULL || (needed && *text == '\0'))
		vault_refuse(call, "%s: missing", key);
	else if (has_control(text))
		vault_refuse(call, "%s: there is a control character in it",
		    key);
	else if (str_copy(dst, size, text) == -1)
		vault_refuse(call, "%s: accepted: at most %zu bytes", key,
		    size - 1);
}

void
vault_user(const struct vault_call *call, const char *key,
    char user[MAX_USER + 1])
{
	char	 lower[MAX_USER + 1];

	vault_text(call, key, user, MAX_USER + 1, true);
	if (vault_refused(call))
		return;
	str_copy(lower, sizeof(lower), user);
	str_lower(lower);
	/* Directories pass over blanks there, and we do not. */
	if (*user == ' ' || user[strlen(user) - 1] == ' ')
		vault_refuse(call, "%s: a name does not begin or end with a "
		    "blank", key);
	else if (strchr(user, ':') != NULL)
		vault_refuse(call, "%s: a name has no ':'", key);
	else if (str_starts(lower, CREDENTIAL_ROBOT_PREFIX))
		vault_refuse(call, "%s: names that begin with \"robot$\" are "
		    "robots': see \"authctl robot\"", key);
}

void
vault_robot_name(const struct vault_call *call, char name[MAX_USER + 1])
{
	const char	*wrong;

	vault_text(call, "name", name, MAX_USER + 1, true);
	if (!vault_refused(call) &&
	    (wrong = credential_robot_wrong(name)) != NULL)
		vault_refuse(call, "name: %s", wrong);
}

void
vault_hash(const struct vault_call *call,
    unsigned char hash[CREDENTIAL_HASH_SIZE])
{
	char	 hex[2 * CREDENTIAL_HASH_SIZE + 1] = "";

	vault_text(call, "hash", hex, sizeof(hex), true);
	if (!vault_refused(call) && (strlen(hex) != sizeof(hex) - 1 ||
	    hex_decode(hash, hex, strlen(hex)) == -1))
		vault_refuse(call, "hash: accepted: a SHA-256 in hex");
}

/* Each item of an array that may be absent, with blanks between them. */
static void
read_list(const struct vault_call *call, const char *key, size_t max,
    const char *(*wrong)(const char *), char *dst, size_t size)
{
	const json_t	*array = json_object_get(call->request, key);
	const char	*text, *why;
	size_t		 i, len = 0;

	if (array == NULL)
		return;
	if (!json_is_array(array) || json_array_size(array) > max) {
		vault_refuse(call, "%s: accepted: a list of at most %zu", key,
		    max);
		return;
	}
	for (i = 0; i < json_array_size(array) && !vault_refused(call); i++) {
		text = json_string_value(json_array_get(array, i));
		why = text == NULL ? "not a text" : wrong(text);
		if (why != NULL) {
			vault_refuse(call, "%s: %.64s: %s", key,
			    text == NULL ? "" : text, why);
		} else if (len + strlen(text) + 1 >= size) {
			vault_refuse(call, "%s: the list is too long", key);
		} else {
			len += (size_t)snprintf(dst + len, size - len, "%s%s",
			    len > 0 ? " " : "", text);
		}
	}
}

static const char *
network_wrong(const char *text)
{
	struct acl_network	 network;

	return acl_network_parse(&network, text);
}

void
vault_networks(const struct vault_call *call,
    char dst[VAULT_NETWORKS_MAX + 1])
{
	read_list(call, "networks", VAULT_MAX_NETWORKS, network_wrong, dst,
	    VAULT_NETWORKS_MAX + 1);
}

void
vault_rights(const struct vault_call *call, char dst[VAULT_RIGHTS_MAX + 1],
    bool needed)
{
	const json_t	*array = json_object_get(call->request, "rights");

	read_list(call, "rights", RIGHTS_MAX, rights_wrong, dst,
	    VAULT_RIGHTS_MAX + 1);
	/* An empty list must not come to mean all that the owner has. */
	if ((needed || array != NULL) && *dst == '\0')
		vault_refuse(call, "rights: at least one is needed");
}

void
vault_seconds(const struct vault_call *call, const char *key, int64_t *n)
{
	const json_t	*value = json_object_get(call->request, key);
	json_int_t	 given;

	if (value == NULL)
		return;
	given = json_integer_value(value);
	if (!json_is_integer(value) || given < 0 || given > MAX_SECONDS)
		vault_refuse(call, "%s: accepted: 0 to %lld seconds", key,
		    (long long)MAX_SECONDS);
	else
		*n = given;
}

int64_t
vault_lifetime_end(const struct vault_call *call)
{
	const struct vault_limits	*limits = call->limits;
	int64_t				 lifetime = limits->lifetime;

	vault_seconds(call, "lifetime", &lifetime);
	if (limits->max_lifetime != 0 &&
	    (lifetime == 0 || lifetime > limits->max_lifetime))
		vault_refuse(call, "lifetime: accepted: at most %lld hours "
		    "(credentials.max_lifetime)",
		    (long long)(limits->max_lifetime / 3600));
	return lifetime == 0 ? 0 : call->now + lifetime;
}

int
vault_kind(const struct vault_call *call)
{
	char	 name[16] = "";
	int	 kind;

	vault_text(call, "kind", name, sizeof(name), false);
	if (*name == '\0')
		return 0;
	for (kind = CREDENTIAL_PERSONAL; kind <= CREDENTIAL_REFRESH; kind++)
		if (strcmp(name, credential_kind_name(
		    (enum credential_kind)kind)) == 0)
			return kind;
	vault_refuse(call, "kind: accepted: personal, robot, refresh");
	return 0;
}

void
vault_cursor(const struct vault_call *call, struct vault_cursor *last)
{
	const json_t	*after = json_object_get(call->request, "after");
	const char	*user, *id;

	memset(last, 0, sizeof(*last));
	if (after == NULL)
		return;
	user = json_string_value(json_object_get(after, "user"));
	id = json_string_value(json_object_get(after, "id"));
	last->created = json_integer_value(json_object_get(after, "created"));
	if (user == NULL || id == NULL ||
	    str_copy(last->owner, sizeof(last->owner), user) == -1 ||
	    str_copy(last->id, sizeof(last->id), id) == -1)
		vault_refuse(call, "after: accepted: what \"more\" was");
}
