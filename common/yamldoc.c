/* SPDX-License-Identifier: ISC */
/*
 * YAML text to a tree of nodes, on libyaml's events.  Runs in parents and
 * command-line tools only, before anything is served: it exits when memory
 * is out.  What the values mean is yamldoc_value.c and its callers.
 */
#include "yamldoc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "buf.h"
#include "str.h"
#include "xmem.h"

#define READ_SIZE	16384

/* What one run over a text needs. */
struct reader {
	struct yamldoc	*doc;
	yaml_parser_t	 parser;
	const char	*origin;
	bool		 file;		/* lines count */
};

static int	 read_node(struct reader *, yaml_event_t *, struct yaml_node *,
		    unsigned);

static struct yaml_node *
node_new(struct yaml_node *parent, const char *key, const char *origin,
    unsigned line)
{
	struct yaml_node *node = xcalloc(1, sizeof(*node));

	node->type = YAML_SCALAR;
	node->key = key == NULL ? NULL : xstrdup(key);
	node->scalar = xstrdup("");
	node->parent = parent;
	node->origin = origin;
	node->line = line;
	return node;
}

/* Everything below the node, which is left as an empty scalar. */
static void
node_clear(struct yaml_node *node)
{
	size_t i;

	for (i = 0; i < node->nitems; i++) {
		node_clear(node->items[i]);
		free(node->items[i]->scalar);
		free(node->items[i]->key);
		free(node->items[i]);
	}
	free(node->items);
	node->items = NULL;
	node->nitems = 0;
	node->type = YAML_SCALAR;
	node->quoted = false;
	node->scalar[0] = '\0';
}

static void
node_free(struct yaml_node *node)
{
	if (node == NULL)
		return;
	node_clear(node);
	free(node->scalar);
	free(node->key);
	free(node);
}

/* A new child at the end; the array grows in steps of a power of two. */
static struct yaml_node *
node_add(struct yaml_node *parent, const char *key, const char *origin,
    unsigned line)
{
	size_t n = parent->nitems;

	if ((n & (n - 1)) == 0)
		parent->items = xreallocarray(parent->items,
		    n == 0 ? 1 : 2 * n, sizeof(struct yaml_node *));
	parent->items[n] = node_new(parent, key, origin, line);
	parent->nitems++;
	return parent->items[n];
}

static struct yaml_node *
node_find(const struct yaml_node *map, const char *key)
{
	size_t i;

	if (map == NULL || map->type != YAML_MAP)
		return NULL;
	for (i = 0; i < map->nitems; i++) {
		if (strcmp(map->items[i]->key, key) == 0)
			return map->items[i];
	}
	return NULL;
}

struct yaml_node *
yaml_find(struct yaml_node *map, const char *key)
{
	struct yaml_node *node = node_find(map, key);

	if (node != NULL)
		node->used = true;
	return node;
}

bool
yaml_is_empty(const struct yaml_node *node)
{
	return node->type == YAML_SCALAR && !node->quoted &&
	    node->scalar[0] == '\0';
}

struct yaml_node *
yaml_put(struct yaml_node *map, const char *key)
{
	struct yaml_node *node;

	if (yaml_is_empty(map))
		map->type = YAML_MAP;
	if (map->type != YAML_MAP || map->nitems >= YAMLDOC_MAX_ITEMS)
		return NULL;
	node = yaml_find(map, key);
	if (node == NULL) {
		node = node_add(map, key, map->origin, map->line);
		node->used = true;
	}
	return node;
}

struct yaml_node *
yaml_put_item(struct yaml_node *list, size_t index)
{
	if (yaml_is_empty(list))
		list->type = YAML_LIST;
	if (list->type != YAML_LIST || index > list->nitems ||
	    index >= YAMLDOC_MAX_ITEMS)
		return NULL;
	if (index < list->nitems)
		return list->items[index];
	return node_add(list, NULL, list->origin, list->line);
}

static unsigned
event_line(const struct reader *r, const yaml_event_t *event)
{
	return r->file ? (unsigned)event->start_mark.line + 1 : 0;
}

/* An event, or -1 after a message that says where the text is wrong. */
static int
read_event(struct reader *r, const struct yaml_node *at, yaml_event_t *event)
{
	struct yaml_node here = *at;
	const char *problem;

	if (yaml_parser_parse(&r->parser, event) == 1)
		return 0;
	problem = r->parser.problem;
	if (r->file)
		here.line = r->parser.error == YAML_READER_ERROR ?
		    at->line : (unsigned)r->parser.problem_mark.line + 1;
	yaml_error(r->doc, &here, "not valid YAML: %s",
	    problem == NULL ? "out of memory" : problem);
	return -1;
}

