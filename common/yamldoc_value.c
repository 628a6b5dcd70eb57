/* SPDX-License-Identifier: ISC */
/*
 * Values of YAML nodes and the messages about them.  Runs in parents and
 * command-line tools only.  Text from the file is shown through str_vis().
 */
#include "yamldoc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "str.h"
#include "xmem.h"

#define MESSAGE_MAX	1024
#define FOUND_MAX	96		/* of a value in a message */

static void
path_add(const struct yaml_node *node, struct buf *buf)
{
	const struct yaml_node *parent = node->parent;
	const char *quote;
	char vis[64];
	size_t i;

	if (parent == NULL)
		return;
	path_add(parent, buf);
	if (node->key != NULL) {
		/* A dot in a key must not look like two keys. */
		quote = node->key[0] != '\0' &&
		    strpbrk(node->key, ". ") == NULL ? "" : "\"";
		buf_addf(buf, "%s%s%s%s", buf->len > 0 ? "." : "", quote,
		    str_vis(vis, sizeof(vis), node->key, strlen(node->key)),
		    quote);
		return;
	}
	for (i = 0; i < parent->nitems; i++) {
		if (parent->items[i] == node)
			break;
	}
	buf_addf(buf, "[%zu]", i);
}

char *
yaml_path(const struct yaml_node *node, char *dst, size_t size)
{
	static const char cut[] = "...";
	struct buf buf;

	buf_init(&buf, SIZE_MAX);
	path_add(node, &buf);
	if (snprintf(dst, size, "%s", buf_str(&buf)) >= (int)size &&
	    size > sizeof(cut))
		memcpy(dst + size - sizeof(cut), cut, sizeof(cut));
	buf_done(&buf);
	return dst;
}

static void __attribute__((__format__(printf, 4, 0)))
add_message(struct yamldoc *doc, const struct yaml_node *node, bool error,
    const char *fmt, va_list ap)
{
	const char *origin = node == NULL ? doc->name : node->origin;
	struct yaml_message *message;
	char path[YAML_PATH_SIZE];
	struct buf buf;

	if (error)
		doc->nerrors++;
	if (doc->nmessages >= YAMLDOC_MAX_MESSAGES)
		return;
	buf_init(&buf, MESSAGE_MAX);
	buf_addf(&buf, "%.256s:", origin);
	if (node != NULL && node->line > 0)
		buf_addf(&buf, "%u:", node->line);
	if (node != NULL && node->parent != NULL)
		buf_addf(&buf, " %s:", yaml_path(node, path, sizeof(path)));
	buf_addc(&buf, ' ');
	buf_addvf(&buf, fmt, ap);
	doc->messages = xreallocarray(doc->messages, doc->nmessages + 1,
	    sizeof(*doc->messages));
	message = &doc->messages[doc->nmessages++];
	message->error = error;
	message->line = node == NULL ? 0 : node->line;
	message->text = xstrdup(buf_str(&buf));
	buf_done(&buf);
}

void
yaml_error(struct yamldoc *doc, const struct yaml_node *node,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_message(doc, node, true, fmt, ap);
	va_end(ap);
}

void
yaml_warning(struct yamldoc *doc, const struct yaml_node *node,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_message(doc, node, false, fmt, ap);
	va_end(ap);
}

void
yaml_refuse(struct yamldoc *doc, const struct yaml_node *node,
    const char *fmt, ...)
{
	char found[FOUND_MAX], accepted[MESSAGE_MAX / 2];
	const char *quote = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(accepted, sizeof(accepted), fmt, ap);
	va_end(ap);
	if (node->type == YAML_MAP)
		str_copy(found, sizeof(found), "a map");
	else if (node->type == YAML_LIST)
		str_copy(found, sizeof(found), "a list");
	else if (yaml_is_empty(node))
		str_copy(found, sizeof(found), "nothing");
	else {
		str_vis(found, sizeof(found), node->scalar,
		    strlen(node->scalar));
		quote = "\"";
	}
	yaml_error(doc, node, "found %s%s%s, accepted: %s", quote, found,
	    quote, accepted);
}

