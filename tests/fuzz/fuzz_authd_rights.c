/* SPDX-License-Identifier: ISC */
/*
 * Lists of rights: the first line is the list, the second a scope.  A list
 * gives no more than was asked for, and what one of its items gives, the
 * whole list gives too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rights.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
run(const char *rights, const struct scope *wanted)
{
	const struct acl_names	 names = { "alice", "registry" };
	unsigned		 granted, one;
	size_t			 len = strcspn(rights, " ");
	char			*item;

	granted = rights_grant(rights, &names, wanted);
	if ((wanted->actions & ACTION_ALL) == 0 &&
	    (granted & ~wanted->actions) != 0)
		abort();
	if ((item = strndup(rights, len)) == NULL)
		return;
	one = rights_grant(item, &names, wanted);
	if ((one & ~granted) != 0 || (one != 0 && rights_wrong(item) != NULL))
		abort();
	free(item);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scope	 scope;
	char		*text, *line;

	if ((text = malloc(size + 1)) == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if ((line = strchr(text, '\n')) != NULL) {
		*line++ = '\0';
		if (scope_parse(&scope, line, strlen(line)) == 0)
			run(text, &scope);
		rights_has_network(text, line);
	}
	free(text);
	return 0;
}
