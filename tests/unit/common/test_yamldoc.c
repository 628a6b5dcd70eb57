/* SPDX-License-Identifier: ISC */
/*
 * Unit tests of common/yamldoc.c and yamldoc_value.c: the tree, the values,
 * and the very text of every message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yamldoc.h"

#define LEN(a)	(sizeof(a) / sizeof((a)[0]))

static struct yamldoc *
parse(const char *text)
{
	return yamldoc_parse("f.yml", text, strlen(text));
}

static void
assert_messages(const struct yamldoc *doc, const char *want)
{
	char text[16384] = "";
	FILE *fp = fmemopen(text, sizeof(text), "w");

	assert_non_null(fp);
	yamldoc_print_messages(doc, fp);
	fclose(fp);
	assert_string_equal(text, want);
}

static void
test_yaml_tree(void **state)
{
	struct yamldoc *doc = parse("a: 1\nb:\n  c: [x, {d: 'q'}]\n"
	    "  e:\n  f: ~\n  g: \"\"\n  h: !!str 7\n");
	struct yaml_node *b, *c, *d;
	char path[64];

	(void)state;
	assert_int_equal(doc->nmessages, 0);
	assert_int_equal(doc->root->type, YAML_MAP);
	assert_string_equal(yaml_find(doc->root, "a")->scalar, "1");
	assert_null(yaml_find(doc->root, "x"));
	b = yaml_find(doc->root, "b");
	assert_int_equal(b->line, 2);
	c = yaml_find(b, "c");
	assert_int_equal(c->type, YAML_LIST);
	assert_int_equal(c->nitems, 2);
	d = yaml_find(c->items[1], "d");
	assert_int_equal(d->line, 3);
	assert_true(d->quoted);
	assert_string_equal(yaml_path(d, path, sizeof(path)), "b.c[1].d");
	assert_string_equal(yaml_path(d, path, 6), "b....");
	assert_true(yaml_is_empty(yaml_find(b, "e")));
	assert_true(yaml_is_empty(yaml_find(b, "f")));
	assert_false(yaml_is_empty(yaml_find(b, "g")));
	assert_true(yaml_find(b, "h")->quoted);
	assert_null(yaml_find(d, "x"));
	assert_string_equal(d->origin, "f.yml");
	yamldoc_free(doc);
	yamldoc_free(NULL);
}

static void
test_yaml_empty(void **state)
{
	static const char *const texts[] = { "", "\n# only\n", "---\n" };
	struct yamldoc *doc;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(texts); i++) {
		doc = parse(texts[i]);
		assert_int_equal(doc->nmessages, 0);
		if (i < 2)
			assert_null(doc->root);
		assert_non_null(yaml_put(yamldoc_root(doc), "a"));
		assert_int_equal(doc->root->type, YAML_MAP);
		yamldoc_free(doc);
	}
}

static void
test_yaml_syntax_errors(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "a: [1", "error: f.yml:2: a: not valid YAML: "
		    "did not find expected ',' or ']'\n" },
		{ "a:\n\t- b", "error: f.yml:2: a: not valid YAML: "
		    "found character that cannot start any token\n" },
		{ "x: 1\ny: \xff", "error: f.yml:1: not valid YAML: "
		    "invalid leading UTF-8 octet\n" },
		{ "a: 1\n---\nb: 2", "error: f.yml:2: more than one "
		    "document\n" },
		{ "a: &x 1\nb: *x", "error: f.yml:2: b: aliases "
		    "(\"*name\") are not supported\n" },
		{ "a: !foo 1", "error: f.yml:1: a: the tag \"!foo\" is not "
		    "supported\n" },
		{ "? [a]\n: b", "error: f.yml:1: a key must be a plain "
		    "word\n" },
		{ "a: \"x\\0y\"", "error: f.yml:1: a: a string holds a NUL "
		    "character\n" },
		{ "h:\n  a: 1\n  b: 2\n  a: 3\n  a: 4\n",
		    "error: f.yml:4: h: duplicate key \"a\", first on line 2\n"
		    "error: f.yml:5: h: duplicate key \"a\", first on line "
		    "2\n" },
	};
	struct yamldoc *doc;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		doc = parse(cases[i].in);
		assert_true(doc->nerrors > 0);
		assert_messages(doc, cases[i].want);
		yamldoc_free(doc);
	}
}

static void
test_yaml_limits(void **state)
{
	struct yamldoc *doc;
	char *text = calloc(1, YAMLDOC_MAX_SIZE + 2);
	size_t i;

	(void)state;
	assert_non_null(text);
	memset(text, '[', YAMLDOC_MAX_DEPTH + 1);
	memset(text + YAMLDOC_MAX_DEPTH + 1, ']', YAMLDOC_MAX_DEPTH + 1);
	doc = parse(text);
	assert_int_equal(doc->nerrors, 0);
	yamldoc_free(doc);
	memset(text, '[', YAMLDOC_MAX_DEPTH + 2);
	doc = parse(text);
	assert_int_equal(doc->nerrors, 1);
	assert_non_null(strstr(doc->messages[0].text, "nested too deeply"));
	yamldoc_free(doc);

	for (i = 0; i < YAMLDOC_MAX_ITEMS + 1; i++)
		memcpy(text + 4 * i, "- a\n", 4);
	doc = yamldoc_parse("f", text, 4 * i);
	assert_int_equal(doc->nerrors, 1);
	assert_messages(doc, "error: f:1: more than 4096 entries\n");
	yamldoc_free(doc);

	memset(text, ' ', YAMLDOC_MAX_SIZE + 1);
	doc = yamldoc_parse("f", text, YAMLDOC_MAX_SIZE + 1);
	assert_messages(doc, "error: f: larger than 1048576 bytes\n");
	yamldoc_free(doc);

	for (i = 0; i < 200; i++)
		memcpy(text + 4 * i, "a:\n\n", 4);
	doc = yamldoc_parse("f", text, 4 * i);
	assert_int_equal(doc->nerrors, 199);
	assert_int_equal(doc->nmessages, YAMLDOC_MAX_MESSAGES);
	yamldoc_free(doc);
	free(text);
}

static void
test_yaml_bool(void **state)
{
	static const struct {
		const char *in;
		int want;		/* -1: refused */
	} cases[] = {
		{ "true", 1 }, { "True", 1 }, { "TRUE", 1 }, { "yes", 1 },
		{ "on", 1 }, { "ON", 1 }, { "y", 1 }, { "false", 0 },
		{ "No", 0 }, { "off", 0 }, { "N", 0 }, { "tRUE", -1 },
		{ "1", -1 }, { "0", -1 }, { "maybe", -1 }, { "'true'", -1 },
		{ "", -1 }, { "[true]", -1 },
	};
	struct yamldoc *doc;
	char text[32];
	bool b;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		snprintf(text, sizeof(text), "a: %s", cases[i].in);
		doc = parse(text);
		b = cases[i].want != 1;
		r = yaml_bool(doc, yaml_find(doc->root, "a"), &b);
		assert_int_equal(r, cases[i].want == -1 ? -1 : 0);
		assert_int_equal(b, cases[i].want != 0);
		assert_int_equal(doc->nerrors, cases[i].want == -1);
		yamldoc_free(doc);
	}
}

