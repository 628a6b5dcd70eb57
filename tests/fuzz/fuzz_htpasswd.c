/* SPDX-License-Identifier: ISC */
/*
 * htpasswd files: any bytes.  Hashes are not computed, as a valid one may be
 * slow on purpose.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "htpasswd.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE	*null;
	struct htpasswd	*users;

	if (null == NULL && (null = fopen("/dev/null", "w")) == NULL)
		abort();
	users = htpasswd_parse((const char *)data, size, "fuzz", null);
	if (users != NULL && htpasswd_count(users) > size)
		abort();
	htpasswd_free(users);
	return 0;
}
