/* SPDX-License-Identifier: ISC */
/*
 * Opens the database of credentials, makes its tables, and what all of its
 * statements share.  Runs in the vault, and in authctl while no vault does.
 * Decides nothing about users; keeps no token, only hashes.
 */
#include "vault_db.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "str.h"

#include "vault_db_sql.h"

#define APPLICATION	1633969011	/* "adcs" */
#define VERSION_KNOWN	1
#define TEXT(n)		#n
#define NUMBER(n)	TEXT(n)
#define BYTES(column)	"length(CAST(" #column " AS BLOB))"
#define BUSY_MS		2000
#define LOCK_STEP_MS	20

/*
 * The checks are the database's own, so that neither a mistake here nor an
 * edit by hand can leave a row that means something else than it says.
 */
static const char	 schema[] =
    "CREATE TABLE robot ("
    " name TEXT PRIMARY KEY NOT NULL"
    "  CHECK (name LIKE 'robot$_%' AND " BYTES(name) " <= 70),"
    " comment TEXT NOT NULL CHECK (" BYTES(comment) " <= 255),"
    " networks TEXT NOT NULL CHECK (" BYTES(networks) " <= 1024),"
    " rights TEXT NOT NULL CHECK (" BYTES(rights) " BETWEEN 1 AND 4096),"
    " created INTEGER NOT NULL CHECK (created > 0),"
    " disabled INTEGER NOT NULL CHECK (disabled IN (0, 1))"
    ") STRICT;"
    "CREATE TABLE credential ("
    " id TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 12),"
    " kind INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),"
    " hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
    " owner TEXT NOT NULL CHECK (" BYTES(owner) " BETWEEN 1 AND 255),"
    " robot TEXT REFERENCES robot (name) ON DELETE CASCADE,"
    " comment TEXT NOT NULL CHECK (" BYTES(comment) " <= 255),"
    " service TEXT, client TEXT, stamp TEXT,"
    " networks TEXT NOT NULL CHECK (" BYTES(networks) " <= 1024),"
    " rights TEXT NOT NULL CHECK (" BYTES(rights) " <= 4096),"
    " created INTEGER NOT NULL CHECK (created > 0),"
    " expires INTEGER CHECK (expires >= created),"
    " used INTEGER CHECK (used > 0),"
    " CHECK ((kind = 2) = (robot IS NOT NULL)),"
    " CHECK (robot IS NULL OR robot = owner),"
    " CHECK (kind = 2 OR owner NOT LIKE 'robot$%'),"
    " CHECK (kind <> 2 OR (networks = '' AND rights = '')),"
    " CHECK ((kind = 3) = (service IS NOT NULL)),"
    " CHECK (kind <> 3 OR (expires IS NOT NULL AND rights = ''))"
    ") STRICT;"
    "CREATE INDEX credential_owner ON credential (owner, created);"
    "CREATE INDEX credential_robot ON credential (robot);"
    "CREATE INDEX credential_expires ON credential (expires);"
    "PRAGMA application_id = " NUMBER(APPLICATION) ";"
    "PRAGMA user_version = " NUMBER(VERSION_KNOWN) ";";

/* ---- statements ---- */

enum vault_result
vault_db_result(struct vault_db *db, int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
		return VAULT_OK;
	snprintf(db->error, sizeof(db->error), "%s", sqlite3_errmsg(db->sql));
	return rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
	    rc == SQLITE_CONSTRAINT_UNIQUE ? VAULT_EXISTS : VAULT_FAILED;
}

/*
 * What goes on in a file that has lost its name is lost with the process, and
 * what its place has now is not seen: then nothing goes on.
 */
bool
vault_db_moved(struct vault_db *db)
{
	int	 moved = 0;

	if (sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_HAS_MOVED,
	    &moved) != SQLITE_OK || moved == 0)
		return false;
	snprintf(db->error, sizeof(db->error), "the file was replaced or "
	    "removed while it was open: authd has to be started anew");
	return true;
}

sqlite3_stmt *
vault_db_prepare(struct vault_db *db, const char *text)
{
	sqlite3_stmt	*stmt = NULL;

	if (vault_db_moved(db))
		return NULL;
	vault_db_result(db, sqlite3_prepare_v2(db->sql, text, -1, &stmt,
	    NULL));
	return stmt;
}

