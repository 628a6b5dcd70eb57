/* SPDX-License-Identifier: ISC */
/*
 * A line of a control socket: an object with a command of a sane length, or
 * one printable reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

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
	char error[128] = "";
	const char *p;
	json_t *request;
	size_t n;

	request = control_parse((const char *)data, len, error,
	    sizeof(error));
	if (request == NULL) {
		check(error[0] != '\0');
		for (p = error; *p != '\0'; p++)
			check(*p >= ' ' && *p <= '~');
		return 0;
	}
	check(json_is_object(request));
	n = json_string_length(json_object_get(request, "command"));
	check(n > 0 && n <= CONTROL_COMMAND_MAX);
	json_decref(request);
	return 0;
}