/* Tags say what the plain form says already, or are not for us. */
static int
read_tag(struct reader *r, struct yaml_node *node, const char *tag)
{
	static const char core[] = "tag:yaml.org,2002:";
	static const char *const names[] = {
		"str", "bool", "int", "float", "null", "map", "seq"
	};
	char vis[64];
	size_t i;

	if (tag == NULL || strcmp(tag, "!") == 0)
		return 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_starts(tag, core) &&
		    strcmp(tag + strlen(core), names[i]) == 0) {
			node->quoted = i == 0 && node->type == YAML_SCALAR;
			return 0;
		}
	}
	yaml_error(r->doc, node, "the tag \"%s\" is not supported",
	    str_vis(vis, sizeof(vis), tag, strlen(tag)));
	return -1;
}

static int
read_scalar(struct reader *r, const yaml_event_t *event,
    struct yaml_node *node)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	node->type = YAML_SCALAR;
	if (memchr(value, '\0', len) != NULL) {
		yaml_error(r->doc, node, "a string holds a NUL character");
		return -1;
	}
	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		node->quoted = true;
	else if (strcmp(value, "~") == 0 || strcmp(value, "null") == 0 ||
	    strcmp(value, "Null") == 0 || strcmp(value, "NULL") == 0)
		len = 0;
	free(node->scalar);
	node->scalar = xstrndup(value, len);
	return read_tag(r, node, (const char *)event->data.scalar.tag);
}

/* A key that is a scalar and new in this map; the new child, or NULL. */
static struct yaml_node *
read_key(struct reader *r, const yaml_event_t *event, struct yaml_node *map)
{
	unsigned line = event_line(r, event);
	struct yaml_node *node, *first, here = *map;
	const char *key = (const char *)event->data.scalar.value;
	char vis[64];

	here.line = line;
	if (event->type != YAML_SCALAR_EVENT ||
	    memchr(key, '\0', event->data.scalar.length) != NULL) {
		yaml_error(r->doc, &here, "a key must be a plain word");
		return NULL;
	}
	first = node_find(map, key);
	node = node_add(map, key, r->origin, line);
	if (first != NULL && r->file)
		yaml_error(r->doc, &here, "duplicate key \"%s\", first on "
		    "line %u", str_vis(vis, sizeof(vis), key, strlen(key)),
		    first->line);
	else if (first != NULL)
		yaml_error(r->doc, &here, "duplicate key \"%s\"",
		    str_vis(vis, sizeof(vis), key, strlen(key)));
	return node;
}

static int
read_children(struct reader *r, struct yaml_node *node, unsigned depth)
{
	yaml_event_type_t end = node->type == YAML_MAP ?
	    YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
	struct yaml_node *child;
	yaml_event_t event;
	int result = 0;

	while (result == 0) {
		if (read_event(r, node, &event) == -1)
			return -1;
		if (event.type == end) {
			yaml_event_delete(&event);
			return 0;
		}
		if (node->nitems >= YAMLDOC_MAX_ITEMS) {
			yaml_error(r->doc, node, "more than %d entries",
			    YAMLDOC_MAX_ITEMS);
			result = -1;
		} else if (node->type == YAML_MAP) {
			child = read_key(r, &event, node);
			yaml_event_delete(&event);
			if (child == NULL ||
			    read_event(r, child, &event) == -1)
				return -1;
			result = read_node(r, &event, child, depth + 1);
		} else {
			child = node_add(node, NULL, r->origin,
			    event_line(r, &event));
			result = read_node(r, &event, child, depth + 1);
		}
		yaml_event_delete(&event);
	}
	return result;
}

/* Fill in a node from an event, which the caller deletes, and what follows. */
static int
read_node(struct reader *r, yaml_event_t *event, struct yaml_node *node,
    unsigned depth)
{
	const yaml_char_t *tag;

	if (depth > YAMLDOC_MAX_DEPTH) {
		yaml_error(r->doc, node, "nested too deeply");
		return -1;
	}
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, event, node);
	case YAML_MAPPING_START_EVENT:
		node->type = YAML_MAP;
		tag = event->data.mapping_start.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		node->type = YAML_LIST;
		tag = event->data.sequence_start.tag;
		break;
	default:
		yaml_error(r->doc, node, "aliases (\"*name\") are not "
		    "supported");
		return -1;
	}
	if (read_tag(r, node, (const char *)tag) == -1)
		return -1;
	return read_children(r, node, depth);
}

