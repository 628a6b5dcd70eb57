/* SPDX-License-Identifier: ISC */
/*
 * The robots of the database: accounts that no directory has.  Runs in the
 * vault and in authctl.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault_db_sql.h"

#define COLUMNS								\
	"name, comment, networks, rights, created, disabled FROM robot "

static enum vault_result
read_one(struct vault_db *db, sqlite3_stmt *stmt, struct vault_robot *robot)
{
	int	 rc = sqlite3_step(stmt);

	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? VAULT_NOTFOUND :
		    vault_db_result(db, rc);
	memset(robot, 0, sizeof(*robot));
	robot->created = sqlite3_column_int64(stmt, 4);
	robot->disabled = sqlite3_column_int(stmt, 5) != 0;
	if (vault_db_text(stmt, 0, robot->name, sizeof(robot->name)) == 0 &&
	    vault_db_text(stmt, 1, robot->comment,
	    sizeof(robot->comment)) == 0 &&
	    vault_db_text(stmt, 2, robot->networks,
	    sizeof(robot->networks)) == 0 &&
	    vault_db_text(stmt, 3, robot->rights, sizeof(robot->rights)) == 0)
		return VAULT_OK;
	snprintf(db->error, sizeof(db->error), "a row is too long");
	return VAULT_FAILED;
}

static enum vault_result
insert(struct vault_db *db, const struct vault_robot *robot)
{
	enum vault_result	 result;
	sqlite3_stmt		*stmt;
	int64_t			 n = 0;

	result = vault_db_number(db, vault_db_prepare(db,
	    "SELECT count(*) FROM robot"), &n);
	if (result != VAULT_OK || n >= VAULT_MAX_ROBOTS)
		return result == VAULT_OK ? VAULT_LIMIT : result;
	stmt = vault_db_prepare(db, "INSERT INTO robot (name, comment, "
	    "networks, rights, created, disabled) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, robot->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, robot->comment, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 3, robot->networks, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 4, robot->rights, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 5, robot->created);
	sqlite3_bind_int(stmt, 6, robot->disabled);
	return vault_db_run(db, stmt);
}

enum vault_result
vault_db_robot_add(struct vault_db *db, const struct vault_robot *robot,
    const struct vault_credential *secret,
    const unsigned char hash[CREDENTIAL_HASH_SIZE])
{
	enum vault_result	 result;

	if (vault_db_exec(db, "BEGIN IMMEDIATE") != VAULT_OK)
		return VAULT_FAILED;
	if ((result = insert(db, robot)) == VAULT_OK)
		result = vault_db_insert(db, secret, hash);
	return vault_db_finish(db, result);
}

enum vault_result
vault_db_robot_get(struct vault_db *db, const char *name,
    struct vault_robot *robot)
{
	enum vault_result	 result;
	sqlite3_stmt		*stmt;

	stmt = vault_db_prepare(db, "SELECT " COLUMNS "WHERE name = ?1");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	result = read_one(db, stmt, robot);
	sqlite3_finalize(stmt);
	return result;
}

enum vault_result
vault_db_robot_list(struct vault_db *db, char name[MAX_USER + 1], size_t max,
    vault_robot_fn *fn, void *arg)
{
	struct vault_robot	*robot;
	enum vault_result	 result = VAULT_OK;
	sqlite3_stmt		*stmt;

	stmt = vault_db_prepare(db, "SELECT " COLUMNS "WHERE name > ?1 "
	    "ORDER BY name");
	if (stmt == NULL || (robot = malloc(sizeof(*robot))) == NULL) {
		sqlite3_finalize(stmt);
		return VAULT_FAILED;
	}
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_TRANSIENT);
	for (; max > 0 && (result = read_one(db, stmt, robot)) == VAULT_OK;
	    max--) {
		memcpy(name, robot->name, sizeof(robot->name));
		fn(robot, arg);
	}
	free(robot);
	sqlite3_finalize(stmt);
	return result;
}

/* Those that end later, or never; none ends before it was made. */
static enum vault_result
end_secrets(struct vault_db *db, const char *name, int64_t end)
{
	sqlite3_stmt	*stmt;

	stmt = vault_db_prepare(db, "UPDATE credential SET "
	    "expires = max(?2, created) WHERE robot = ?1 AND "
	    "(expires IS NULL OR expires > ?2)");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, end);
	return vault_db_run(db, stmt);
}

/* What has ended makes room for the new one. */
static enum vault_result
drop_ended(struct vault_db *db, const char *name, int64_t now)
{
	sqlite3_stmt	*stmt;

	stmt = vault_db_prepare(db, "DELETE FROM credential WHERE "
	    "robot = ?1 AND expires <= ?2");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, now);
	return vault_db_run(db, stmt);
}

enum vault_result
vault_db_robot_rotate(struct vault_db *db,
    const struct vault_credential *secret,
    const unsigned char hash[CREDENTIAL_HASH_SIZE], int64_t end)
{
	struct vault_robot	*robot;
	enum vault_result	 result = VAULT_FAILED;

	if ((robot = malloc(sizeof(*robot))) == NULL)
		return VAULT_FAILED;
	if (vault_db_exec(db, "BEGIN IMMEDIATE") == VAULT_OK) {
		result = vault_db_robot_get(db, secret->owner, robot);
		if (result == VAULT_OK)
			result = end_secrets(db, secret->owner, end);
		if (result == VAULT_OK)
			result = drop_ended(db, secret->owner,
			    secret->created);
		if (result == VAULT_OK)
			result = vault_db_insert(db, secret, hash);
		result = vault_db_finish(db, result);
	}
	free(robot);
	return result;
}

static enum vault_result
found(struct vault_db *db, enum vault_result result)
{
	return result == VAULT_OK && sqlite3_changes(db->sql) == 0 ?
	    VAULT_NOTFOUND : result;
}

enum vault_result
vault_db_robot_disable(struct vault_db *db, const char *name, bool disabled)
{
	sqlite3_stmt	*stmt;

	stmt = vault_db_prepare(db, "UPDATE robot SET disabled = ?2 "
	    "WHERE name = ?1");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 2, disabled);
	return found(db, vault_db_run(db, stmt));
}

enum vault_result
vault_db_robot_delete(struct vault_db *db, const char *name)
{
	sqlite3_stmt	*stmt;

	stmt = vault_db_prepare(db, "DELETE FROM robot WHERE name = ?1");
	if (stmt == NULL)
		return VAULT_FAILED;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	return found(db, vault_db_run(db, stmt));
}
