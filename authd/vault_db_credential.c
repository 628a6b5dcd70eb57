/* SPDX-License-Identifier: ISC */
/*
 * The credentials of the database.  Runs in the vault and in authctl.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault_db_sql.h"

/* A robot's secrets have the rights and networks of their robot. */
#define COLUMNS								\
	"c.id, c.kind, c.owner, c.comment, c.service, c.client, c.stamp, " \
	"coalesce(r.networks, c.networks), coalesce(r.rights, c.rights), " \
	"c.created, c.expires, c.used, coalesce(r.disabled, 0) "	\
	"FROM credential AS c LEFT JOIN robot AS r ON r.name = c.robot "

static enum vault_result
read_row(struct vault_db *db, sqlite3_stmt *stmt, struct vault_credential *c)
{
	memset(c, 0, sizeof(*c));
	c->kind = (enum credential_kind)sqlite3_column_int(stmt, 1);
	c->created = sqlite3_column_int64(stmt, 9);
	c->expires = sqlite3_column_int64(stmt, 10);
	c->used = sqlite3_column_int64(stmt, 11);
	c->disabled = sqlite3_column_int(stmt, 12) != 0;
	if (vault_db_text(stmt, 0, c->id, sizeof(c->id)) == 0 &&
	    vault_db_text(stmt, 2, c->owner, sizeof(c->owner)) == 0 &&
	    vault_db_text(stmt, 3, c->comment, sizeof(c->comment)) == 0 &&
	    vault_db_text(stmt, 4, c->service, sizeof(c->service)) == 0 &&
	    vault_db_text(stmt, 5, c->client, sizeof(c->client)) == 0 &&
	    vault_db_text(stmt, 6, c->stamp, sizeof(c->stamp)) == 0 &&
	    vault_db_text(stmt, 7, c->networks, sizeof(c->networks)) == 0 &&
	    vault_db_text(stmt, 8, c->rights, sizeof(c->rights)) == 0)
		return VAULT_OK;
	snprintf(db->error, sizeof(db->error), "a row is too long, or there "
	    "is no memory for it");
	return VAULT_FAILED;
}

static enum vault_result
read_one(struct vault_db *db, sqlite3_stmt *stmt, struct vault_credential *c)
{
	int	 rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return read_row(db, stmt, c);
	return rc == SQLITE_DONE ? VAULT_NOTFOUND : vault_db_result(db, rc);
}

enum vault_result
vault_db_find(struct vault_db *db,
    const unsigned char hash[CREDENTIAL_HASH_SIZE],
    struct vault_credential *c)
{
	enum vault_result	 result;

	if (db->find == NULL)
		db->find = vault_db_prepare(db, "SELECT " COLUMNS
		    "WHERE c.hash = ?1");
	if (db->find == NULL || vault_db_moved(db))
		return VAULT_FAILED;
	sqlite3_bind_blob(db->find, 1, hash, CREDENTIAL_HASH_SIZE,
	    SQLITE_STATIC);
	result = read_one(db, db->find, c);
	/* So that it holds no view of the past. */
	sqlite3_reset(db->find);
	sqlite3_clear_bindings(db->find);
	return result;
}

enum vault_result
vault_db_get(struct vault_db *db, const char *id, struct vault_credential *c)
{
	enum vault_result	 result;
	sqlite3_stmt		*stmt;

	stmt = vault_db_prepare(db, "SELECT " COLUMNS "WHERE c.id = ?1");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
	result = read_one(db, stmt, c);
	sqlite3_finalize(stmt);
	return result;
}

enum vault_result
vault_db_list(struct vault_db *db, const char *owner,
    struct vault_cursor *last, size_t max, vault_credential_fn *fn, void *arg)
{
	struct vault_credential	*c;
	enum vault_result	 result = VAULT_OK;
	sqlite3_stmt		*stmt;

	stmt = vault_db_prepare(db, "SELECT " COLUMNS "WHERE (?1 IS NULL OR "
	    "c.owner = ?1) AND (c.owner, c.created, c.id) > (?2, ?3, ?4) "
	    "ORDER BY c.owner, c.created, c.id");
	if (stmt == NULL || (c = malloc(sizeof(*c))) == NULL) {
		sqlite3_finalize(stmt);
		return VAULT_FAILED;
	}
	vault_db_bind_text(stmt, 1, owner == NULL ? "" : owner);
	sqlite3_bind_text(stmt, 2, last->owner, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(stmt, 3, last->created);
	sqlite3_bind_text(stmt, 4, last->id, -1, SQLITE_TRANSIENT);
	for (; max > 0 && (result = read_one(db, stmt, c)) == VAULT_OK;
	    max--) {
		memcpy(last->owner, c->owner, sizeof(last->owner));
		last->created = c->created;
		memcpy(last->id, c->id, sizeof(last->id));
		fn(c, arg);
	}
	free(c);
	sqlite3_finalize(stmt);
	return result;
}

/* ---- changes ---- */

static enum vault_result
count_owned(struct vault_db *db, const struct vault_credential *c, int64_t *n)
{
	sqlite3_stmt	*stmt;

	stmt = vault_db_prepare(db, "SELECT count(*) FROM credential "
	    "WHERE owner = ?1 AND kind = ?2");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, c->owner, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 2, (int)c->kind);
	return vault_db_number(db, stmt, n);
}

