/* SPDX-License-Identifier: ISC */
/*
 * The configuration of authd: the table of its keys, their defaults, and the
 * text form in which single values go to the children.  Reading the file is
 * in conf_read.c.
 */
#include "conf.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "conf_key.h"
#include "json.h"
#include "messages.h"
#include "str.h"
#include "xmem.h"

#define SECOND	UINT64_C(1000)
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define YEAR	(365 * 24 * HOUR)
#define KIB	UINT64_C(1024)
#define MIB	(1024 * KIB)

#define NAME_MAX_LEN	255		/* of users, services, realms */
#define PATH_MAX_LEN	4096
#define LDAP_TEXT_MAX	2048		/* DNs and filters */

#define MEMBER(m)	offsetof(struct authd_conf, m), \
	    sizeof(((struct authd_conf *)0)->m)
#define W		(1u << ROLE_WORKER)
#define B		(1u << ROLE_BROKER)
#define V_HTPASSWD	(1u << ROLE_VERIFIER)
#define V_LDAP		(1u << ROLE_VERIFIER_LDAP)
#define V_PAM		(1u << ROLE_VERIFIER_PAM)
#define VAULT		(1u << ROLE_VAULT)

const struct conf_key conf_keys[] = {
	/* key, type, required, member, default, min, max, roles, accepted */
	{ "listen", CONF_STRING, false, MEMBER(listen),
	    "localhost:5001", 1, PATH_MAX_LEN, 0, NULL },
	{ "net", CONF_STRING, false, MEMBER(net),
	    "tcp", 0, 0, 0, "tcp|unix" },
	{ "tls.certificate", CONF_STRING, false, MEMBER(tls_certificate),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },
	{ "tls.key", CONF_STRING, false, MEMBER(tls_key),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },
	{ "tls.minimum", CONF_STRING, false, MEMBER(tls_minimum),
	    "tls1.2", 0, 0, W, "tls1.2|tls1.3" },

	{ "issuer", CONF_STRING, false, MEMBER(issuer),
	    "authd", 1, NAME_MAX_LEN, 0, NULL },
	{ "realm", CONF_STRING, false, MEMBER(realm),
	    "authd", 1, NAME_MAX_LEN, W, NULL },
	{ "services", CONF_SERVICES, true, MEMBER(services),
	    NULL, 1, MAX_SERVICE, B, NULL },
	{ "token.key", CONF_STRING, false, MEMBER(token_key),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },
	{ "token.certificate", CONF_STRING, false, MEMBER(token_certificate),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },
	{ "token.lifetime", CONF_DURATION, false, MEMBER(token_lifetime_ms),
	    "5m", MINUTE, 24 * HOUR, 0, NULL },
	{ "token.backdate", CONF_DURATION, false, MEMBER(token_backdate_ms),
	    "10s", 0, 5 * MINUTE, 0, NULL },

	{ "backends", CONF_LIST, false, MEMBER(backends),
	    NULL, 1, NAME_MAX_LEN, B, NULL },
	{ "htpasswd", CONF_STRING, false, MEMBER(htpasswd),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },

	{ "htgroup", CONF_STRING, false, MEMBER(htgroup),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },

	{ "ldap.uris", CONF_LIST, false, MEMBER(ldap.uris),
	    NULL, 1, NAME_MAX_LEN, V_LDAP, NULL },
	{ "ldap.tls", CONF_STRING, false, MEMBER(ldap.tls),
	    "starttls", 0, 0, V_LDAP, "starttls|none" },
	{ "ldap.allow_plaintext", CONF_BOOL, false,
	    MEMBER(ldap.allow_plaintext), "false", 0, 0, 0, NULL },
	{ "ldap.ca", CONF_STRING, false, MEMBER(ldap.ca),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },
	{ "ldap.bind_dn", CONF_STRING, false, MEMBER(ldap.bind_dn),
	    NULL, 1, LDAP_TEXT_MAX, V_LDAP, NULL },
	{ "ldap.bind_password_file", CONF_STRING, false,
	    MEMBER(ldap.bind_password_file), NULL, 1, PATH_MAX_LEN, 0, NULL },
	{ "ldap.mode", CONF_STRING, false, MEMBER(ldap.mode),
	    "search", 0, 0, V_LDAP, "search|template" },
	{ "ldap.base", CONF_STRING, false, MEMBER(ldap.base),
	    NULL, 1, LDAP_TEXT_MAX, V_LDAP, NULL },
	{ "ldap.filter", CONF_STRING, false, MEMBER(ldap.filter),
	    "(uid={user})", 1, LDAP_TEXT_MAX, V_LDAP, NULL },
	{ "ldap.user_attr", CONF_STRING, false, MEMBER(ldap.user_attr),
	    "uid", 1, NAME_MAX_LEN, V_LDAP, NULL },
	{ "ldap.template", CONF_STRING, false, MEMBER(ldap.template),
	    NULL, 1, LDAP_TEXT_MAX, V_LDAP, NULL },
	{ "ldap.groups.mode", CONF_STRING, false, MEMBER(ldap.groups_mode),
	    "none", 0, 0, V_LDAP,
	    "none|memberof|member|memberuid|ad_nested" },
	{ "ldap.groups.base", CONF_STRING, false, MEMBER(ldap.groups_base),
	    NULL, 1, LDAP_TEXT_MAX, V_LDAP, NULL },
	{ "ldap.groups.filter", CONF_STRING, false,
	    MEMBER(ldap.groups_filter), NULL, 1, LDAP_TEXT_MAX, V_LDAP,
	    NULL },
	{ "ldap.groups.name_attr", CONF_STRING, false,
	    MEMBER(ldap.groups_name_attr), "cn", 1, NAME_MAX_LEN, V_LDAP,
	    NULL },
	{ "ldap.groups.nested", CONF_BOOL, false, MEMBER(ldap.groups_nested),
	    "false", 0, 0, V_LDAP, NULL },
	{ "ldap.require_group", CONF_STRING, false,
	    MEMBER(ldap.require_group), NULL, 1, NAME_MAX_LEN, V_LDAP, NULL },
	{ "ldap.ppolicy", CONF_BOOL, false, MEMBER(ldap.ppolicy),
	    "true", 0, 0, V_LDAP, NULL },
	{ "ldap.timeouts.connect", CONF_DURATION, false,
	    MEMBER(ldap.connect_ms), "2s", 100, MINUTE, V_LDAP, NULL },
	{ "ldap.timeouts.operation", CONF_DURATION, false,
	    MEMBER(ldap.operation_ms), "4s", 100, MINUTE, V_LDAP, NULL },
	{ "ldap.timeouts.total", CONF_DURATION, false,
	    MEMBER(ldap.total_ms), "8s", 100, MINUTE, V_LDAP, NULL },
	{ "ldap.verifiers", CONF_COUNT, false, MEMBER(ldap.verifiers),
	    "2", 1, 64, 0, NULL },
	{ "ldap.user", CONF_STRING, false, MEMBER(ldap.user),
	    "_authldap", 1, NAME_MAX_LEN, 0, NULL },

	{ "pam.service", CONF_STRING, false, MEMBER(pam.service),
	    "authd", 1, NAME_MAX_LEN, V_PAM, NULL },
	{ "pam.confdir", CONF_STRING, false, MEMBER(pam.confdir),
	    NULL, 1, PATH_MAX_LEN, V_PAM, NULL },
	{ "pam.timeout", CONF_DURATION, false, MEMBER(pam.timeout_ms),
	    "8s", SECOND, MINUTE, V_PAM, NULL },
	{ "pam.min_uid", CONF_COUNT, false, MEMBER(pam.min_uid),
	    "1000", 0, UINT32_MAX, V_PAM, NULL },
	{ "pam.groups", CONF_BOOL, false, MEMBER(pam.groups),
	    "false", 0, 0, V_PAM, NULL },
	{ "pam.recycle", CONF_COUNT, false, MEMBER(pam.recycle),
	    "100", 1, 1000000, V_PAM, NULL },
	{ "pam.verifiers", CONF_COUNT, false, MEMBER(pam.verifiers),
	    "2", 1, 64, 0, NULL },
	{ "pam.user", CONF_STRING, false, MEMBER(pam.user),
	    "root", 1, NAME_MAX_LEN, 0, NULL },

	{ "credentials.database", CONF_STRING, false,
	    MEMBER(credentials.database), NULL, 1, PATH_MAX_LEN, VAULT | B,
	    NULL },
	{ "credentials.control", CONF_STRING, false,
	    MEMBER(credentials.control), NULL, 1, PATH_MAX_LEN, 0, NULL },
	{ "credentials.user", CONF_STRING, false, MEMBER(credentials.user),
	    "_authvault", 1, NAME_MAX_LEN, 0, NULL },
	{ "credentials.lifetime", CONF_DURATION, false,
	    MEMBER(credentials.lifetime_ms), "2160h", 0, 100 * YEAR, VAULT,
	    NULL },
	{ "credentials.max_lifetime", CONF_DURATION, false,
	    MEMBER(credentials.max_lifetime_ms), "8760h", 0, 100 * YEAR,
	    VAULT, NULL },
	{ "credentials.refresh_tokens", CONF_DURATION, false,
	    MEMBER(credentials.refresh_ms), "0s", 0, 100 * YEAR,
	    W | VAULT | B, NULL },
	{ "credentials.cache", CONF_DURATION, false,
	    MEMBER(credentials.cache_ms), "5s", 0, MINUTE, B, NULL },

	{ "workers", CONF_COUNT, false, MEMBER(workers),
	    "2", 1, 64, 0, NULL },
	{ "verifiers", CONF_COUNT, false, MEMBER(verifiers),
	    "2", 1, 64, 0, NULL },
	{ "user", CONF_STRING, false, MEMBER(user),
	    "_authd", 1, NAME_MAX_LEN, 0, NULL },
	{ "broker_user", CONF_STRING, false, MEMBER(broker_user),
	    "_authbroker", 1, NAME_MAX_LEN, 0, NULL },
	{ "verifier_user", CONF_STRING, false, MEMBER(verifier_user),
	    "_authverify", 1, NAME_MAX_LEN, 0, NULL },
	{ "signer_user", CONF_STRING, false, MEMBER(signer_user),
	    "_authsign", 1, NAME_MAX_LEN, 0, NULL },
	{ "drain_timeout", CONF_DURATION, false, MEMBER(drain_timeout_ms),
	    "10s", 0, HOUR, 0, NULL },

	{ "log.level", CONF_LEVEL, false, MEMBER(log_level),
	    "info", 0, 0, 0, "error|warn|info|debug" },
	{ "log.format", CONF_FORMAT, false, MEMBER(log_format),
	    "text", 0, 0, 0, "text|json|logstash" },
	{ "log.accesslog", CONF_BOOL, false, MEMBER(accesslog),
	    "true", 0, 0, W, NULL },
	{ "log.audit", CONF_STRING, false, MEMBER(log_audit),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },
	{ "log.fields", CONF_PAIRS, false, MEMBER(log_fields),
	    NULL, 0, NAME_MAX_LEN, 0, NULL },

	{ "limits.connections", CONF_COUNT, false, MEMBER(http.max_connections),
	    "1024", 1, 65536, W, NULL },
	{ "limits.requests", CONF_COUNT, false, MEMBER(http.max_requests),
	    "1000", 1, UINT32_MAX, W, NULL },
	{ "limits.head_size", CONF_SIZE, false, MEMBER(http.max_head_size),
	    "16KiB", KIB, MIB, W, NULL },
	{ "limits.headers", CONF_COUNT, false, MEMBER(http.max_headers),
	    "100", 8, 1000, W, NULL },
	{ "limits.target", CONF_SIZE, false, MEMBER(http.max_target),
	    "8KiB", 256, 64 * KIB, W, NULL },
	{ "limits.body", CONF_SIZE, false, MEMBER(max_body),
	    "8KiB", KIB, 64 * KIB, W, NULL },
	{ "limits.pipelined", CONF_SIZE, false, MEMBER(http.max_pipelined),
	    "64KiB", KIB, MIB, W, NULL },
	{ "limits.discard", CONF_SIZE, false, MEMBER(http.max_discard),
	    "64KiB", 0, MIB, W, NULL },
	{ "limits.tls_timeout", CONF_DURATION, false,
	    MEMBER(http.tls_timeout_ms), "10s", SECOND, HOUR, W, NULL },
	{ "limits.head_timeout", CONF_DURATION, false,
	    MEMBER(http.head_timeout_ms), "10s", SECOND, HOUR, W, NULL },
	{ "limits.idle_timeout", CONF_DURATION, false,
	    MEMBER(http.idle_timeout_ms), "1m", SECOND, HOUR, W, NULL },
	{ "limits.body_timeout", CONF_DURATION, false,
	    MEMBER(http.body_timeout_ms), "10s", SECOND, HOUR, W, NULL },
	{ "limits.send_timeout", CONF_DURATION, false,
	    MEMBER(http.send_timeout_ms), "10s", SECOND, HOUR, W, NULL },
	{ "limits.check_timeout", CONF_DURATION, false,
	    MEMBER(check_timeout_ms), "8s", SECOND, MINUTE,
	    W | B | V_HTPASSWD | V_LDAP | V_PAM, NULL },
	{ "limits.check_queue", CONF_COUNT, false, MEMBER(check_queue),
	    "64", 1, 1024, B, NULL },
	{ "limits.cache", CONF_COUNT, false, MEMBER(cache_size),
	    "4096", 0, 1048576, B, NULL },
	{ "limits.cache_ttl", CONF_DURATION, false, MEMBER(cache_ttl_ms),
	    "1m", 0, HOUR, B, NULL },
	{ "grace", CONF_DURATION, false, MEMBER(grace_ms),
	    "0s", 0, 7 * 24 * HOUR, B, NULL },

	{ "proxies", CONF_LIST, false, MEMBER(proxies),
	    NULL, 1, NAME_MAX_LEN, W, NULL },
	{ "proxy_header", CONF_STRING, false, MEMBER(proxy_header),
	    "x-forwarded-for", 0, 0, W, "x-forwarded-for|forwarded" },
	{ "throttle.failures_per_source", CONF_COUNT, false,
	    MEMBER(throttle.failures_per_source), "20", 0, 1000000, B, NULL },
	{ "throttle.failures_per_user", CONF_COUNT, false,
	    MEMBER(throttle.failures_per_user), "100", 0, 1000000, B, NULL },
	{ "throttle.checks_per_source", CONF_COUNT, false,
	    MEMBER(throttle.checks_per_source), "48", 0, 65536, B, NULL },
	{ "throttle.window", CONF_DURATION, false,
	    MEMBER(throttle.window_ms), "5m", SECOND, 24 * HOUR, B, NULL },
	{ "throttle.penalty", CONF_DURATION, false,
	    MEMBER(throttle.penalty_ms), "1m", SECOND, 24 * HOUR, B, NULL },
	{ "throttle.delay", CONF_DURATION, false,
	    MEMBER(throttle.delay_ms), "2s", 0, 5 * SECOND, W | B, NULL },
	{ "throttle.floor", CONF_DURATION, false,
	    MEMBER(throttle.floor_ms), "300ms", 0, 2 * SECOND, W | B, NULL },
	{ NULL, CONF_STRING, false, 0, 0, NULL, 0, 0, 0, NULL }
};

