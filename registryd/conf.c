/* SPDX-License-Identifier: ISC */
/*
 * From a configuration file and the environment to struct registry_conf.
 * Runs in the parent and in command-line tools, before anything is served.
 * Walks the document along the table of conf_key.c and collects what is
 * wrong; says nothing itself but into the stream that it is given.
 */
#include "conf.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "conf_key.h"
#include "str.h"
#include "xmem.h"

#define VERSION_ACCEPTED	"0.1"

struct walk {
	struct registry_conf	*conf;
	struct yamldoc		*doc;
};

void
conf_expand_short(struct yaml_node *root)
{
	static const char *const keys[] = { "storage", "auth" };
	struct yaml_node *node;
	char *name;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		node = yaml_find(root, keys[i]);
		if (node == NULL || node->type != YAML_SCALAR ||
		    node->scalar[0] == '\0')
			continue;
		name = node->scalar;
		node->scalar = xstrdup("");
		node->quoted = false;
		(void)yaml_put(node, name);
		free(name);
	}
}

/* The keys that may follow a path, "addr, net, host", into buf. */
static const char *
accepted_keys(const char *path, struct buf *buf)
{
	size_t len = strlen(path), i, n, last_len = 0;
	const char *next, *last = "";

	buf_init(buf, 1024);
	if (len == 0)
		buf_addstr(buf, "version");
	for (i = 0; i < conf_nkeys; i++) {
		next = conf_keys[i].path;
		if (len > 0) {
			if (!str_starts(next, path) || next[len] != '.')
				continue;
			next += len + 1;
		}
		/* Keys of one map stand together in the table. */
		n = strcspn(next, ".");
		if (n == last_len && strncmp(next, last, n) == 0)
			continue;
		buf_addf(buf, "%s%.*s", buf->len > 0 ? ", " : "", (int)n,
		    next);
		last = next;
		last_len = n;
	}
	return buf_str(buf);
}

static void
read_list(struct walk *w, struct yaml_node *node, struct conf_list *list)
{
	char *item = NULL;
	size_t i;

	if (node->type != YAML_LIST) {
		yaml_refuse(w->doc, node, "a list such as [a, b]");
		return;
	}
	conf_list_clear(list);
	for (i = 0; i < node->nitems; i++) {
		if (yaml_string(w->doc, node->items[i], &item) == 0)
			conf_list_add(list, item);
	}
	free(item);
}

static void
read_pairs(struct walk *w, struct yaml_node *node, const struct conf_key *key)
{
	struct conf_pairs *pairs = conf_key_member(w->conf, key);
	struct yaml_node *child;
	char *value = NULL;
	size_t i, k;

	if (node->type != YAML_MAP) {
		yaml_refuse(w->doc, node, key->type == CONF_FIELDS ?
		    "a map of names and values" :
		    "a map of names and lists of values");
		return;
	}
	conf_pairs_clear(pairs);
	for (i = 0; i < node->nitems; i++) {
		child = node->items[i];
		if (key->type == CONF_FIELDS) {
			if (yaml_string(w->doc, child, &value) == 0)
				conf_pairs_add(pairs, child->key, value);
			continue;
		}
		if (child->type != YAML_LIST)
			yaml_refuse(w->doc, child,
			    "a list of values such as [nosniff]");
		for (k = 0; child->type == YAML_LIST && k < child->nitems;
		    k++) {
			if (yaml_string(w->doc, child->items[k], &value) == 0)
				conf_pairs_add(pairs, child->key, value);
		}
	}
	free(value);
}

static void
refuse_word(struct walk *w, struct yaml_node *node,
    const struct conf_key *key)
{
	struct buf buf;
	int i;

	buf_init(&buf, 512);
	for (i = 0; key->words[i] != NULL; i++) {
		if (key->words[i][0] != '\0')
			buf_addf(&buf, "%s%s", buf.len > 0 ? ", " : "",
			    key->words[i]);
	}
	yaml_refuse(w->doc, node, "%s", buf_str(&buf));
	buf_done(&buf);
}

