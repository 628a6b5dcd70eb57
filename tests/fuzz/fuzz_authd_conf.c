/* SPDX-License-Identifier: ISC */
/*
 * Configuration files: any bytes.  What is taken is printed, and what is
 * printed must be taken again and print as the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char *
print(const struct authd_conf *conf, size_t *len)
{
	char	*text = NULL;
	FILE	*f = open_memstream(&text, len);

	if (f == NULL)
		abort();
	conf_print(conf, f);
	fclose(f);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE		*null;
	struct authd_conf	*conf;
	char			*once, *twice;
	size_t			 len = 0, again = 0;

	if (null == NULL && (null = fopen("/dev/null", "w")) == NULL)
		abort();
	conf = conf_parse("fuzz.yml", (const char *)data, size, null);
	if (conf == NULL)
		return 0;
	once = print(conf, &len);
	conf_free(conf);
	if ((conf = conf_parse("once.yml", once, len, stderr)) == NULL)
		abort();
	twice = print(conf, &again);
	conf_free(conf);
	if (strcmp(once, twice) != 0)
		abort();
	free(once);
	free(twice);
	return 0;
}
