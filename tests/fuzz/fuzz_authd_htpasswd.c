/* SPDX-License-Identifier: ISC */
/*
 * htpasswd files: any bytes.  Hashes are not computed, as a valid one may be
 * slow on purpose.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "cred.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE	*null;
	void		*users;

	if (null == NULL && (null = fopen("/dev/null", "w")) == NULL)
		abort();
	users = cred_htpasswd_parse((const char *)data, size, "fuzz", null);
	if (users != NULL && cred_htpasswd_count(users) > size)
		abort();
	cred_htpasswd.free(users);
	return 0;
}