/*
 * The one document of a text into "node".  Returns 1 when there was one, 0
 * for an empty text, -1 after a message.
 */
static int
read_document(struct reader *r, struct yaml_node *node)
{
	bool found = false;
	yaml_event_type_t type;
	yaml_event_t event;
	int result = 0;

	do {
		if (read_event(r, node, &event) == -1)
			return -1;
		type = event.type;
		if (type == YAML_DOCUMENT_START_EVENT && found) {
			node->line = event_line(r, &event);
			yaml_error(r->doc, node, "more than one document");
			result = -1;
		} else if (type != YAML_STREAM_START_EVENT &&
		    type != YAML_STREAM_END_EVENT &&
		    type != YAML_DOCUMENT_START_EVENT &&
		    type != YAML_DOCUMENT_END_EVENT) {
			found = true;
			node->line = event_line(r, &event);
			result = read_node(r, &event, node, 0);
		}
		yaml_event_delete(&event);
	} while (result == 0 && type != YAML_STREAM_END_EVENT);
	return result == -1 ? -1 : found;
}

static int
read_text(struct yamldoc *doc, struct yaml_node *node, const char *origin,
    bool file, const char *text, size_t len)
{
	struct reader r = { .doc = doc, .origin = origin, .file = file };
	int result;

	if (yaml_parser_initialize(&r.parser) == 0) {
		yaml_error(doc, node, "out of memory");
		return -1;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text,
	    len);
	result = read_document(&r, node);
	yaml_parser_delete(&r.parser);
	return result;
}

static struct yamldoc *
yamldoc_new(const char *name)
{
	struct yamldoc *doc = xcalloc(1, sizeof(*doc));

	doc->name = xstrdup(name);
	return doc;
}

struct yamldoc *
yamldoc_parse(const char *name, const char *text, size_t len)
{
	struct yamldoc *doc = yamldoc_new(name);

	doc->root = node_new(NULL, NULL, doc->name, 1);
	if (len > YAMLDOC_MAX_SIZE)
		yaml_error(doc, NULL, "larger than %d bytes",
		    YAMLDOC_MAX_SIZE);
	else if (read_text(doc, doc->root, doc->name, true, text, len) == 1)
		return doc;
	node_free(doc->root);
	doc->root = NULL;
	return doc;
}

struct yamldoc *
yamldoc_load(const char *path)
{
	struct yamldoc *doc;
	struct buf text;
	ssize_t n = 0;
	char *p;
	int fd;

	buf_init(&text, YAMLDOC_MAX_SIZE + READ_SIZE);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1)
		n = -1;
	while (n != -1 && text.len <= YAMLDOC_MAX_SIZE) {
		p = buf_reserve(&text, READ_SIZE);
		if (p == NULL)
			n = -1;
		else
			n = read(fd, p, READ_SIZE);
		if (n <= 0)
			break;
		buf_commit(&text, (size_t)n);
	}
	if (n == -1) {
		doc = yamldoc_new(path);
		yaml_error(doc, NULL, "%s", strerror(errno));
	} else
		doc = yamldoc_parse(path, buf_str(&text), text.len);
	if (fd != -1)
		close(fd);
	buf_done(&text);
	return doc;
}

struct yaml_node *
yamldoc_root(struct yamldoc *doc)
{
	if (doc->root == NULL) {
		doc->root = node_new(NULL, NULL, doc->name, 1);
		doc->root->type = YAML_MAP;
	}
	return doc->root;
}

int
yaml_replace(struct yamldoc *doc, struct yaml_node *node, const char *text,
    const char *origin)
{
	char *name = xstrdup(origin);

	doc->origins = xreallocarray(doc->origins, doc->norigins + 1,
	    sizeof(char *));
	doc->origins[doc->norigins++] = name;
	node_clear(node);
	node->origin = name;
	node->line = 0;
	if (read_text(doc, node, name, false, text, strlen(text)) == -1) {
		node_clear(node);
		return -1;
	}
	return 0;
}

void
yamldoc_free(struct yamldoc *doc)
{
	size_t i;

	if (doc == NULL)
		return;
	node_free(doc->root);
	for (i = 0; i < doc->nmessages; i++)
		free(doc->messages[i].text);
	free(doc->messages);
	for (i = 0; i < doc->norigins; i++)
		free(doc->origins[i]);
	free(doc->origins);
	free(doc->name);
	free(doc);
}