static void
test_yaml_refused_values(void **state)
{
	struct yamldoc *doc = parse("b: maybe\nq: 'true'\nn: 65\nm: -1\n"
	    "d: 5 minutes\ns: 4MB\nt: {a: b}\nu: [a]\nz:\nw: \"a\\n\\x1b\"\n");
	uint64_t v = 7;
	char *s = NULL;
	bool b;

	(void)state;
	yaml_bool(doc, yaml_find(doc->root, "b"), &b);
	yaml_bool(doc, yaml_find(doc->root, "q"), &b);
	yaml_u64(doc, yaml_find(doc->root, "n"), 1, 64, &v);
	yaml_u64(doc, yaml_find(doc->root, "m"), 0, UINT64_MAX, &v);
	yaml_duration(doc, yaml_find(doc->root, "d"), &v);
	yaml_size(doc, yaml_find(doc->root, "s"), &v);
	yaml_string(doc, yaml_find(doc->root, "t"), &s);
	yaml_string(doc, yaml_find(doc->root, "u"), &s);
	yaml_u64(doc, yaml_find(doc->root, "z"), 1, 64, &v);
	yaml_u64(doc, yaml_find(doc->root, "w"), 1, 64, &v);
	assert_int_equal(v, 7);
	assert_null(s);
	assert_messages(doc,
	    "error: f.yml:1: b: found \"maybe\", accepted: true or false\n"
	    "error: f.yml:2: q: found \"true\", accepted: true or false, "
	    "without quotes\n"
	    "error: f.yml:3: n: found \"65\", accepted: a number from 1 to "
	    "64\n"
	    "error: f.yml:4: m: found \"-1\", accepted: a number of at least "
	    "0\n"
	    "error: f.yml:5: d: found \"5 minutes\", accepted: a duration "
	    "such as 250ms, 30s, 1m30s or 24h\n"
	    "error: f.yml:6: s: found \"4MB\", accepted: a size in bytes, or "
	    "such as 512KiB, 4MiB or 1GiB\n"
	    "error: f.yml:7: t: found a map, accepted: a string\n"
	    "error: f.yml:8: u: found a list, accepted: a string\n"
	    "error: f.yml:9: z: found nothing, accepted: a number from 1 to "
	    "64\n"
	    "error: f.yml:10: w: found \"a\\x0a\\x1b\", accepted: a number "
	    "from 1 to 64\n");
	yamldoc_free(doc);
}

