/* SPDX-License-Identifier: ISC */
/*
 * A token: its header, its claims, and the signature over them.  Runs in the
 * signer, which alone has the keys while authd serves.
 *
 * It is put together here and not by libjwt: that parses the key's PEM anew
 * for each token, which takes four times as long as the signature itself,
 * and it has no EdDSA.  The tests have libjwt read what is signed here.
 */
#include "claims.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "random.h"

/* The claims as JSON text (free it), NULL when memory is out. */
static char *
claims_format(struct claims *claims)
{
	char		*text;
	json_int_t	 begin, end;
	json_t		*object;

	random_hex(claims->jti, (sizeof(claims->jti) - 1) / 2);
	/* iat is put back, too: zot refuses one that its clock has not seen. */
	begin = (json_int_t)claims->now - (json_int_t)claims->backdate;
	end = (json_int_t)claims->now + (json_int_t)claims->lifetime;
	object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:o}",
	    "iss", claims->issuer, "sub", claims->subject,
	    "aud", claims->audience, "exp", end, "nbf", begin, "iat", begin,
	    "jti", claims->jti, "access", scope_set_to_claim(claims->access));
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}

static int
add_base64url(struct buf *buf, const char *text, size_t len)
{
	char	*room;

	if ((room = buf_reserve(buf, BASE64_LEN(len) + 1)) == NULL)
		return -1;
	buf_commit(buf, base64url_encode(room, text, len));
	return 0;
}

int
claims_sign(const struct claims_key *key, struct claims *claims,
    struct buf *out)
{
	struct buf	 signature;
	char		*text;
	int		 ret = -1;

	if ((text = claims_format(claims)) == NULL)
		return -1;
	buf_init(&signature, 4096);
	buf_addstr(out, claims->header);
	buf_addc(out, '.');
	if (add_base64url(out, text, strlen(text)) == 0 &&
	    claims_key_sign(key, buf_str(out), out->len, &signature) == 0 &&
	    buf_addc(out, '.') == 0)
		ret = buf_addstr(out, buf_str(&signature));
	buf_done(&signature);
	free(text);
	return buf_failed(out) ? -1 : ret;
}