static void
read_string(struct walk *w, struct yaml_node *node,
    const struct conf_key *key)
{
	char **string = conf_key_member(w->conf, key);
	int word;

	if (node->type == YAML_SCALAR && node->scalar[0] == '\0')
		return;
	if (key->words == NULL) {
		(void)yaml_string(w->doc, node, string);
		return;
	}
	word = node->type == YAML_SCALAR ?
	    conf_key_word(key, node->scalar) : -1;
	if (word == -1) {
		refuse_word(w, node, key);
		return;
	}
	free(*string);
	*string = xstrdup(key->words[word]);
}

/* A size or duration outside the limits of its key. */
static void
refuse_range(struct walk *w, struct yaml_node *node,
    const struct conf_key *key)
{
	uint64_t unit = key->type == CONF_SECONDS ? 1000 : 1;
	char min[32], max[32];

	if (key->type == CONF_SIZE) {
		str_bytes(min, sizeof(min), key->min);
		str_bytes(max, sizeof(max), key->max);
	} else {
		str_duration(min, sizeof(min), key->min * unit);
		str_duration(max, sizeof(max), key->max * unit);
	}
	yaml_refuse(w->doc, node, "%s to %s", min, max);
}

/* Distribution has no bound here: its configuration must still start. */
static int
read_cut(struct walk *w, struct yaml_node *node, const struct conf_key *key,
    uint64_t *v)
{
	if (yaml_u64(w->doc, node, key->min, INT64_MAX, v) == -1)
		return -1;
	if (*v > key->max) {
		yaml_warning(w->doc, node, "found \"%s\", used: %llu, "
		    "the most there is", node->scalar,
		    (unsigned long long)key->max);
		*v = key->max;
	}
	return 0;
}

static void
read_number(struct walk *w, struct yaml_node *node,
    const struct conf_key *key)
{
	uint64_t v = 0;
	bool b = false;
	int r, word;

	switch (key->type) {
	case CONF_BOOL:
		r = yaml_bool(w->doc, node, &b);
		v = b;
		break;
	case CONF_COUNT:
		r = yaml_u64(w->doc, node, key->min, key->max, &v);
		break;
	case CONF_CUT:
		r = read_cut(w, node, key, &v);
		break;
	case CONF_SIZE:
		r = yaml_size(w->doc, node, &v);
		break;
	case CONF_ENUM:
		word = node->type == YAML_SCALAR ?
		    conf_key_word(key, node->scalar) : -1;
		if (word == -1)
			refuse_word(w, node, key);
		r = word == -1 ? -1 : 0;
		v = (uint64_t)word;
		break;
	default:
		if (key->words != NULL && node->type == YAML_SCALAR &&
		    conf_key_word(key, node->scalar) == 0) {
			conf_key_set_number(w->conf, key, CONF_NO_DURATION);
			return;
		}
		r = yaml_duration(w->doc, node, &v);
		if (key->type == CONF_SECONDS)
			v = v / 1000 + (v % 1000 != 0);
		break;
	}
	if (r == 0 && (v < key->min || v > key->max))
		refuse_range(w, node, key);
	else if (r == 0)
		conf_key_set_number(w->conf, key, v);
}

static void
read_value(struct walk *w, struct yaml_node *node, const struct conf_key *key)
{
	/* "key:" and "key: null" are as if it were not there. */
	if (yaml_is_empty(node))
		return;
	switch (key->type) {
	case CONF_STRING:
		read_string(w, node, key);
		break;
	case CONF_LIST:
		read_list(w, node, conf_key_member(w->conf, key));
		break;
	case CONF_FIELDS:
	case CONF_HEADERS:
		read_pairs(w, node, key);
		break;
	default:
		read_number(w, node, key);
		break;
	}
}

