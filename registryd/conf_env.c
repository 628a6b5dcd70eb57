/* SPDX-License-Identifier: ISC */
/*
 * REGISTRY_* variables over the configuration file, by distribution's rules:
 * in order of their names, each naming a path of keys in upper case, its
 * value parsed as YAML in place of what was there.  Runs in the parent.  A
 * name that leads nowhere is only a warning: Kubernetes makes variables like
 * REGISTRY_PORT for a service called "registry".
 */
#include "conf_key.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "xmem.h"

#define ENV_PREFIX	"REGISTRY_"
#define ENV_MAX		512		/* variables looked at */

struct variable {
	char		*name;
	const char	*value;		/* borrowed */
};

static int
variable_compare(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/*
 * Visible ASCII: a part of the name may become the name of a field or a
 * header, which must be UTF-8, and messages show it.
 */
static bool
name_is_visible(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	}
	return true;
}

static size_t
env_collect(char *const *env, struct variable *vars)
{
	const char *eq;
	size_t n = 0;

	for (; env != NULL && *env != NULL && n < ENV_MAX; env++) {
		eq = strchr(*env, '=');
		if (eq == NULL || !str_starts(*env, ENV_PREFIX) ||
		    !name_is_visible(*env, (size_t)(eq - *env)))
			continue;
		vars[n].name = xstrndup(*env, (size_t)(eq - *env));
		vars[n++].value = eq + 1;
	}
	qsort(vars, n, sizeof(*vars), variable_compare);
	return n;
}

/* Does "rest" begin with the segment in upper case, as a whole word? */
static bool
segment_matches(const char *segment, size_t len, const char *rest)
{
	size_t i;
	char c;

	for (i = 0; i < len; i++) {
		c = segment[i];
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (rest[i] != c)
			return false;
	}
	return rest[len] == '\0' || rest[len] == '_';
}

/*
 * The next segment of a known path that continues "path" and is named by
 * "rest"; the longest, because our own keys may hold a '_'.
 */
static size_t
path_step(const char *known, const char *path, const char *rest,
    const char **segment)
{
	size_t len = strlen(path), n;

	if (len > 0) {
		if (!str_starts(known, path) || known[len] != '.')
			return 0;
		known += len + 1;
	}
	n = strcspn(known, ".");
	if (!segment_matches(known, n, rest))
		return 0;
	*segment = known;
	return n;
}

/* Append the next segment to path and move *rest behind it. */
static bool
env_step(char *path, size_t size, const char **rest)
{
	const char *best = NULL, *segment = NULL;
	size_t best_len = 0, i, n, len = strlen(path);

	for (i = 0; i < conf_nkeys + conf_nforeign; i++) {
		n = path_step(i < conf_nkeys ? conf_keys[i].path :
		    conf_foreign[i - conf_nkeys].path, path, *rest, &segment);
		if (n > best_len) {
			best_len = n;
			best = segment;
		}
	}
	if (best_len == 0 || len + best_len + 2 > size)
		return false;
	if (len > 0)
		path[len++] = '.';
	memcpy(path + len, best, best_len);
	path[len + best_len] = '\0';
	*rest += best_len;
	if (**rest == '_')
		(*rest)++;
	return true;
}

/* The node at a dotted path, made where it is absent. */
static struct yaml_node *
node_put(struct yaml_node *node, const char *path)
{
	char *copy = xstrdup(path), *next = copy, *segment;

	while (node != NULL && (segment = strsep(&next, ".")) != NULL)
		node = yaml_put(node, segment);
	free(copy);
	return node;
}

/* An entry of log.fields or http.headers, by its name in any case. */
static struct yaml_node *
entry_put(struct yaml_node *map, const char *name, size_t len)
{
	char *lower = xstrndup(name, len);
	struct yaml_node *node = NULL;
	size_t i;

	str_lower(lower);
	for (i = 0; i < map->nitems && map->type == YAML_MAP; i++) {
		if (str_equal_nocase(map->items[i]->key, lower))
			node = map->items[i];
	}
	if (node == NULL)
		node = yaml_put(map, lower);
	free(lower);
	return node;
}

static bool
is_index(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789")] == '\0';
}

static struct yaml_node *
item_put(struct yaml_node *list, const char *digits)
{
	uint64_t index;

	if (list == NULL || str_parse_u64(digits, strlen(digits),
	    YAMLDOC_MAX_ITEMS, &index) == -1)
		return NULL;
	return yaml_put_item(list, (size_t)index);
}

/*
 * The node beneath that of a key which the rest of a name leads to; only
 * lists and maps have any.
 */
static struct yaml_node *
beneath_put(struct yamldoc *doc, const struct conf_key *key,
    const char *rest)
{
	const char *sep = strrchr(rest, '_');
	struct yaml_node *node;

	if (key->type != CONF_FIELDS && key->type != CONF_HEADERS &&
	    (key->type != CONF_LIST || !is_index(rest)))
		return NULL;
	node = node_put(yamldoc_root(doc), key->path);
	if (node == NULL || key->type == CONF_LIST)
		return item_put(node, rest);
	if (key->type == CONF_FIELDS || sep == NULL || !is_index(sep + 1))
		return entry_put(node, rest, strlen(rest));
	node = entry_put(node, rest, (size_t)(sep - rest));
	return item_put(node, sep + 1);
}

/*
 * A key that is only reported needs no parsing: it has a value or none, and
 * the variable to blame.
 */
static void
foreign_set(struct yamldoc *doc, const char *path, const struct variable *var)
{
	struct yaml_node *node = node_put(yamldoc_root(doc), path);
	bool empty = var->value[0] == '\0';

	if (node != NULL)
		(void)yaml_replace(doc, node, empty ? "" : "set", var->name);
}

static void
env_apply_one(struct yamldoc *doc, const struct variable *var)
{
	const char *rest = var->name + strlen(ENV_PREFIX);
	const struct conf_foreign *foreign = NULL;
	const struct conf_key *key = NULL;
	struct yaml_node *node = NULL, nowhere = { .origin = var->name };
	char path[CONF_PATH_MAX] = "";

	while (*rest != '\0' && key == NULL && foreign == NULL) {
		if (!env_step(path, sizeof(path), &rest))
			break;
		key = conf_key_find(path);
		foreign = conf_foreign_find(path);
	}
	if (foreign != NULL) {
		foreign_set(doc, path, var);
		return;
	}
	if (*rest == '\0' && path[0] != '\0')
		node = node_put(yamldoc_root(doc), path);
	else if (key != NULL)
		node = beneath_put(doc, key, rest);
	if (node == NULL) {
		yaml_warning(doc, &nowhere, "no such key, variable ignored");
		return;
	}
	if (yaml_replace(doc, node, var->value, var->name) == 0)
		conf_expand_short(yamldoc_root(doc));
}

void
conf_env_apply(struct yamldoc *doc, char *const *env)
{
	struct variable *vars = xcalloc(ENV_MAX, sizeof(*vars));
	size_t i, n;

	n = env_collect(env, vars);
	for (i = 0; i < n; i++) {
		if (strcmp(vars[i].name, "REGISTRY_CONFIGURATION_PATH") != 0)
			env_apply_one(doc, &vars[i]);
		free(vars[i].name);
	}
	free(vars);
}
