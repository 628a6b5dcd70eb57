/* SPDX-License-Identifier: ISC */
/*
 * Every message of authd, its direction and its fields.  The shared ones
 * (configuration, peers, drain) are in proc.h.
 *
 * Channels: worker - broker, broker - verifier, broker - vault, broker -
 * signer, and each with the parent.  No worker can reach a verifier, the
 * vault or the signer.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "cred_answer.h"
#include "proc.h"

enum role {
	ROLE_WORKER = 1,
	ROLE_BROKER,
	ROLE_VERIFIER,			/* of the htpasswd file */
	ROLE_SIGNER,
	ROLE_VERIFIER_LDAP,
	ROLE_VERIFIER_PAM,
	ROLE_VAULT
};

enum {
	/* parent -> worker, broker, verifier: index u32, value str */
	MSG_CONF_VALUE = MSG_FIRST,
	/* parent -> worker: name str, fd of a listening socket */
	MSG_CONF_LISTENER,
	/* parent -> worker, verifier, broker: kind u32 (enum conf_file), fd
	   of the file; to a verifier again when one of its files changed,
	   all of them, and then CONF_END */
	MSG_CONF_FILE,
	/* parent -> worker: 80 bytes */
	MSG_CONF_TICKET_KEY,
	/* parent -> worker: the public keys, JSON str (GET /jwks); again
	   when they change */
	MSG_CONF_JWKS,
	/* parent -> broker: name str, then for each user: true, user str;
	   false.  A long group comes in several messages. */
	MSG_CONF_GROUP,
	/* parent -> broker: access rules in order, for each: true, the
	   fields of acl_rule_put(); false.  May come several times. */
	MSG_CONF_RULE,
	/* parent -> signer: issuer str */
	MSG_CONF_SIGNER,
	/* parent -> broker: the groups of the htgroup file: first bool, then
	   for each group: true, name str, for each user: true, user str;
	   false.  false.  May come several times, and with CONF_END again
	   when the file has changed. */
	MSG_CONF_HTGROUP,
	/* parent -> signer: key fd, certificate chain fd; in order */
	MSG_CONF_SIGNER_KEY,
	/* parent -> signer, for each service: name str, place of its key
	   u32, kid str, x5c bool, lifetime u32 s, backdate u32 s */
	MSG_CONF_SERVICE,

	/* worker -> broker: peer address str, service str ("" for absent),
	   credential kind u8 (enum cred_kind), user str, password bytes,
	   asked bool (for any scope, be it a senseless one),
	   offline bool (a refresh token is wanted), client str,
	   nscopes u32, nscopes * (type str, name str, actions u32) */
	MSG_TOKEN_REQUEST = 64,
	/* broker -> worker: result u8 (enum token_result), then for
	   TOKEN_GRANTED: jwt str, expires_in u32, issued_at u64,
	   refresh token str ("": none),
	   nscopes u32, nscopes * (type str, name str, actions u32);
	   retry_after u32 and user str always at the end */
	MSG_TOKEN_REPLY,
	/* broker -> verifier: user str, password bytes, peer address str */
	MSG_VERIFY,
	/* verifier -> broker: the fields of cred_answer_put() */
	MSG_VERDICT,
	/* verifier -> broker: its users changed; forget older verdicts */
	MSG_USERS_CHANGED,
	/* broker -> signer: service str, sub str, nscopes u32,
	   nscopes * (type str, name str, actions u32) */
	MSG_SIGN,
	/* signer -> broker: ok bool, jwt str, jti str, expires_in u32,
	   issued_at u64 */
	MSG_SIGNED,
	/* broker -> verifier: user str, peer address str; without any
	   password, for what authd has given the user.  Answer: VERDICT */
	MSG_LOOKUP,
	/* broker -> vault: SHA-256 of a token, bytes */
	MSG_FIND,
	/* vault -> broker: result u8 (enum find_result), with FIND_FOUND the
	   fields of vault_db_put() */
	MSG_FOUND,
	/* broker -> vault: id str, of what has just been used */
	MSG_USED,
	/* broker -> vault: a refresh token: SHA-256 bytes, user str,
	   service str, client str, stamp str */
	MSG_KEEP,
	/* vault -> broker: ok bool, id str */
	MSG_KEPT,
	/* vault -> broker: forget all that was found; answered by the same,
	   with its id, once that is done */
	MSG_FORGET
};

enum find_result {
	FIND_FOUND,
	FIND_UNKNOWN,
	FIND_FAILED			/* the database: 503 */
};

enum conf_file {
	CONF_FILE_TLS_CERTIFICATE,	/* worker */
	CONF_FILE_TLS_KEY,
	CONF_FILE_HTPASSWD,		/* verifier */
	CONF_FILE_LDAP_PASSWORD,	/* verifier-ldap */
	CONF_FILE_LDAP_CA,
	CONF_FILE_AUDIT,		/* broker: to append to */
	CONF_FILE_CONTROL,		/* vault: a listening socket */
	CONF_NFILES
};

/* A refresh token is in the place of the password, without a user. */
enum cred_kind { CRED_NONE, CRED_PASSWORD, CRED_REFRESH };

enum token_result {
	TOKEN_GRANTED,			/* maybe with fewer actions, or none */
	TOKEN_BAD_CREDENTIALS,		/* 401 */
	TOKEN_ANONYMOUS_REFUSED,	/* 401: no credentials, no rule */
	TOKEN_UNKNOWN_SERVICE,		/* 400 */
	TOKEN_THROTTLED,		/* 429 */
	TOKEN_UNAVAILABLE		/* 503 */
};

#define MAX_USER	CRED_MAX_USER
#define MAX_PASSWORD	CRED_MAX_PASSWORD
#define MAX_SERVICE	255
#define MAX_CLIENT	128
/* The broker waits no longer for an answer of the vault. */
#define VAULT_TIME_MS	2000

#endif
