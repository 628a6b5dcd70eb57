/* SPDX-License-Identifier: ISC */
/*
 * A configuration as YAML, every key with its value (-nv).  What is not set
 * stands in a comment.  The text parses to the same configuration again.
 */
#include "conf.h"

#include <inttypes.h>
#include <string.h>

#include "conf_key.h"
#include "str.h"

struct printer {
	const struct registry_conf *conf;
	FILE		*fp;
	const char	*last;		/* path printed before this one */
};

/* Words that are plain scalars of YAML and nothing but strings. */
static bool
is_plain(const char *s)
{
	static const char *const words[] = {
		"y", "n", "yes", "no", "on", "off", "true", "false", "null"
	};
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/";
	static const char others[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/"
	    "0123456789.-";
	size_t i;

	if (*s == '\0' || strchr(letters, *s) == NULL ||
	    s[strspn(s, others)] != '\0')
		return false;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_equal_nocase(s, words[i]))
			return false;
	}
	return true;
}

/* The code point at s; *len is the length of its UTF-8, which is valid. */
static uint32_t
code_point(const unsigned char *s, size_t *len)
{
	uint32_t c;
	size_t i;

	*len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	c = *len == 1 ? s[0] : s[0] & (0xffU >> (*len + 1));
	for (i = 1; i < *len; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			*len = i;
			break;
		}
		c = c << 6 | (s[i] & 0x3fU);
	}
	return c;
}

static void
print_string(FILE *fp, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t c;
	size_t len;

	if (is_plain(s)) {
		fputs(s, fp);
		return;
	}
	putc('"', fp);
	for (; *p != '\0'; p += len) {
		c = code_point(p, &len);
		if (c == '"' || c == '\\')
			fprintf(fp, "\\%c", (int)c);
		else if (c >= 0x20 && c < 0x7f)
			putc((int)c, fp);
		else if (c < 0x100)
			fprintf(fp, "\\x%02" PRIx32, c);
		else if (c < 0x10000)
			fprintf(fp, "\\u%04" PRIx32, c);
		else
			fprintf(fp, "\\U%08" PRIx32, c);
	}
	putc('"', fp);
}

/* The largest unit that gives the same number of bytes again. */
static void
print_size(FILE *fp, uint64_t n)
{
	static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	while (n > 0 && n % 1024 == 0 &&
	    unit + 1 < sizeof(units) / sizeof(units[0])) {
		n /= 1024;
		unit++;
	}
	fprintf(fp, "%" PRIu64 "%s", n, units[unit]);
}

static void
print_number(struct printer *pr, const struct conf_key *key)
{
	uint64_t v = conf_key_number(pr->conf, key);
	char duration[32];

	switch (key->type) {
	case CONF_BOOL:
		fputs(v != 0 ? "true" : "false", pr->fp);
		break;
	case CONF_ENUM:
		fputs(key->words[v], pr->fp);
		break;
	case CONF_SIZE:
		print_size(pr->fp, v);
		break;
	case CONF_DURATION:
		if (key->words != NULL && v == CONF_NO_DURATION) {
			fputs(key->words[0], pr->fp);
			break;
		}
		fputs(str_duration(duration, sizeof(duration), v), pr->fp);
		break;
	case CONF_SECONDS:
		fputs(str_duration(duration, sizeof(duration), v * 1000),
		    pr->fp);
		break;
	default:
		fprintf(pr->fp, "%" PRIu64, v);
		break;
	}
}

static void
print_list(FILE *fp, const struct conf_list *list)
{
	size_t i;

	putc('[', fp);
	for (i = 0; i < list->n; i++) {
		if (i > 0)
			fputs(", ", fp);
		print_string(fp, list->items[i]);
	}
	putc(']', fp);
}

static void
print_indent(FILE *fp, size_t depth, bool comment)
{
	fprintf(fp, "%s%*s", comment ? "# " : "", (int)(2 * depth), "");
}

/* One line for each name; the values of a header stand together. */
static void
print_pairs(FILE *fp, const struct conf_pairs *pairs, bool lists,
    size_t depth)
{
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		if (lists && i > 0 &&
		    strcmp(pairs->items[i - 1].name, pairs->items[i].name) == 0)
			fputs(", ", fp);
		else {
			if (i > 0)
				fputs(lists ? "]\n" : "\n", fp);
			print_indent(fp, depth, false);
			print_string(fp, pairs->items[i].name);
			fputs(lists ? ": [" : ": ", fp);
		}
		print_string(fp, pairs->items[i].value);
	}
	if (lists)
		putc(']', fp);
}

static void
print_value(struct printer *pr, const struct conf_key *key, size_t depth)
{
	const void *member = conf_key_member_const(pr->conf, key);

	switch (key->type) {
	case CONF_STRING:
		putc(' ', pr->fp);
		print_string(pr->fp, *(char *const *)member);
		break;
	case CONF_LIST:
		putc(' ', pr->fp);
		print_list(pr->fp, member);
		break;
	case CONF_FIELDS:
	case CONF_HEADERS:
		putc('\n', pr->fp);
		print_pairs(pr->fp, member, key->type == CONF_HEADERS,
		    depth + 1);
		break;
	default:
		putc(' ', pr->fp);
		print_number(pr, key);
		break;
	}
}

/* Is nothing set beneath the first "len" bytes of a path? */
static bool
group_is_unset(const struct registry_conf *conf, const char *path, size_t len)
{
	size_t i;

	for (i = 0; i < conf_nkeys; i++) {
		if (strncmp(conf_keys[i].path, path, len) == 0 &&
		    conf_keys[i].path[len] == '.' &&
		    !conf_key_is_unset(conf, &conf_keys[i]))
			return false;
	}
	return true;
}

static void
print_key(struct printer *pr, const struct conf_key *key)
{
	const char *path = key->path, *segment = path, *dot;
	bool unset = conf_key_is_unset(pr->conf, key);
	size_t depth = 0, len;

	/* The maps that this key is in, unless the last one was there too. */
	while ((dot = strchr(segment, '.')) != NULL) {
		len = (size_t)(dot - path);
		if (strncmp(pr->last, path, len) != 0 ||
		    pr->last[len] != '.') {
			print_indent(pr->fp, depth,
			    group_is_unset(pr->conf, path, len));
			fprintf(pr->fp, "%.*s:\n", (int)(dot - segment),
			    segment);
		}
		segment = dot + 1;
		depth++;
	}
	print_indent(pr->fp, depth, unset);
	fprintf(pr->fp, "%s:", segment);
	if (!unset)
		print_value(pr, key, depth);
	putc('\n', pr->fp);
	pr->last = path;
}

void
conf_print(const struct registry_conf *conf, FILE *fp)
{
	struct printer pr = { .conf = conf, .fp = fp, .last = "" };
	size_t i;

	fputs("version: 0.1\n", fp);
	for (i = 0; i < conf_nkeys; i++)
		print_key(&pr, &conf_keys[i]);
}
