/* SPDX-License-Identifier: ISC */
/*
 * What a credential driver found out, as data.
 */
#include "cred.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

void
cred_answer_done(struct cred_answer *answer)
{
	size_t	 i;

	for (i = 0; i < answer->ngroups; i++)
		free(answer->groups[i]);
	free(answer->groups);
	memset(answer, 0, sizeof(*answer));
}

int
cred_answer_copy(struct cred_answer *dst, const struct cred_answer *src)
{
	memset(dst, 0, sizeof(*dst));
	str_copy(dst->user, sizeof(dst->user), src->user);
	if (src->ngroups == 0)
		return 0;
	dst->groups = calloc(src->ngroups, sizeof(*dst->groups));
	if (dst->groups == NULL)
		return -1;
	while (dst->ngroups < src->ngroups) {
		dst->groups[dst->ngroups] = strdup(src->groups[dst->ngroups]);
		if (dst->groups[dst->ngroups] == NULL) {
			cred_answer_done(dst);
			return -1;
		}
		dst->ngroups++;
	}
	return 0;
}
