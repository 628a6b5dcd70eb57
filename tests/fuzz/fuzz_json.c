/* SPDX-License-Identifier: ISC */
/*
 * Strict JSON.  A reason is one printable line; what loads is the same after
 * writing and loading again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char error[80];
	json_t *json, *again;
	const char *p;
	char *text;

	json = json_load_strict((const char *)data, len, error,
	    sizeof(error));
	if (json == NULL) {
		check(error[0] != '\0');
		for (p = error; *p != '\0'; p++)
			check(*p >= ' ' && *p <= '~');
		return 0;
	}
	text = json_dumps(json, JSON_COMPACT);
	check(text != NULL);
	again = json_load_strict(text, strlen(text), error, sizeof(error));
	check(again != NULL && json_equal(json, again));
	json_decref(again);
	json_decref(json);
	free(text);
	return 0;
}
