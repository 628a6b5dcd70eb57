/* SPDX-License-Identifier: ISC */
/*
 * The configuration file of authd: the table of its keys, reading it in the
 * parent (and in authctl), and the text form in which single values go to
 * the children.  Opens no file but the configuration.
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
#include "yamldoc.h"

#define SECOND	UINT64_C(1000)
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define KIB	UINT64_C(1024)
#define MIB	(1024 * KIB)

#define NAME_MAX_LEN	255		/* of users, services, realms */
#define PATH_MAX_LEN	4096

#define MEMBER(m)	offsetof(struct authd_conf, m), \
	    sizeof(((struct authd_conf *)0)->m)
#define W		(1u << ROLE_WORKER)
#define B		(1u << ROLE_BROKER)

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
	{ "services", CONF_LIST, true, MEMBER(services),
	    NULL, 1, MAX_SERVICE, B, NULL },
	{ "token.key", CONF_STRING, true, MEMBER(token_key),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },
	{ "token.certificate", CONF_STRING, true, MEMBER(token_certificate),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },
	{ "token.lifetime", CONF_DURATION, false, MEMBER(token_lifetime_ms),
	    "5m", MINUTE, 24 * HOUR, 0, NULL },
	{ "token.backdate", CONF_DURATION, false, MEMBER(token_backdate_ms),
	    "10s", 0, 5 * MINUTE, 0, NULL },

	{ "htpasswd", CONF_STRING, true, MEMBER(htpasswd),
	    NULL, 1, PATH_MAX_LEN, 0, NULL },

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
	    W | B | 1u << ROLE_VERIFIER, NULL },
	{ "limits.check_queue", CONF_COUNT, false, MEMBER(check_queue),
	    "64", 1, 1024, B, NULL },
	{ "limits.cache", CONF_COUNT, false, MEMBER(cache_size),
	    "4096", 0, 1048576, B, NULL },
	{ "limits.cache_ttl", CONF_DURATION, false, MEMBER(cache_ttl_ms),
	    "1m", 0, HOUR, B, NULL },
	{ NULL, CONF_STRING, false, 0, 0, NULL, 0, 0, 0, NULL }
};

#define NKEYS	(sizeof(conf_keys) / sizeof(conf_keys[0]) - 1)

static void *
member(struct authd_conf *conf, const struct conf_key *key)
{
	return (char *)conf + key->offset;
}

/* Numbers are uint64_t or, in struct http_limits, size_t. */
static void
store_number(struct authd_conf *conf, const struct conf_key *key, uint64_t n)
{
	if (key->width == sizeof(uint64_t)) {
		memcpy(member(conf, key), &n, sizeof(n));
	} else {
		size_t	 small = (size_t)n;

		memcpy(member(conf, key), &small, sizeof(small));
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

static int
list_add(struct conf_list *list, const char *item)
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
		    list_add(&new, json_string_value(item)) == -1)
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
	store_number(conf, key, n);
	return 0;
}

