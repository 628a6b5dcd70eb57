/* SPDX-License-Identifier: ISC */
/*
 * YAML documents.  There is a tree or an error; every node has a place and a
 * path; no getter takes a value without leaving either it or a message.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yamldoc.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
check_getters(struct yamldoc *doc, struct yaml_node *node)
{
	size_t before = doc->nerrors, failed = 0;
	char *s = NULL;
	uint64_t v;
	bool b;

	failed += yaml_bool(doc, node, &b) == -1;
	failed += yaml_u64(doc, node, 1, 64, &v) == -1;
	failed += yaml_duration(doc, node, &v) == -1;
	failed += yaml_size(doc, node, &v) == -1;
	failed += yaml_string(doc, node, &s) == -1;
	check(doc->nerrors == before + failed);
	free(s);
}

static void
check_node(struct yamldoc *doc, struct yaml_node *node)
{
	char path[YAML_PATH_SIZE];
	size_t i;

	check(node->line > 0 && node->scalar != NULL);
	check(strlen(yaml_path(node, path, sizeof(path))) < sizeof(path));
	check_getters(doc, node);
	for (i = 0; i < node->nitems; i++) {
		check(node->items[i]->parent == node);
		check((node->items[i]->key != NULL) ==
		    (node->type == YAML_MAP));
		check_node(doc, node->items[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct yamldoc *doc;
	char *value, *out = NULL;
	size_t size;
	FILE *fp;

	doc = yamldoc_parse("f", (const char *)data, len);
	if (doc->root != NULL)
		check_node(doc, doc->root);
	value = strndup((const char *)data, len);
	check(value != NULL);
	(void)yaml_replace(doc, yamldoc_root(doc), value, "VARIABLE");
	yaml_check_unused(doc, yamldoc_root(doc), "nothing");
	fp = open_memstream(&out, &size);
	check(fp != NULL);
	yamldoc_print_messages(doc, fp);
	fclose(fp);
	check(doc->nmessages == 0 || size > 0);
	free(out);
	free(value);
	yamldoc_free(doc);
	return 0;
}
