/* SPDX-License-Identifier: ISC */
/*
 * A database of credentials in a directory of its own, for the tests of
 * vault_db.  Included after <cmocka.h>.
 */
#ifndef VAULT_PLACE_H
#define VAULT_PLACE_H

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vault_db.h"

#define NOW	INT64_C(1700000000)
#define DAY	INT64_C(86400)

struct place {
	char	 dir[64], path[96];
};

static inline int
setup(void **state)
{
	struct place	*place = calloc(1, sizeof(*place));

	snprintf(place->dir, sizeof(place->dir), "/tmp/vault-db.XXXXXX");
	if (mkdtemp(place->dir) == NULL)
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/c.db", place->dir);
	*state = place;
	return 0;
}

static inline int
teardown(void **state)
{
	static const char *const	 suffixes[] = { "", "-wal", "-shm",
	    ".lock" };
	struct place			*place = *state;
	char				 path[128];
	size_t				 i;

	chmod(place->dir, 0700);
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", place->path, suffixes[i]);
		unlink(path);
	}
	i = (size_t)rmdir(place->dir);
	free(place);
	return i == 0 ? 0 : -1;
}

static inline struct vault_db *
open_alone(const struct place *place)
{
	struct vault_db	*db;
	char		 error[256] = "";

	db = vault_db_open(place->path, true, 0, error, sizeof(error));
	if (db == NULL)
		fail_msg("%s", error);
	return db;
}

/* It is refused, and the reason has this text. */
static inline void
assert_refused(const struct place *place, const char *text)
{
	char	 error[256] = "";

	assert_null(vault_db_open(place->path, true, 0, error,
	    sizeof(error)));
	if (strstr(error, text) == NULL)
		fail_msg("want \"%s\" in: %s", text, error);
}

static inline void
make_hash(unsigned n, unsigned char hash[CREDENTIAL_HASH_SIZE])
{
	memset(hash, 0, CREDENTIAL_HASH_SIZE);
	memcpy(hash, &n, sizeof(n));
}

static inline struct vault_credential
credential(unsigned n, enum credential_kind kind, const char *owner)
{
	struct vault_credential	 c;

	memset(&c, 0, sizeof(c));
	snprintf(c.id, sizeof(c.id), "%012u", n);
	c.kind = kind;
	snprintf(c.owner, sizeof(c.owner), "%s", owner);
	c.created = NOW + n;
	c.expires = NOW + 90 * DAY;
	if (kind == CREDENTIAL_REFRESH)
		snprintf(c.service, sizeof(c.service), "registry");
	return c;
}

static inline enum vault_result
add(struct vault_db *db, unsigned n, enum credential_kind kind,
    const char *owner)
{
	struct vault_credential	 c = credential(n, kind, owner);
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];

	make_hash(n, hash);
	return vault_db_add(db, &c, hash);
}

static inline enum vault_result
find(struct vault_db *db, unsigned n, struct vault_credential *c)
{
	unsigned char	 hash[CREDENTIAL_HASH_SIZE];

	make_hash(n, hash);
	return vault_db_find(db, hash, c);
}

static inline enum vault_result
add_robot(struct vault_db *db, unsigned n, const char *name)
{
	struct vault_robot	 robot;
	struct vault_credential	 c = credential(n, CREDENTIAL_ROBOT, name);
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];

	memset(&robot, 0, sizeof(robot));
	snprintf(robot.name, sizeof(robot.name), "%s", name);
	snprintf(robot.networks, sizeof(robot.networks), "10.0.0.0/8");
	snprintf(robot.rights, sizeof(robot.rights), "ci/**:pull,push");
	robot.created = NOW;
	make_hash(n, hash);
	return vault_db_robot_add(db, &robot, &c, hash);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