static int
value_from_text(struct authd_conf *conf, const struct conf_key *key,
    const char *text)
{
	char	**string, *copy;

	switch (key->type) {
	case CONF_STRING:
		if ((copy = strdup(text)) == NULL)
			return -1;
		string = member(conf, key);
		free(*string);
		*string = copy;
		return 0;
	case CONF_BOOL:
		*(bool *)member(conf, key) = strcmp(text, "true") == 0;
		return 0;
	case CONF_COUNT:
	case CONF_SIZE:
	case CONF_DURATION:
		return number_from_text(conf, key, text);
	case CONF_LEVEL:
		return log_level_parse(text, member(conf, key));
	case CONF_FORMAT:
		return log_format_parse(text, member(conf, key));
	case CONF_LIST:
		return list_from_json(member(conf, key), text);
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
	return i < NKEYS ? value_from_text(conf, &conf_keys[i], text) : -1;
}

struct authd_conf *
conf_new(void)
{
	struct authd_conf	*conf = xcalloc(1, sizeof(*conf));
	size_t			 i;

	conf->http = http_limits_default;
	for (i = 0; i < NKEYS; i++)
		if (conf_keys[i].def != NULL && value_from_text(conf,
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
	for (i = 0; i < NKEYS; i++) {
		if (conf_keys[i].type == CONF_STRING) {
			string = member(conf, &conf_keys[i]);
			free(*string);
		} else if (conf_keys[i].type == CONF_LIST) {
			list_done(member(conf, &conf_keys[i]));
		}
	}
	for (i = 0; i < conf->log_fields.n; i++) {
		free(conf->log_fields.items[i].name);
		free(conf->log_fields.items[i].value);
	}
	free(conf->log_fields.items);
	conf_access_free(conf);
	free(conf);
}

/* ---- the file ---- */

static void
mark_used(struct yaml_node *node)
{
	size_t	 i;

	node->used = true;
	for (i = 0; i < node->nitems; i++)
		mark_used(node->items[i]);
}

void
conf_wrong(struct yamldoc *doc, struct yaml_node *node, const char *accepted)
{
	char	 shown[80];

	mark_used(node);
	if (node->type == YAML_SCALAR)
		yaml_error(doc, node, "found \"%s\", accepted: %s",
		    str_vis(shown, sizeof(shown), node->scalar,
		    strlen(node->scalar)), accepted);
	else
		yaml_error(doc, node, "found %s, accepted: %s",
		    node->type == YAML_LIST ? "a list" : "a map", accepted);
}

/* The node at a dotted path, NULL when absent. */
static struct yaml_node *
find_path(struct yaml_node *root, const char *path)
{
	struct yaml_node	*node = root;
	char			 part[64];
	size_t			 len;

	for (;;) {
		len = strcspn(path, ".");
		if (node == NULL || node->type != YAML_MAP ||
		    len >= sizeof(part))
			return NULL;
		memcpy(part, path, len);
		part[len] = '\0';
		node = yaml_find(node, part);
		if (path[len] == '\0')
			return node;
		path += len + 1;
	}
}

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

/* Is the text one of "a|b|c"? */
static bool
is_choice(const char *choices, const char *text)
{
	size_t	 len = strlen(text), n;

	for (;;) {
		n = strcspn(choices, "|");
		if (n == len && strncmp(choices, text, n) == 0)
			return true;
		if (choices[n] == '\0')
			return false;
		choices += n + 1;
	}
}

/* A string within the key's bounds, malloc()ed; NULL after an error. */
static char *
read_string(const struct conf_key *key, struct yamldoc *doc,
    struct yaml_node *node)
{
	char	*text = NULL, shown[80];

	if (yaml_string(doc, node, &text) == -1)
		return NULL;
	if (key->accepted != NULL && !is_choice(key->accepted, text))
		yaml_error(doc, node, "found \"%s\", accepted: %s",
		    str_vis(shown, sizeof(shown), text, strlen(text)),
		    key->accepted);
	else if (key->accepted == NULL && strlen(text) < key->min)
		yaml_error(doc, node,
		    "found nothing, accepted: a text that is not empty");
	else if (key->accepted == NULL && strlen(text) > key->max)
		yaml_error(doc, node, "found %zu bytes, accepted: at most "
		    "%llu", strlen(text), (unsigned long long)key->max);
	else if (has_control(text))
		yaml_error(doc, node, "found \"%s\", accepted: a text "
		    "without control characters",
		    str_vis(shown, sizeof(shown), text, strlen(text)));
	else
		return text;
	free(text);
	return NULL;
}

static void
read_list(struct conf_list *list, const struct conf_key *key,
    struct yamldoc *doc, struct yaml_node *node)
{
	char	*text;
	size_t	 i;

	if (node->type != YAML_LIST || node->nitems > CONF_MAX_LIST) {
		conf_wrong(doc, node, "a list of at most 1024 texts");
		return;
	}
	if (key->required && node->nitems == 0)
		yaml_error(doc, node, "found an empty list, accepted: a list "
		    "of texts, at least one");
	for (i = 0; i < node->nitems; i++) {
		node->items[i]->used = true;
		text = read_string(key, doc, node->items[i]);
		if (text != NULL && list_add(list, text) == -1)
			fatalx("out of memory");
		free(text);
	}
}

static void
read_pairs(struct conf_pairs *pairs, const struct conf_key *key,
    struct yamldoc *doc, struct yaml_node *node)
{
	struct conf_pair	*pair;
	char			*text;
	size_t			 i;

	if (node->type != YAML_MAP || node->nitems > 32) {
		conf_wrong(doc, node, "a map of at most 32 texts");
		return;
	}
	for (i = 0; i < node->nitems; i++) {
		node->items[i]->used = true;
		if ((text = read_string(key, doc, node->items[i])) == NULL)
			continue;
		pairs->items = xreallocarray(pairs->items, pairs->n + 1,
		    sizeof(*pairs->items));
		pair = &pairs->items[pairs->n++];
		pair->name = xstrdup(node->items[i]->key);
		pair->value = text;
	}
}

static void
read_number(struct authd_conf *conf, const struct conf_key *key,
    struct yamldoc *doc, struct yaml_node *node)
{
	uint64_t	 n;
	char		 min[32], max[32];
	int		 error;

	if (key->type == CONF_COUNT)
		error = yaml_u64(doc, node, key->min, key->max, &n);
	else if (key->type == CONF_SIZE)
		error = yaml_size(doc, node, &n);
	else
		error = yaml_duration(doc, node, &n);
	if (error == -1)
		return;
	if (n >= key->min && n <= key->max) {
		store_number(conf, key, n);
		return;
	}
	if (key->type == CONF_SIZE)
		yaml_error(doc, node, "found %s, accepted: %llu to %llu bytes",
		    node->scalar, (unsigned long long)key->min,
		    (unsigned long long)key->max);
	else
		yaml_error(doc, node, "found %s, accepted: %s to %s",
		    node->scalar, str_duration(min, sizeof(min), key->min),
		    str_duration(max, sizeof(max), key->max));
}

static void
read_key(struct authd_conf *conf, const struct conf_key *key,
    struct yamldoc *doc, struct yaml_node *node)
{
	char	*text;

	if (key->type != CONF_LIST && key->type != CONF_PAIRS)
		mark_used(node);
	switch (key->type) {
	case CONF_COUNT:
	case CONF_SIZE:
	case CONF_DURATION:
		read_number(conf, key, doc, node);
		break;
	case CONF_BOOL:
		yaml_bool(doc, node, member(conf, key));
		break;
	case CONF_LIST:
		read_list(member(conf, key), key, doc, node);
		break;
	case CONF_PAIRS:
		read_pairs(member(conf, key), key, doc, node);
		break;
	case CONF_STRING:
	case CONF_LEVEL:
	case CONF_FORMAT:
		if ((text = read_string(key, doc, node)) != NULL)
			value_from_text(conf, key, text);
		free(text);
		break;
	}
}

/* "tls: on" and the like: a scalar where the table has a map. */
static void
check_map(struct yamldoc *doc, const char *name)
{
	struct yaml_node	*node;

	node = yaml_find(doc->root, name);
	if (node != NULL && node->type != YAML_MAP)
		conf_wrong(doc, node, "a map");
}

static void
read_file(struct authd_conf *conf, struct yamldoc *doc)
{
	static const char *const maps[] = { "tls", "token", "log", "limits" };
	const struct conf_key	*key;
	struct yaml_node	*node;
	size_t			 i;

	if (doc->root != NULL && doc->root->type != YAML_MAP) {
		conf_wrong(doc, doc->root, "a map");
		return;
	}
	if (doc->root != NULL)
		for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
			check_map(doc, maps[i]);
	for (key = conf_keys; key->path != NULL; key++) {
		if ((node = find_path(doc->root, key->path)) != NULL)
			read_key(conf, key, doc, node);
		else if (key->required)
			yaml_error(doc, doc->root, "%s: missing, accepted: %s",
			    key->path, key->type == CONF_LIST ?
			    "a list of texts" : "the name of a file");
	}
	conf_access_parse(conf, doc);
	if ((conf->tls_certificate == NULL) != (conf->tls_key == NULL))
		yaml_error(doc, find_path(doc->root, "tls"),
		    "accepted: both certificate and key, or neither");
	if (doc->root != NULL)
		yaml_check_unused(doc, doc->root);
}

static struct authd_conf *
conf_read(struct yamldoc *doc, FILE *messages)
{
	struct authd_conf	*conf = conf_new();

	if (doc->nerrors == 0)
		read_file(conf, doc);
	yamldoc_print_messages(doc, messages);
	if (doc->nerrors > 0) {
		conf_free(conf);
		conf = NULL;
	}
	yamldoc_free(doc);
	return conf;
}

struct authd_conf *
conf_load(const char *path, FILE *messages)
{
	return conf_read(yamldoc_load(path), messages);
}

struct authd_conf *
conf_parse(const char *name, const char *text, size_t len, FILE *messages)
{
	return conf_read(yamldoc_parse(name, text, len), messages);
}