#define NKEYS	(sizeof(conf_keys) / sizeof(conf_keys[0]) - 1)

void *
conf_key_member(struct authd_conf *conf, const struct conf_key *key)
{
	return (char *)conf + key->offset;
}

/* Numbers are uint64_t or, in struct http_limits, size_t. */
void
conf_key_store(struct authd_conf *conf, const struct conf_key *key, uint64_t n)
{
	if (key->width == sizeof(uint64_t)) {
		memcpy(conf_key_member(conf, key), &n, sizeof(n));
	} else {
		size_t	 small = (size_t)n;

		memcpy(conf_key_member(conf, key), &small, sizeof(small));
	}
}

static uint64_t
load_number(const struct authd_conf *conf, const struct conf_key *key)
{
	const char	*at = (const char *)conf + key->offset;
	uint64_t	 n;
	size_t		 small;

	if (key->width == sizeof(n)) {
		memcpy(&n, at, sizeof(n));
		return n;
	}
	memcpy(&small, at, sizeof(small));
	return small;
}

static void
list_done(struct conf_list *list)
{
	size_t	 i;

	for (i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

int
conf_list_add(struct conf_list *list, const char *item)
{
	char	**items, *copy;

	items = reallocarray(list->items, list->n + 1, sizeof(*items));
	if (items == NULL)
		return -1;
	list->items = items;
	if ((copy = strdup(item)) == NULL)
		return -1;
	items[list->n++] = copy;
	return 0;
}

/* ---- values as text: defaults, and messages to children ---- */

static int
list_from_json(struct conf_list *list, const char *text)
{
	struct conf_list	 new = { NULL, 0 };
	char			 error[128];
	json_t			*array, *item;
	size_t			 i;

	array = json_load_strict(text, strlen(text), error, sizeof(error));
	if (!json_is_array(array) || json_array_size(array) > CONF_MAX_LIST)
		goto fail;
	json_array_foreach(array, i, item)
		if (!json_is_string(item) ||
		    conf_list_add(&new, json_string_value(item)) == -1)
			goto fail;
	json_decref(array);
	list_done(list);
	*list = new;
	return 0;

fail:
	json_decref(array);
	list_done(&new);
	return -1;
}

static char *
list_to_json(const struct conf_list *list)
{
	json_t	*array;
	char	*text = NULL;
	size_t	 i;

	if ((array = json_array()) == NULL)
		return NULL;
	for (i = 0; i < list->n; i++)
		if (json_array_append_new(array,
		    json_string(list->items[i])) == -1)
			goto out;
	text = json_dumps(array, JSON_COMPACT);
out:
	json_decref(array);
	return text;
}

static int
number_from_text(struct authd_conf *conf, const struct conf_key *key,
    const char *text)
{
	uint64_t	 n;
	int		 error;

	if (key->type == CONF_DURATION)
		error = str_parse_duration(text, &n);
	else if (key->type == CONF_SIZE)
		error = str_parse_size(text, &n);
	else
		error = str_parse_u64(text, strlen(text), key->max, &n);
	if (error == -1 || n < key->min || n > key->max)
		return -1;
	conf_key_store(conf, key, n);
	return 0;
}

int
conf_key_parse(struct authd_conf *conf, const struct conf_key *key,
    const char *text)
{
	char	**string, *copy;

	switch (key->type) {
	case CONF_STRING:
		if ((copy = strdup(text)) == NULL)
			return -1;
		string = conf_key_member(conf, key);
		free(*string);
		*string = copy;
		return 0;
	case CONF_BOOL:
		*(bool *)conf_key_member(conf, key) = strcmp(text, "true") == 0;
		return 0;
	case CONF_COUNT:
	case CONF_SIZE:
	case CONF_DURATION:
		return number_from_text(conf, key, text);
	case CONF_LEVEL:
		return log_level_parse(text, conf_key_member(conf, key));
	case CONF_FORMAT:
		return log_format_parse(text, conf_key_member(conf, key));
	case CONF_LIST:
	case CONF_SERVICES:
		return list_from_json(conf_key_member(conf, key), text);
	case CONF_PAIRS:
		break;
	}
	return -1;
}

/* The n-th choice of "a|b|c". */
static char *
choice(const char *choices, unsigned n)
{
	for (; n > 0 && (choices = strchr(choices, '|')) != NULL; n--)
		choices++;
	return choices == NULL ? NULL : strndup(choices, strcspn(choices, "|"));
}

static char *
value_to_text(const struct authd_conf *conf, const struct conf_key *key)
{
	const void	*at = (const char *)conf + key->offset;
	char		 text[32], *string;

	switch (key->type) {
	case CONF_STRING:
		memcpy(&string, at, sizeof(string));
		return string == NULL ? NULL : strdup(string);
	case CONF_BOOL:
		return strdup(*(const bool *)at ? "true" : "false");
	case CONF_COUNT:
	case CONF_SIZE:
		snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)load_number(conf, key));
		return strdup(text);
	case CONF_DURATION:
		return strdup(str_duration(text, sizeof(text),
		    load_number(conf, key)));
	case CONF_LEVEL:
		return choice(key->accepted, *(const enum log_level *)at);
	case CONF_FORMAT:
		return choice(key->accepted, *(const enum log_format *)at);
	case CONF_LIST:
	case CONF_SERVICES:
		return list_to_json(at);
	case CONF_PAIRS:
		break;
	}
	return NULL;
}

