/* SPDX-License-Identifier: ISC */
/*
 * Secrets of authd and names of robots: what is taken for one of ours has its
 * length, its letters and its checksum, so that no single other letter makes
 * it another good one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "credential.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int right)
{
	if (!right)
		abort();
}

static void
change_each(const char *good)
{
	enum credential_kind	 kind;
	char			 text[CREDENTIAL_LEN];
	size_t			 i;

	for (i = CREDENTIAL_PREFIX; i < CREDENTIAL_LEN; i++) {
		memcpy(text, good, CREDENTIAL_LEN);
		text[i] = text[i] == 'x' ? 'y' : 'x';
		check(credential_recognise(text, CREDENTIAL_LEN, &kind) ==
		    CREDENTIAL_BROKEN);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum credential_kind	 kind = 0;
	enum credential_form	 form;
	char			*text;

	form = credential_recognise((const char *)data, size, &kind);
	if (form == CREDENTIAL_GOOD) {
		check(size == CREDENTIAL_LEN);
		check(kind >= CREDENTIAL_PERSONAL &&
		    kind <= CREDENTIAL_REFRESH);
		check(memcmp(data, "ad", 2) == 0 && data[3] == '_');
		change_each((const char *)data);
	} else {
		check(kind == 0);
	}
	if ((text = malloc(size + 1)) == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (credential_robot_wrong(text) == NULL)
		check(strlen(text) > 6 && strlen(text) <= 70);
	free(text);
	return 0;
}
