/* SPDX-License-Identifier: ISC */
/*
 * What a credential driver found out, as data and on the wire.  Runs in
 * verifiers and in those who ask them.
 */
#include "cred_answer.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "str.h"

#define STAMP_BYTES	8

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
	str_copy(dst->stamp, sizeof(dst->stamp), src->stamp);
	dst->role = src->role;
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

/* Short, so that nothing of a hash can be got back from it. */
void
cred_answer_stamp(struct cred_answer *answer, const char *from)
{
	unsigned char	 digest[EVP_MAX_MD_SIZE];
	unsigned int	 n = 0;

	answer->stamp[0] = '\0';
	if (EVP_Digest(from, strlen(from), digest, &n, EVP_sha256(),
	    NULL) == 1)
		hex_encode(answer->stamp, digest, STAMP_BYTES);
}

void
cred_answer_put(struct msg_out *out, enum cred_verdict verdict,
    const struct cred_answer *answer)
{
	size_t	 i;

	msg_put_u8(out, (uint8_t)verdict);
	msg_put_str(out, answer->user);
	msg_put_str(out, answer->reason);
	msg_put_str(out, answer->stamp);
	msg_put_u32(out, (uint32_t)answer->ngroups);
	for (i = 0; i < answer->ngroups; i++)
		msg_put_str(out, answer->groups[i]);
}

int
cred_answer_get(struct msg *msg, enum cred_verdict *verdict,
    struct cred_answer *answer)
{
	uint8_t		 value;
	uint32_t	 n;

	value = msg_get_u8(msg);
	*verdict = (enum cred_verdict)value;
	msg_get_str(msg, answer->user, sizeof(answer->user));
	msg_get_str(msg, answer->reason, sizeof(answer->reason));
	msg_get_str(msg, answer->stamp, sizeof(answer->stamp));
	n = msg_get_u32(msg);
	if (msg->bad || value > CRED_UNAVAILABLE || n > CRED_MAX_GROUPS)
		return -1;
	if (n > 0 && (answer->groups = calloc(n, sizeof(char *))) == NULL)
		return -1;
	while (answer->ngroups < n) {
		answer->groups[answer->ngroups] = msg_get_strdup(msg,
		    CRED_MAX_USER);
		if (answer->groups[answer->ngroups] == NULL)
			return -1;
		answer->ngroups++;
	}
	return msg_end(msg);
}
