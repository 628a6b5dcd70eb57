/* SPDX-License-Identifier: ISC */
/*
 * Link files, as distribution writes them: "alg:hex" without a newline.
 * Read by every process, written by keepers.
 */
#include "link.h"

#include <string.h>

#define LINK_MAX_SIZE	512
#define LINK_SPACE	" \t\r\n"

static enum store_result
link_parse(char *text, size_t len, struct digest *d)
{
	/* A NUL inside would hide what follows. */
	if (strlen(text) != len)
		len = 0;
	while (len > 0 && strchr(LINK_SPACE, text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	return digest_parse(d, text + strspn(text, LINK_SPACE)) == -1 ?
	    STORE_INVALID : STORE_OK;
}

enum store_result
link_look(struct store *s, const char *path, struct digest *d,
    struct store_stat *st)
{
	char text[LINK_MAX_SIZE + 1];
	enum store_result r;
	size_t len = 0;
	int fd;

	if ((r = store_open(s, path, &fd, st)) != STORE_OK)
		return r;
	if (st->size > LINK_MAX_SIZE)
		r = STORE_INVALID;
	else
		r = store_pread(s, fd, text, (size_t)st->size, 0, &len);
	store_close(s, fd);
	if (r != STORE_OK)
		return r;
	text[len] = '\0';
	return link_parse(text, len, d);
}

enum store_result
link_get(struct store *s, const char *path, struct digest *d)
{
	struct store_stat st;

	return link_look(s, path, d, &st);
}

enum store_result
link_put(struct store *s, const char *path, const struct digest *d)
{
	char text[DIGEST_STR_SIZE];

	digest_format(text, d);
	return store_put(s, path, text, strlen(text), STORE_REPLACE);
}
