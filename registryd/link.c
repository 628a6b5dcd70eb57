/* SPDX-License-Identifier: ISC */
/*
 * Link files, as distribution writes them: "alg:hex" without a newline.
 * Read by every process, written by keepers.
 */
#include "link.h"

#include <stdlib.h>
#include <string.h>

#define LINK_MAX_SIZE	512
#define LINK_SPACE	" \t\r\n"

enum store_result
link_get(struct store *s, const char *path, struct digest *d)
{
	enum store_result r;
	char *data, *text;
	size_t len;

	r = store_read(s, path, LINK_MAX_SIZE, &data, &len);
	if (r != STORE_OK)
		return r == STORE_TOOBIG ? STORE_INVALID : r;
	/* A NUL inside would hide what follows. */
	if (strlen(data) != len)
		len = 0;
	while (len > 0 && strchr(LINK_SPACE, data[len - 1]) != NULL)
		len--;
	data[len] = '\0';
	text = data + strspn(data, LINK_SPACE);
	if (digest_parse(d, text) == -1)
		r = STORE_INVALID;
	free(data);
	return r;
}

enum store_result
link_put(struct store *s, const char *path, const struct digest *d)
{
	char text[DIGEST_STR_SIZE];

	digest_format(text, d);
	return store_put(s, path, text, strlen(text), STORE_REPLACE);
}
