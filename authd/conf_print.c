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

void
conf_print(const struct authd_conf *conf, FILE *out)
{
	const char	*path, *dot, *section = "";
	size_t		 i, len, open = 0;

	for (i = 0; i < conf_nvalues(); i++) {
		if (!is_set(conf, i))
			continue;
		path = conf_keys[i].path;
		dot = strchr(path, '.');
		len = dot == NULL ? 0 : (size_t)(dot - path);
		if (len > 0 && (len != open ||
		    strncmp(section, path, len) != 0))
			fprintf(out, "%.*s:\n", (int)len, path);
		section = path;
		open = len;
		fprintf(out, "%s%s: ", len > 0 ? "  " : "",
		    dot == NULL ? path : dot + 1);
		print_value(conf, i, out);
		putc('\n', out);
	}
	conf_access_print(conf, out);
}