int
yaml_bool(struct yamldoc *doc, struct yaml_node *node, bool *out)
{
	static const char *const words[] = {
		"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON",
		"y", "Y",
		"false", "False", "FALSE", "no", "No", "NO", "off", "Off",
		"OFF", "n", "N"
	};
	size_t i;

	node->used = true;
	if (node->type == YAML_SCALAR && node->quoted) {
		yaml_refuse(doc, node, "true or false, without quotes");
		return -1;
	}
	if (node->type == YAML_SCALAR) {
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (strcmp(node->scalar, words[i]) == 0) {
				*out = i < sizeof(words) / sizeof(words[0]) / 2;
				return 0;
			}
		}
	}
	yaml_refuse(doc, node, "true or false");
	return -1;
}

int
yaml_u64(struct yamldoc *doc, struct yaml_node *node, uint64_t min,
    uint64_t max, uint64_t *out)
{
	uint64_t v;

	node->used = true;
	if (node->type == YAML_SCALAR && str_parse_u64(node->scalar,
	    strlen(node->scalar), max, &v) == 0 && v >= min) {
		*out = v;
		return 0;
	}
	if (max == UINT64_MAX || max == INT64_MAX)
		yaml_refuse(doc, node, "a number of at least %" PRIu64, min);
	else
		yaml_refuse(doc, node, "a number from %" PRIu64 " to %" PRIu64,
		    min, max);
	return -1;
}

int
yaml_duration(struct yamldoc *doc, struct yaml_node *node, uint64_t *ms)
{
	node->used = true;
	if (node->type == YAML_SCALAR &&
	    str_parse_duration(node->scalar, ms) == 0)
		return 0;
	yaml_refuse(doc, node, "a duration such as 250ms, 30s, 1m30s or 24h");
	return -1;
}

int
yaml_size(struct yamldoc *doc, struct yaml_node *node, uint64_t *bytes)
{
	node->used = true;
	if (node->type == YAML_SCALAR &&
	    str_parse_size(node->scalar, bytes) == 0)
		return 0;
	yaml_refuse(doc, node, "a size in bytes, or such as 512KiB, 4MiB or "
	    "1GiB");
	return -1;
}

int
yaml_string(struct yamldoc *doc, struct yaml_node *node, char **out)
{
	char *copy;

	node->used = true;
	if (node->type != YAML_SCALAR) {
		yaml_refuse(doc, node, "a string");
		return -1;
	}
	copy = xstrdup(node->scalar);
	free(*out);
	*out = copy;
	return 0;
}

void
yaml_check_unused(struct yamldoc *doc, const struct yaml_node *map,
    const char *accepted)
{
	size_t i;

	for (i = 0; i < map->nitems; i++) {
		if (!map->items[i]->used)
			yaml_error(doc, map->items[i],
			    "unknown key, accepted: %s", accepted);
	}
}

static int
message_compare(const void *a, const void *b)
{
	const struct yaml_message *const *x = a, *const *y = b;
	/* Those without a line come last. */
	unsigned lx = (*x)->line - 1, ly = (*y)->line - 1;

	if (lx != ly)
		return lx < ly ? -1 : 1;
	/* In order of discovery: both point into one array. */
	return *x < *y ? -1 : *x > *y;
}

void
yamldoc_print_messages(const struct yamldoc *doc, FILE *fp)
{
	const struct yaml_message **sorted;
	size_t i;

	sorted = xcalloc(doc->nmessages, sizeof(const struct yaml_message *));
	for (i = 0; i < doc->nmessages; i++)
		sorted[i] = &doc->messages[i];
	qsort(sorted, doc->nmessages, sizeof(const struct yaml_message *),
	    message_compare);
	for (i = 0; i < doc->nmessages; i++)
		fprintf(fp, "%s: %s\n", sorted[i]->error ? "error" : "warning",
		    sorted[i]->text);
	if (doc->nmessages == YAMLDOC_MAX_MESSAGES)
		fprintf(fp, "error: %s: too many messages, %d shown\n",
		    doc->name, YAMLDOC_MAX_MESSAGES);
	free(sorted);
}
