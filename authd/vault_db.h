/* SPDX-License-Identifier: ISC */
/*
 * The database of long-lived credentials: hashes of tokens with who they are
 * for, and robots.  SQLite, one file (with "-wal" and "-shm" beside it while
 * it is open); several processes may have it open, such as the vaults of two
 * configurations during a reload.
 *
 * Times are seconds since 1970.  Lists are texts with a space between their
 * items, checked by who makes them (rights.h).
 */
#ifndef VAULT_DB_H
#define VAULT_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cred_answer.h"
#include "msg.h"

#include "credential.h"
#include "messages.h"

#define VAULT_COMMENT_MAX	255
#define VAULT_NETWORKS_MAX	1024
#define VAULT_RIGHTS_MAX	4096

/* Of one owner, living or expired. */
#define VAULT_MAX_PERSONAL	256
#define VAULT_MAX_SECRETS	16	/* of a robot */
#define VAULT_MAX_REFRESH	64	/* the oldest makes room */
#define VAULT_MAX_ROBOTS	65536

/* How long what has expired is still listed. */
#define VAULT_KEEP_EXPIRED	(INT64_C(30) * 86400)
/* "last used" is no more exact than this. */
#define VAULT_USED_STEP		3600

struct vault_credential {
	char		 id[CREDENTIAL_ID_SIZE];
	enum credential_kind kind;
	char		 owner[MAX_USER + 1];	/* user, or "robot$..." */
	char		 comment[VAULT_COMMENT_MAX + 1];
	char		 service[MAX_SERVICE + 1];	/* refresh */
	char		 client[MAX_CLIENT + 1];	/* refresh */
	char		 stamp[CRED_STAMP_SIZE];	/* refresh: of the
						   owner's password, or "" */
	char		 networks[VAULT_NETWORKS_MAX + 1];	/* "": any */
	char		 rights[VAULT_RIGHTS_MAX + 1];	/* "": the owner's */
	int64_t		 created, expires, used;	/* 0: never */
	bool		 disabled;		/* its robot is */
};

struct vault_robot {
	char		 name[MAX_USER + 1];	/* "robot$..." */
	char		 comment[VAULT_COMMENT_MAX + 1];
	char		 networks[VAULT_NETWORKS_MAX + 1];
	char		 rights[VAULT_RIGHTS_MAX + 1];	/* never "" */
	int64_t		 created;
	bool		 disabled;
};

enum vault_result {
	VAULT_OK,
	VAULT_NOTFOUND,
	VAULT_EXISTS,
	VAULT_LIMIT,			/* one of the numbers above */
	VAULT_FAILED			/* vault_db_error() says why */
};

struct vault_db;

/*
 * Open, or make.  Its lock is held: shared, or, with "alone", exclusively.  A
 * lock that others have is waited for, wait_ms at most.  NULL with a reason:
 * also for a file that is damaged, that is something else, or that a newer
 * authd has made.
 */
struct vault_db	*vault_db_open(const char *path, bool alone,
		    unsigned wait_ms, char *error, size_t errsize);
void		 vault_db_close(struct vault_db *);	/* NULL is fine */
/* What went wrong last, for the log; no secret. */
const char	*vault_db_error(const struct vault_db *);
/* Has another process changed it since this was asked last? */
bool		 vault_db_changed(struct vault_db *);
/* Forget what has expired long ago, and refresh tokens at once. */
enum vault_result vault_db_expire(struct vault_db *, int64_t now);

/* ---- vault_db_credential.c ---- */

/* By its hash; expired or not. */
enum vault_result vault_db_find(struct vault_db *,
		    const unsigned char hash[CREDENTIAL_HASH_SIZE],
		    struct vault_credential *);
enum vault_result vault_db_get(struct vault_db *, const char *id,
		    struct vault_credential *);
/* All but "disabled" and "used" as it says; EXISTS: the id or the hash. */
enum vault_result vault_db_add(struct vault_db *,
		    const struct vault_credential *,
		    const unsigned char hash[CREDENTIAL_HASH_SIZE]);
/* They have been used now; unknown ones are passed over. */
enum vault_result vault_db_use(struct vault_db *, const char *const *ids,
		    size_t n, int64_t now);
enum vault_result vault_db_revoke(struct vault_db *, const char *id);
/* All of a kind (0: of any kind) of an owner; *n: how many there were. */
enum vault_result vault_db_revoke_all(struct vault_db *, const char *owner,
		    int kind, int64_t *n);
/* How many have an owner who differs from this one in nothing but case. */
enum vault_result vault_db_alike(struct vault_db *, const char *owner,
		    int kind, int64_t *n);
typedef void vault_credential_fn(const struct vault_credential *, void *arg);
/* The last of a list so far; all zero: none yet. */
struct vault_cursor {
	char		 owner[MAX_USER + 1];
	int64_t		 created;
	char		 id[CREDENTIAL_ID_SIZE];
};
/*
 * The next ones of an owner, NULL: of all, in the order of owner and
 * creation.  NOTFOUND when these were the last.
 */
enum vault_result vault_db_list(struct vault_db *, const char *owner,
		    struct vault_cursor *, size_t max, vault_credential_fn *,
		    void *arg);

/* ---- vault_db_wire.c: from the vault to the broker ---- */

/*
 * id str, kind u8, owner str, service str, stamp str, networks str, rights
 * str, expires u64 (0: never), disabled bool.  The getter ends the message;
 * -1: malformed.
 */
void		 vault_db_put(struct msg_out *,
		    const struct vault_credential *);
int		 vault_db_take(struct msg *, struct vault_credential *);

/* ---- vault_db_robot.c ---- */

/* A robot with its first secret, both or neither. */
enum vault_result vault_db_robot_add(struct vault_db *,
		    const struct vault_robot *,
		    const struct vault_credential *,
		    const unsigned char hash[CREDENTIAL_HASH_SIZE]);
enum vault_result vault_db_robot_get(struct vault_db *, const char *name,
		    struct vault_robot *);
typedef void vault_robot_fn(const struct vault_robot *, void *arg);
/* The next ones behind "name", which becomes the last; the same. */
enum vault_result vault_db_robot_list(struct vault_db *,
		    char name[MAX_USER + 1], size_t max, vault_robot_fn *,
		    void *arg);
/*
 * Another secret for a robot; those that it has end at "end" unless they end
 * before.
 */
enum vault_result vault_db_robot_rotate(struct vault_db *,
		    const struct vault_credential *,
		    const unsigned char hash[CREDENTIAL_HASH_SIZE],
		    int64_t end);
enum vault_result vault_db_robot_disable(struct vault_db *, const char *name,
		    bool disabled);
/* With its secrets. */
enum vault_result vault_db_robot_delete(struct vault_db *, const char *name);

#endif
