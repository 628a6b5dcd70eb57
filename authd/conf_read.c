/* SPDX-License-Identifier: ISC */
/*
 * Reads the configuration file, in the parent and in authctl.  Opens no file
 * but that one; finds everything that is wrong in it, not just the first.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "conf.h"
#include "conf_key.h"
#include "str.h"
#include "xmem.h"
#include "yamldoc.h"

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

char *
conf_read_string(const struct conf_key *key, struct yamldoc *doc,
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
		text = conf_read_string(key, doc, node->items[i]);
		if (text != NULL && conf_list_add(list, text) == -1)
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
		if ((text = conf_read_string(key, doc, node->items[i])) == NULL)
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
		conf_key_store(conf, key, n);
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

	if (key->type != CONF_LIST && key->type != CONF_PAIRS &&
	    key->type != CONF_SERVICES)
		mark_used(node);
	switch (key->type) {
	case CONF_COUNT:
	case CONF_SIZE:
	case CONF_DURATION:
		read_number(conf, key, doc, node);
		break;
	case CONF_BOOL:
		yaml_bool(doc, node, conf_key_member(conf, key));
		break;
	case CONF_LIST:
		read_list(conf_key_member(conf, key), key, doc, node);
		break;
	case CONF_SERVICES:
		conf_services_read(conf, key, doc, node);
		break;
	case CONF_PAIRS:
		read_pairs(conf_key_member(conf, key), key, doc, node);
		break;
	case CONF_STRING:
	case CONF_LEVEL:
	case CONF_FORMAT:
		if ((text = conf_read_string(key, doc, node)) != NULL)
			conf_key_parse(conf, key, text);
		free(text);
		break;
	}
}

/* The keys of the map at a path, "" for the top, as the table has them. */
static const char *
accepted_keys(const char *path, struct buf *buf)
{
	const struct conf_key	*key;
	const char		*name, *last = "";
	size_t			 len = strlen(path), n, lastlen = 0;

	buf_init(buf, 1024);
	for (key = conf_keys; key->path != NULL; key++) {
		name = key->path;
		if (len > 0) {
			if (!str_starts(name, path) || name[len] != '.')
				continue;
			name += len + 1;
		}
		/* The keys of one map stand together in the table. */
		n = strcspn(name, ".");
		if (n == lastlen && strncmp(name, last, n) == 0)
			continue;
		buf_addf(buf, "%s%.*s", buf->len > 0 ? ", " : "", (int)n,
		    name);
		last = name;
		lastlen = n;
	}
	if (len == 0)
		buf_addf(buf, ", keys, groups, access, expect");
	return buf_str(buf);
}

static void
check_unknown(struct yamldoc *doc, const struct yaml_node *map,
    const char *path)
{
	struct buf	 buf;

	yaml_check_unused(doc, map, accepted_keys(path, &buf));
	buf_done(&buf);
}

/* "tls: on" and the like: a scalar where the table has a map. */
static void
check_map(struct yamldoc *doc, const char *name)
{
	struct yaml_node	*node;

	node = find_path(doc->root, name);
	if (node != NULL && node->type != YAML_MAP)
		conf_wrong(doc, node, "a map");
}

static void
read_file(struct authd_conf *conf, struct yamldoc *doc)
{
	static const char *const maps[] = { "tls", "token", "log", "limits",
	    "ldap", "ldap.groups", "ldap.timeouts", "pam", "credentials",
	    "throttle" };
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
			    key->path, key->type == CONF_SERVICES ?
			    "a list of texts" : "the name of a file");
	}
	conf_pam_check(conf, doc);
	conf_keys_read(conf, doc);
	conf_backends_check(conf, doc);
	conf_ldap_check(conf, doc);
	conf_credentials_check(conf, doc);
	conf_throttle_check(conf, doc);
	conf_access_parse(conf, doc);
	if ((conf->tls_certificate == NULL) != (conf->tls_key == NULL))
		yaml_error(doc, find_path(doc->root, "tls"),
		    "accepted: both certificate and key, or neither");
	if (doc->root == NULL)
		return;
	check_unknown(doc, doc->root, "");
	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		if ((node = find_path(doc->root, maps[i])) != NULL)
			check_unknown(doc, node, maps[i]);
}

static struct authd_conf *
conf_read(struct yamldoc *doc, FILE *messages)
{
	struct authd_conf	*conf = conf_new();

	conf->name = xstrdup(doc->name);
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
