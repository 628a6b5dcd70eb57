/* SPDX-License-Identifier: ISC */
/*
 * Requests at the control socket: a line as control.c takes it.  Whatever is
 * asked, there is one of a result and an error, and the database stays one
 * that opens again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

#include "vault_command.h"

#define NOW	1700000000
#define FRESH	2000			/* runs with one database */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char		 dir[64], path[96];
static struct vault_db	*db;

static void
remove_database(void)
{
	static const char *const	 suffixes[] = { "", "-wal", "-shm",
	    ".lock" };
	char				 name[128];
	size_t				 i;

	vault_db_close(db);
	db = NULL;
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
	rmdir(dir);
}

static void
open_database(void)
{
	static unsigned	 runs;
	char		 error[256];

	if (runs++ % FRESH != 0 && db != NULL)
		return;
	if (db == NULL)
		atexit(remove_database);
	else
		remove_database();
	snprintf(dir, sizeof(dir), "/tmp/fuzz-vault.XXXXXX");
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/c.db", dir);
	db = vault_db_open(path, true, 0, error, sizeof(error));
	if (db == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct vault_limits	 limits = { 3600, 86400 };
	struct vault_outcome			 out;
	json_t					*request;
	char					 error[128];

	request = control_parse((const char *)data, size, error,
	    sizeof(error));
	if (request == NULL)
		return 0;
	open_database();
	vault_command(db, &limits, json_string_value(json_object_get(request,
	    "command")), request, NOW, &out);
	if ((out.result == NULL) != (out.error[0] != '\0') ||
	    strlen(out.error) >= VAULT_COMMAND_ERROR)
		abort();
	json_decref(out.result);
	json_decref(request);
	return 0;
}