/* Is there a key, ours or distribution's, somewhere beneath this path? */
static bool
path_is_group(const char *path)
{
	size_t len = strlen(path), i;
	const char *known;

	for (i = 0; i < conf_nkeys + conf_nforeign; i++) {
		known = i < conf_nkeys ? conf_keys[i].path :
		    conf_foreign[i - conf_nkeys].path;
		if (str_starts(known, path) && known[len] == '.')
			return true;
	}
	return false;
}

static void	 walk_map(struct walk *, struct yaml_node *, const char *);

/* One node, "path" being its own; "" when it has none that could be known. */
static void
walk_node(struct walk *w, struct yaml_node *node, const char *parent,
    const char *path)
{
	const struct conf_key *key = conf_key_find(path);
	const struct conf_foreign *foreign = conf_foreign_find(path);
	struct buf buf;

	if (key != NULL)
		read_value(w, node, key);
	else if (foreign != NULL)
		conf_foreign_report(w->doc, node, foreign);
	else if (path[0] == '\0' || !path_is_group(path)) {
		yaml_error(w->doc, node, "unknown key, accepted: %s",
		    accepted_keys(parent, &buf));
		buf_done(&buf);
	} else if (node->type == YAML_MAP)
		walk_map(w, node, path);
	else if (!yaml_is_empty(node)) {
		yaml_refuse(w->doc, node, "a map of %s",
		    accepted_keys(path, &buf));
		buf_done(&buf);
	}
}

static void
walk_map(struct walk *w, struct yaml_node *map, const char *parent)
{
	char path[CONF_PATH_MAX];
	struct yaml_node *node;
	size_t i;
	int n;

	for (i = 0; i < map->nitems; i++) {
		node = map->items[i];
		n = snprintf(path, sizeof(path), "%s%s%s", parent,
		    parent[0] != '\0' ? "." : "", node->key);
		/* A dot in a key must not look like two keys. */
		if (n < 0 || (size_t)n >= sizeof(path) ||
		    strchr(node->key, '.') != NULL)
			path[0] = '\0';
		if (strcmp(path, "version") != 0)
			walk_node(w, node, parent, path);
	}
}

static void
check_version(struct yamldoc *doc)
{
	struct yaml_node *node = yaml_find(doc->root, "version");

	if (node == NULL)
		yaml_error(doc, NULL, "version: missing, accepted: %s",
		    VERSION_ACCEPTED);
	else if (node->type != YAML_SCALAR ||
	    strcmp(node->scalar, VERSION_ACCEPTED) != 0)
		yaml_refuse(doc, node, "%s", VERSION_ACCEPTED);
}

/* Takes the document. */
static struct registry_conf *
conf_read(struct yamldoc *doc, char *const *env, FILE *messages)
{
	struct walk w = { .doc = doc };
	struct yaml_node *root;

	if (doc->nerrors == 0) {
		root = yamldoc_root(doc);
		w.conf = conf_new();
		if (root->type == YAML_MAP) {
			conf_expand_short(root);
			conf_env_apply(doc, env);
			check_version(doc);
			walk_map(&w, root, "");
			conf_check(w.conf, doc);
		} else
			yaml_refuse(doc, root, "a map of version, log, "
			    "storage, auth, http and others");
	}
	yamldoc_print_messages(doc, messages);
	if (doc->nerrors > 0) {
		conf_free(w.conf);
		w.conf = NULL;
	}
	yamldoc_free(doc);
	return w.conf;
}

const char *
conf_path(const char *option)
{
	const char *path = getenv("REGISTRY_CONFIGURATION_PATH");

	if (option != NULL)
		return option;
	return path != NULL && path[0] != '\0' ? path :
	    SYSCONFDIR "/registryd.yml";
}

struct registry_conf *
conf_load(const char *path, char *const *env, FILE *messages)
{
	return conf_read(yamldoc_load(path), env, messages);
}

struct registry_conf *
conf_parse(const char *name, const char *text, size_t len,
    char *const *env, FILE *messages)
{
	return conf_read(yamldoc_parse(name, text, len), env, messages);
}