static void
test_yaml_values(void **state)
{
	struct yamldoc *doc = parse("n: 64\nd: 1m30s\ns: 4MiB\nt: 'x y'\n");
	char *s = NULL;
	uint64_t v;

	(void)state;
	assert_int_equal(yaml_u64(doc, yaml_find(doc->root, "n"), 1, 64, &v),
	    0);
	assert_int_equal(v, 64);
	assert_int_equal(yaml_duration(doc, yaml_find(doc->root, "d"), &v),
	    0);
	assert_int_equal(v, 90000);
	assert_int_equal(yaml_size(doc, yaml_find(doc->root, "s"), &v), 0);
	assert_int_equal(v, 4194304);
	assert_int_equal(yaml_string(doc, yaml_find(doc->root, "t"), &s), 0);
	assert_int_equal(yaml_string(doc, yaml_find(doc->root, "t"), &s), 0);
	assert_string_equal(s, "x y");
	free(s);
	assert_int_equal(doc->nmessages, 0);
	yamldoc_free(doc);
}

static void
test_yaml_put_and_replace(void **state)
{
	struct yamldoc *doc = parse("a: {b: 1}\ns: x\n");
	struct yaml_node *n;

	(void)state;
	n = yaml_put(yaml_put(yaml_put(doc->root, "p"), "q"), "r");
	assert_int_equal(yaml_replace(doc, n, "[x, {y: z}]", "VAR"), 0);
	assert_int_equal(n->nitems, 2);
	assert_string_equal(n->items[1]->items[0]->scalar, "z");
	assert_string_equal(n->items[1]->items[0]->origin, "VAR");
	assert_int_equal(n->items[1]->line, 0);
	assert_non_null(yaml_put_item(n, 2));
	assert_int_equal(n->nitems, 3);
	assert_ptr_equal(yaml_put_item(n, 0), n->items[0]);
	assert_null(yaml_put_item(n, 4));
	assert_null(yaml_put(n, "k"));
	assert_null(yaml_put(yaml_find(doc->root, "s"), "k"));
	assert_string_equal(yaml_put(yaml_put(doc->root, "a"), "b")->scalar,
	    "1");
	assert_int_equal(yaml_replace(doc, n, "", "VAR"), 0);
	assert_true(yaml_is_empty(n));
	assert_int_equal(yaml_replace(doc, n, "[x", "VAR"), -1);
	assert_true(yaml_is_empty(n));
	assert_int_equal(yaml_replace(doc, n, "{a: 1, a: 2}", "VAR"), 0);
	assert_messages(doc,
	    "error: VAR: p.q.r: not valid YAML: did not find expected ',' or "
	    "']'\n"
	    "error: VAR: p.q.r: duplicate key \"a\"\n");
	yamldoc_free(doc);
}

static void
test_yaml_unused(void **state)
{
	struct yamldoc *doc = parse("a: {b: 1, c: 2}\nd: {e: 3}\n"
	    "x.y: 1\n");

	(void)state;
	(void)yaml_find(yaml_find(doc->root, "a"), "b");
	yaml_check_unused(doc, doc->root, "a");
	yaml_check_unused(doc, yaml_find(doc->root, "a"), "b");
	yaml_warning(doc, doc->root->items[0], "odd %d", 1);
	assert_messages(doc,
	    "error: f.yml:1: a.c: unknown key, accepted: b\n"
	    "warning: f.yml:1: a: odd 1\n"
	    "error: f.yml:2: d: unknown key, accepted: a\n"
	    "error: f.yml:3: \"x.y\": unknown key, accepted: a\n");
	yamldoc_free(doc);
}

static void
test_yaml_load(void **state)
{
	struct yamldoc *doc = yamldoc_load("/nonexistent/f.yml");

	(void)state;
	assert_messages(doc, "error: /nonexistent/f.yml: "
	    "No such file or directory\n");
	yamldoc_free(doc);
	doc = yamldoc_load("/");
	assert_messages(doc, "error: /: Is a directory\n");
	yamldoc_free(doc);
	doc = yamldoc_load("/dev/null");
	assert_int_equal(doc->nmessages, 0);
	assert_null(doc->root);
	yamldoc_free(doc);
	doc = yamldoc_load("/dev/zero");
	assert_messages(doc, "error: /dev/zero: larger than 1048576 bytes\n");
	yamldoc_free(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml_tree),
		cmocka_unit_test(test_yaml_empty),
		cmocka_unit_test(test_yaml_syntax_errors),
		cmocka_unit_test(test_yaml_limits),
		cmocka_unit_test(test_yaml_bool),
		cmocka_unit_test(test_yaml_refused_values),
		cmocka_unit_test(test_yaml_values),
		cmocka_unit_test(test_yaml_put_and_replace),
		cmocka_unit_test(test_yaml_unused),
		cmocka_unit_test(test_yaml_load),
	};

	return cmocka_run_group_tests_name("yamldoc", tests, NULL, NULL);
}