enum vault_result
vault_db_run(struct vault_db *db, sqlite3_stmt *stmt)
{
	enum vault_result	 result;

	if (stmt == NULL)
		return VAULT_FAILED;
	result = vault_db_result(db, sqlite3_step(stmt));
	sqlite3_finalize(stmt);
	return result;
}

enum vault_result
vault_db_exec(struct vault_db *db, const char *text)
{
	return vault_db_moved(db) ? VAULT_FAILED : vault_db_result(db,
	    sqlite3_exec(db->sql, text, NULL, NULL, NULL));
}

enum vault_result
vault_db_finish(struct vault_db *db, enum vault_result result)
{
	if (result == VAULT_OK)
		result = vault_db_exec(db, "COMMIT");
	/* Some errors have undone all already; then there is nothing to. */
	if (result != VAULT_OK && sqlite3_get_autocommit(db->sql) == 0)
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

enum vault_result
vault_db_number(struct vault_db *db, sqlite3_stmt *stmt, int64_t *n)
{
	enum vault_result	 result;
	int			 rc;

	if (stmt == NULL)
		return VAULT_FAILED;
	rc = sqlite3_step(stmt);
	result = vault_db_result(db, rc);
	if (rc == SQLITE_ROW)
		*n = sqlite3_column_int64(stmt, 0);
	else if (result == VAULT_OK)
		result = VAULT_NOTFOUND;
	sqlite3_finalize(stmt);
	return result;
}

void
vault_db_bind_text(sqlite3_stmt *stmt, int column, const char *text)
{
	if (*text == '\0')
		sqlite3_bind_null(stmt, column);
	else
		sqlite3_bind_text(stmt, column, text, -1, SQLITE_STATIC);
}

void
vault_db_bind_time(sqlite3_stmt *stmt, int column, int64_t when)
{
	if (when == 0)
		sqlite3_bind_null(stmt, column);
	else
		sqlite3_bind_int64(stmt, column, when);
}

int
vault_db_text(sqlite3_stmt *stmt, int column, char *dst, size_t size)
{
	bool			 absent;
	const unsigned char	*text;

	absent = sqlite3_column_type(stmt, column) == SQLITE_NULL;
	text = sqlite3_column_text(stmt, column);
	/* Without memory for it: "" may mean more than what is there. */
	if (text == NULL && !absent)
		return -1;
	return str_copy(dst, size, absent ? "" : (const char *)text);
}

const char *
vault_db_error(const struct vault_db *db)
{
	return db->error;
}

/* ---- the lock ---- */

/*
 * A file of its own: the system forgets what SQLite has locked as soon as
 * any other descriptor of the database is closed.
 */
static int
open_beside(const char *path, const char *suffix)
{
	char	 name[PATH_MAX];

	if (snprintf(name, sizeof(name), "%s%s", path, suffix) >=
	    (int)sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK, 0600);
}

/* -1 with EWOULDBLOCK: others have it. */
static int
take_lock(int fd, bool alone, unsigned wait_ms)
{
	struct timespec	 step = { .tv_nsec = LOCK_STEP_MS * 1000000 };
	unsigned	 waited = 0;

	for (;;) {
		if (flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK || waited >= wait_ms)
			return -1;
		nanosleep(&step, NULL);
		waited += LOCK_STEP_MS;
	}
}

static int
open_files(struct vault_db *db, const char *path, bool alone,
    unsigned wait_ms, char *error, size_t errsize)
{
	char		 copy[PATH_MAX];
	struct stat	 dir;
	int		 fd;

	if (str_copy(copy, sizeof(copy), path) == -1 ||
	    stat(dirname(copy), &dir) == -1) {
		snprintf(error, errsize, "%s: the directory: %s", path,
		    strerror(errno));
		return -1;
	}
	if ((db->lock = open_beside(path, ".lock")) == -1) {
		snprintf(error, errsize, "%s.lock: %s", path,
		    strerror(errno));
		return -1;
	}
	if (take_lock(db->lock, alone, wait_ms) == -1) {
		snprintf(error, errsize, "%s.lock: %s", path,
		    errno == EWOULDBLOCK ? "another process works on the "
		    "database" : strerror(errno));
		return -1;
	}
	if ((fd = open_beside(path, "")) == -1) {
		snprintf(error, errsize, "%s: %s", path, strerror(errno));
		return -1;
	}
	close(fd);
	return 0;
}

/* ---- opening ---- */

static enum vault_result
pragma_number(struct vault_db *db, const char *text, int64_t *n)
{
	return vault_db_number(db, vault_db_prepare(db, text), n);
}

static enum vault_result
make_tables(struct vault_db *db)
{
	if (vault_db_exec(db, "BEGIN IMMEDIATE") != VAULT_OK)
		return VAULT_FAILED;
	return vault_db_finish(db, vault_db_exec(db, schema));
}

/* A text of the database's own about what is damaged, "ok" when nothing is. */
static bool
is_whole(struct vault_db *db)
{
	sqlite3_stmt	*stmt = vault_db_prepare(db, "PRAGMA quick_check(1)");
	bool		 whole = false;

	if (stmt == NULL)
		return false;
	if (vault_db_result(db, sqlite3_step(stmt)) == VAULT_OK) {
		vault_db_text(stmt, 0, db->error, sizeof(db->error));
		whole = strcmp(db->error, "ok") == 0;
	}
	sqlite3_finalize(stmt);
	return whole;
}

/* NULL, or what is wrong with it. */
static const char *
check_database(struct vault_db *db)
{
	int64_t	 application = 0, version = 0, tables = 0;

	if (pragma_number(db, "PRAGMA application_id", &application) !=
	    VAULT_OK ||
	    pragma_number(db, "PRAGMA user_version", &version) != VAULT_OK ||
	    pragma_number(db, "SELECT count(*) FROM sqlite_schema",
	    &tables) != VAULT_OK)
		return db->error;
	if (application == 0 && version == 0 && tables == 0)
		return make_tables(db) == VAULT_OK ? NULL : db->error;
	if (application != APPLICATION)
		return "this is not a database of authd's credentials";
	if (version > VERSION_KNOWN) {
		snprintf(db->error, sizeof(db->error), "a newer authd has "
		    "made it: its version is %lld, and this authd knows %d "
		    "and older", (long long)version, VERSION_KNOWN);
		return db->error;
	}
	return is_whole(db) ? NULL : db->error;
}

/* What the file says is data, and nothing in it is run. */
static const char *
set_up(struct vault_db *db)
{
	static const char	 pragmas[] =
	    "PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = FULL;"
	    "PRAGMA foreign_keys = ON;"
	    "PRAGMA trusted_schema = OFF;"
	    "PRAGMA cell_size_check = ON;"
	    "PRAGMA secure_delete = ON;"
	    "PRAGMA temp_store = MEMORY;";

	sqlite3_extended_result_codes(db->sql, 1);
	sqlite3_busy_timeout(db->sql, BUSY_MS);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return vault_db_exec(db, pragmas) == VAULT_OK ? check_database(db) :
	    db->error;
}

struct vault_db *
vault_db_open(const char *path, bool alone, unsigned wait_ms, char *error,
    size_t errsize)
{
	struct vault_db	*db;
	const char	*wrong;

	if ((db = calloc(1, sizeof(*db))) == NULL) {
		snprintf(error, errsize, "out of memory");
		return NULL;
	}
	db->lock = -1;
	if (open_files(db, path, alone, wait_ms, error, errsize) == -1)
		goto fail;
	if (sqlite3_open_v2(path, &db->sql, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		wrong = db->sql == NULL ? "out of memory" :
		    sqlite3_errmsg(db->sql);
	else
		wrong = set_up(db);
	if (wrong == NULL) {
		vault_db_changed(db);
		return db;
	}
	snprintf(error, errsize, "%s: %s", path, wrong);
fail:
	vault_db_close(db);
	return NULL;
}

void
vault_db_close(struct vault_db *db)
{
	if (db == NULL)
		return;
	sqlite3_finalize(db->find);
	sqlite3_close(db->sql);
	if (db->lock != -1)
		close(db->lock);
	free(db);
}

bool
vault_db_changed(struct vault_db *db)
{
	int64_t	 version = 0;
	int	 old = db->version;

	/* When it cannot be told, it may have. */
	if (pragma_number(db, "PRAGMA data_version", &version) != VAULT_OK)
		return true;
	db->version = (int)version;
	return db->version != old;
}
