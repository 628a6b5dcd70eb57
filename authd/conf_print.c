/* SPDX-License-Identifier: ISC */
/*
 * Prints a configuration as YAML, every key with its value or default, in
 * the order of the table; what it prints parses again to the same.  Runs in
 * "authd -nv" only.
 */
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_key.h"
#include "str.h"

/* Plain scalars that YAML could read as something else are quoted. */
static bool
is_plain(const char *s)
{
	static const char *const words[] = { "true", "false", "null", "yes",
	    "no", "on", "off", "y", "n" };
	static const char	 safe[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
	size_t			 i;

	if (*s == '\0' || strspn(s, safe) != strlen(s))
		return false;
	if (strchr("-.0123456789", *s) != NULL)
		return false;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(s, words[i]) == 0)
			return false;
	return true;
}

void
conf_print_string(const char *s, FILE *out)
{
	if (is_plain(s)) {
		fputs(s, out);
		return;
	}
	putc('"', out);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\x%02x", (unsigned char)*s);
		else
			putc(*s, out);
	}
	putc('"', out);
}

void
conf_print_list(const struct conf_list *list, FILE *out)
{
	size_t	 i;

	putc('[', out);
	for (i = 0; i < list->n; i++) {
		if (i > 0)
			fputs(", ", out);
		conf_print_string(list->items[i], out);
	}
	putc(']', out);
}

static void
print_pairs(const struct conf_pairs *pairs, FILE *out)
{
	size_t	 i;

	putc('{', out);
	for (i = 0; i < pairs->n; i++) {
		if (i > 0)
			fputs(", ", out);
		conf_print_string(pairs->items[i].name, out);
		fputs(": ", out);
		conf_print_string(pairs->items[i].value, out);
	}
	putc('}', out);
}

static void
print_value(const struct authd_conf *conf, size_t i, FILE *out)
{
	const void	*at = (const char *)conf + conf_keys[i].offset;
	char		*text;

	if (conf_keys[i].type == CONF_LIST) {
		conf_print_list(at, out);
		return;
	}
	if (conf_keys[i].type == CONF_SERVICES) {
		conf_services_print(conf, out);
		return;
	}
	if (conf_keys[i].type == CONF_PAIRS) {
		print_pairs(at, out);
		return;
	}
	text = conf_get_value(conf, i);
	if (conf_keys[i].type == CONF_STRING)
		conf_print_string(text, out);
	else
		fputs(text, out);
	free(text);
}

/* A key that is unset has no line: there is no value that means "unset". */
static bool
is_set(const struct authd_conf *conf, size_t i)
{
	char	*string;

	if (conf_keys[i].type != CONF_STRING)
		return true;
	memcpy(&string, (const char *)conf + conf_keys[i].offset,
	    sizeof(string));
	return string != NULL;
}

/* What belongs to something that is not configured has no lines either. */
static bool
is_wanted(const struct authd_conf *conf, const char *path)
{
	const struct conf_backend	*backend;
	size_t				 len = strcspn(path, ".");

	if (conf->credentials.database == NULL &&
	    str_starts(path, "credentials."))
		return false;
	for (backend = conf_backends; backend->name != NULL; backend++)
		if (path[len] == '.' && strlen(backend->name) == len &&
		    strncmp(path, backend->name, len) == 0)
			return backend->configured(conf);
	return true;
}

/* How much of two paths is the same maps: "a.b.c", "a.b.d": 4 bytes. */
static size_t
common_maps(const char *a, const char *b)
{
	size_t	 i, len = 0;

	for (i = 0; a[i] != '\0' && a[i] == b[i]; i++)
		if (a[i] == '.')
			len = i + 1;
	return len;
}

/* "a.b.c" behind the lines of "a.x": "b:", then "c: ". */
static void
print_key(const char *last, const char *path, FILE *out)
{
	size_t		 i, depth = 0, common = common_maps(last, path);
	const char	*part = path;

	for (i = 0; path[i] != '\0'; i++) {
		if (path[i] != '.')
			continue;
		if (i >= common)
			fprintf(out, "%*s%.*s:\n", (int)depth, "",
			    (int)(path + i - part), part);
		part = path + i + 1;
		depth += 2;
	}
	fprintf(out, "%*s%s: ", (int)depth, "", part);
}

void
conf_print(const struct authd_conf *conf, FILE *out)
{
	const char	*last = "";
	size_t		 i;

	for (i = 0; i < conf_nvalues(); i++) {
		if (!is_set(conf, i) || !is_wanted(conf, conf_keys[i].path))
			continue;
		print_key(last, conf_keys[i].path, out);
		print_value(conf, i, out);
		putc('\n', out);
		last = conf_keys[i].path;
	}
	conf_keys_print(conf, out);
	conf_access_print(conf, out);
}
