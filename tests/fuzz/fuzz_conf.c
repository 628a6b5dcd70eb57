/* SPDX-License-Identifier: ISC */
/*
 * registryd's configuration: the text up to a line "%%", then one variable
 * of the environment in each line.  A configuration that is accepted prints
 * as one that is accepted and prints the same, and survives the way to a
 * child value by value.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MAX_VARIABLES	64

static void
check(int ok)
{
	if (!ok)
		abort();
}

static char *
print(const struct registry_conf *conf, size_t *len)
{
	char *text = NULL;
	FILE *fp = open_memstream(&text, len);

	check(fp != NULL);
	conf_print(conf, fp);
	fclose(fp);
	return text;
}

static void
check_prints_as(const struct registry_conf *conf, const char *want)
{
	size_t len;
	char *text = print(conf, &len);

	check(strcmp(text, want) == 0);
	free(text);
}

static void
check_conf(const struct registry_conf *conf, FILE *messages)
{
	char *const nothing[] = { NULL };
	struct registry_conf *again, *child;
	char *text, *value;
	size_t len, i;

	text = print(conf, &len);
	again = conf_parse("printed", text, len, nothing, messages);
	check(again != NULL);
	check_prints_as(again, text);
	conf_free(again);

	child = conf_new();
	for (i = 0; i < conf_nvalues(); i++) {
		value = conf_get_value(conf, i);
		check(value == NULL || conf_set_value(child, i, value) == 0);
		free(value);
	}
	check_prints_as(child, text);
	conf_free(child);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *variables[MAX_VARIABLES + 1], *text, *rest, *out = NULL;
	struct registry_conf *conf;
	size_t n = 0, size;
	FILE *messages;

	text = strndup((const char *)data, len);
	messages = open_memstream(&out, &size);
	check(text != NULL && messages != NULL);
	rest = strstr(text, "\n%%\n");
	if (rest != NULL) {
		rest[1] = '\0';
		rest += 4;
	}
	while (rest != NULL && n < MAX_VARIABLES)
		variables[n++] = strsep(&rest, "\n");
	variables[n] = NULL;
	conf = conf_parse("f", text, strlen(text), variables, messages);
	if (conf != NULL)
		check_conf(conf, messages);
	fclose(messages);
	/* without a configuration there is a reason */
	check(conf != NULL || size > 0);
	conf_free(conf);
	free(out);
	free(text);
	return 0;
}