size_t
conf_nvalues(void)
{
	return NKEYS;
}

bool
conf_value_is_for(size_t i, unsigned role)
{
	return i < NKEYS && (conf_keys[i].roles & 1u << role) != 0;
}

char *
conf_get_value(const struct authd_conf *conf, size_t i)
{
	return i < NKEYS ? value_to_text(conf, &conf_keys[i]) : NULL;
}

int
conf_set_value(struct authd_conf *conf, size_t i, const char *text)
{
	return i < NKEYS ? conf_key_parse(conf, &conf_keys[i], text) : -1;
}

struct authd_conf *
conf_new(void)
{
	struct authd_conf	*conf = xcalloc(1, sizeof(*conf));
	size_t			 i;

	conf->http = http_limits_default;
	for (i = 0; i < NKEYS; i++)
		if (conf_keys[i].def != NULL && conf_key_parse(conf,
		    &conf_keys[i], conf_keys[i].def) == -1)
			fatalx("configuration: bad default of %s",
			    conf_keys[i].path);
	return conf;
}

void
conf_free(struct authd_conf *conf)
{
	size_t	 i;
	char	**string;

	if (conf == NULL)
		return;
	conf_token_free(conf);
	for (i = 0; i < NKEYS; i++) {
		if (conf_keys[i].type == CONF_STRING) {
			string = conf_key_member(conf, &conf_keys[i]);
			free(*string);
		} else if (conf_keys[i].type == CONF_LIST ||
		    conf_keys[i].type == CONF_SERVICES) {
			list_done(conf_key_member(conf, &conf_keys[i]));
		}
	}
	for (i = 0; i < conf->log_fields.n; i++) {
		free(conf->log_fields.items[i].name);
		free(conf->log_fields.items[i].value);
	}
	free(conf->log_fields.items);
	conf_access_free(conf);
	free(conf->name);
	free(conf);
}
