/* SPDX-License-Identifier: ISC */
/*
 * The parts of the database to each other; nobody outside vault_db*.c
 * includes this.
 */
#ifndef VAULT_DB_SQL_H
#define VAULT_DB_SQL_H

#include <sqlite3.h>

#include "vault_db.h"

struct vault_db {
	sqlite3		*sql;
	sqlite3_stmt	*find;		/* prepared once: it is the hot one */
	int		 lock;		/* descriptor of the lock file */
	int		 version;	/* data_version when last looked */
	char		 error[256];
};

/* What a result of SQLite means; the text of an error is kept. */
enum vault_result vault_db_result(struct vault_db *, int rc);
/* Has it another file, or none, by its name?  Then that is the error. */
bool		 vault_db_moved(struct vault_db *);
/* A statement, or NULL: VAULT_FAILED. */
sqlite3_stmt	*vault_db_prepare(struct vault_db *, const char *text);
/* Run a statement that gives no rows, and free it. */
enum vault_result vault_db_run(struct vault_db *, sqlite3_stmt *);
/* All statements of a text, one after the other. */
enum vault_result vault_db_exec(struct vault_db *, const char *text);
/* Commit, or with any other result than VAULT_OK undo; the result. */
enum vault_result vault_db_finish(struct vault_db *, enum vault_result);
/* One number. */
enum vault_result vault_db_number(struct vault_db *, sqlite3_stmt *,
		    int64_t *);

/* "" is bound as NULL where the column is absent then. */
void		 vault_db_bind_text(sqlite3_stmt *, int column, const char *);
/* 0 is bound as NULL. */
void		 vault_db_bind_time(sqlite3_stmt *, int column, int64_t);
/* NULL reads as "" and 0; -1: longer than it may be, or no memory. */
int		 vault_db_text(sqlite3_stmt *, int column, char *dst,
		    size_t size);

/* ---- vault_db_credential.c ---- */
/* Within a transaction. */
enum vault_result vault_db_insert(struct vault_db *,
		    const struct vault_credential *,
		    const unsigned char hash[CREDENTIAL_HASH_SIZE]);

#endif