/* Who logs in again and again needs only the last refresh tokens. */
static enum vault_result
drop_oldest(struct vault_db *db, const char *owner, int64_t n)
{
	sqlite3_stmt	*stmt;

	stmt = vault_db_prepare(db, "DELETE FROM credential WHERE id IN "
	    "(SELECT id FROM credential WHERE owner = ?1 AND kind = 3 "
	    "ORDER BY max(created, coalesce(used, 0)) LIMIT ?2)");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, owner, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, n);
	return vault_db_run(db, stmt);
}

static enum vault_result
make_room(struct vault_db *db, const struct vault_credential *c)
{
	enum vault_result	 result;
	int64_t			 n = 0;

	if ((result = count_owned(db, c, &n)) != VAULT_OK)
		return result;
	if (c->kind == CREDENTIAL_REFRESH)
		return n < VAULT_MAX_REFRESH ? VAULT_OK :
		    drop_oldest(db, c->owner, n - VAULT_MAX_REFRESH + 1);
	return n < (c->kind == CREDENTIAL_ROBOT ? VAULT_MAX_SECRETS :
	    VAULT_MAX_PERSONAL) ? VAULT_OK : VAULT_LIMIT;
}

enum vault_result
vault_db_insert(struct vault_db *db, const struct vault_credential *c,
    const unsigned char hash[CREDENTIAL_HASH_SIZE])
{
	enum vault_result	 result;
	sqlite3_stmt		*stmt;

	if ((result = make_room(db, c)) != VAULT_OK)
		return result;
	stmt = vault_db_prepare(db, "INSERT INTO credential (id, kind, hash, "
	    "owner, robot, comment, service, client, stamp, networks, "
	    "rights, created, expires) VALUES (?1, ?2, ?3, ?4, "
	    "CASE ?2 WHEN 2 THEN ?4 END, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, c->id, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 2, (int)c->kind);
	sqlite3_bind_blob(stmt, 3, hash, CREDENTIAL_HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 4, c->owner, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 5, c->comment, -1, SQLITE_STATIC);
	vault_db_bind_text(stmt, 6, c->service);
	vault_db_bind_text(stmt, 7, c->client);
	vault_db_bind_text(stmt, 8, c->stamp);
	sqlite3_bind_text(stmt, 9, c->networks, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 10, c->rights, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 11, c->created);
	vault_db_bind_time(stmt, 12, c->expires);
	return vault_db_run(db, stmt);
}

enum vault_result
vault_db_add(struct vault_db *db, const struct vault_credential *c,
    const unsigned char hash[CREDENTIAL_HASH_SIZE])
{
	if (vault_db_exec(db, "BEGIN IMMEDIATE") != VAULT_OK)
		return VAULT_FAILED;
	return vault_db_finish(db, vault_db_insert(db, c, hash));
}

static enum vault_result
use_one(struct vault_db *db, const char *id, int64_t now)
{
	sqlite3_stmt	*stmt;

	stmt = vault_db_prepare(db, "UPDATE credential SET used = ?2 WHERE "
	    "id = ?1 AND (used IS NULL OR used <= ?3)");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, now);
	sqlite3_bind_int64(stmt, 3, now - VAULT_USED_STEP);
	return vault_db_run(db, stmt);
}

enum vault_result
vault_db_use(struct vault_db *db, const char *const *ids, size_t n,
    int64_t now)
{
	enum vault_result	 result = VAULT_OK;
	size_t			 i;

	if (vault_db_exec(db, "BEGIN IMMEDIATE") != VAULT_OK)
		return VAULT_FAILED;
	for (i = 0; i < n && result == VAULT_OK; i++)
		result = use_one(db, ids[i], now);
	return vault_db_finish(db, result);
}

enum vault_result
vault_db_revoke(struct vault_db *db, const char *id)
{
	enum vault_result	 result;
	sqlite3_stmt		*stmt;

	stmt = vault_db_prepare(db, "DELETE FROM credential WHERE id = ?1");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
	result = vault_db_run(db, stmt);
	return result == VAULT_OK && sqlite3_changes(db->sql) == 0 ?
	    VAULT_NOTFOUND : result;
}

enum vault_result
vault_db_revoke_all(struct vault_db *db, const char *owner, int kind,
    int64_t *n)
{
	enum vault_result	 result;
	sqlite3_stmt		*stmt;

	stmt = vault_db_prepare(db, "DELETE FROM credential WHERE owner = ?1 "
	    "AND (?2 = 0 OR kind = ?2)");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, owner, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 2, kind);
	result = vault_db_run(db, stmt);
	*n = result == VAULT_OK ? sqlite3_changes(db->sql) : 0;
	return result;
}

enum vault_result
vault_db_alike(struct vault_db *db, const char *owner, int kind, int64_t *n)
{
	sqlite3_stmt	*stmt;

	stmt = vault_db_prepare(db, "SELECT count(*) FROM credential WHERE "
	    "owner = ?1 COLLATE NOCASE AND owner <> ?1 AND "
	    "(?2 = 0 OR kind = ?2)");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, owner, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 2, kind);
	return vault_db_number(db, stmt, n);
}

enum vault_result
vault_db_expire(struct vault_db *db, int64_t now)
{
	sqlite3_stmt	*stmt;

	stmt = vault_db_prepare(db, "DELETE FROM credential WHERE "
	    "expires < ?1 OR (expires < ?2 AND kind = 3)");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_int64(stmt, 1, now - VAULT_KEEP_EXPIRED);
	sqlite3_bind_int64(stmt, 2, now);
	return vault_db_run(db, stmt);
}
