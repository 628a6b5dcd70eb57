/* SPDX-License-Identifier: ISC */
/*
 * A credential on its way from the vault to the broker: what it is good for,
 * not when it was used.
 */
#include <string.h>

#include "vault_db.h"

void
vault_db_put(struct msg_out *out, const struct vault_credential *c)
{
	msg_put_str(out, c->id);
	msg_put_u8(out, (uint8_t)c->kind);
	msg_put_str(out, c->owner);
	msg_put_str(out, c->service);
	msg_put_str(out, c->stamp);
	msg_put_str(out, c->networks);
	msg_put_str(out, c->rights);
	msg_put_u64(out, (uint64_t)c->expires);
	msg_put_bool(out, c->disabled);
}

int
vault_db_take(struct msg *msg, struct vault_credential *c)
{
	uint64_t	 expires;
	uint8_t		 kind;

	memset(c, 0, sizeof(*c));
	msg_get_str(msg, c->id, sizeof(c->id));
	kind = msg_get_u8(msg);
	msg_get_str(msg, c->owner, sizeof(c->owner));
	msg_get_str(msg, c->service, sizeof(c->service));
	msg_get_str(msg, c->stamp, sizeof(c->stamp));
	msg_get_str(msg, c->networks, sizeof(c->networks));
	msg_get_str(msg, c->rights, sizeof(c->rights));
	expires = msg_get_u64(msg);
	c->disabled = msg_get_bool(msg);
	if (msg_end(msg) == -1 || kind < CREDENTIAL_PERSONAL ||
	    kind > CREDENTIAL_REFRESH || *c->owner == '\0' ||
	    expires > INT64_MAX)
		return -1;
	c->kind = (enum credential_kind)kind;
	c->expires = (int64_t)expires;
	return 0;
}
