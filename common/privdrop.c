/* SPDX-License-Identifier: ISC */
/*
 * Giving up privilege, in the children, before they read their first
 * message; and, in the parent, finding out which user a child becomes.
 */
#include "privdrop.h"

#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "log.h"
#include "str.h"

/*
 * The directory loses its name before it becomes the root, so nobody can
 * put anything into it any more.
 */
static void
enter_empty_root(void)
{
	static const char *const places[] = { "/run", "/var/run", "/tmp",
	    "/var/tmp" };
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/empty.XXXXXXXXXX", places[i]);
		if (mkdtemp(path) != NULL)
			break;
	}
	if (i == sizeof(places) / sizeof(places[0]))
		fatal("no place for an empty root directory: %s", path);
	if (chdir(path) == -1)
		fatal("chdir %s", path);
	if (rmdir(path) == -1)
		fatal("rmdir %s", path);
	if (chroot(".") == -1)
		fatal("chroot");
	if (chdir("/") == -1)
		fatal("chdir");
}

static bool
has_gid(const gid_t *gids, size_t n, gid_t gid)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (gids[i] == gid)
			return true;
	return false;
}

/* Refuse to run with anything left that was not meant to be kept. */
static void
verify(const struct proc_args *args)
{
	gid_t have[PROC_MAX_GROUPS + 1];
	int i, n;

	if (getuid() != args->uid || geteuid() != args->uid ||
	    getgid() != args->gids[0] || getegid() != args->gids[0])
		fatalx("user was not changed");
	if (setuid(0) != -1 || seteuid(0) != -1)
		fatalx("the way back to root is open");
	if (args->gids[0] != 0 && (setgid(0) != -1 || setegid(0) != -1))
		fatalx("the way back to group 0 is open");
	if ((n = getgroups(PROC_MAX_GROUPS + 1, have)) == -1)
		fatal("getgroups");
	for (i = 0; i < n; i++)
		if (!has_gid(args->gids, args->ngids, have[i]))
			fatalx("group %u was kept", (unsigned)have[i]);
	for (i = 0; i < (int)args->ngids; i++)
		if (args->gids[i] != getgid() &&
		    !has_gid(have, (size_t)n, args->gids[i]))
			fatalx("group %u is missing", (unsigned)args->gids[i]);
}

static void
drop(const struct proc_args *args, bool empty_root)
{
	if (args->drop) {
		if (args->uid == 0 || args->ngids == 0)
			fatalx("no user to change to");
		if (empty_root)
			enter_empty_root();
		if (setgroups(args->ngids, args->gids) == -1 ||
		    setgid(args->gids[0]) == -1 || setuid(args->uid) == -1)
			fatal("cannot change to user %u", (unsigned)args->uid);
		verify(args);
	}
	if (compat_lock_process() == -1)
		fatal("cannot give up privilege");
	compat_die_with_parent();
}

void
privdrop(const struct proc_args *args)
{
	drop(args, true);
}

void
privdrop_keep_root(const struct proc_args *args)
{
	drop(args, false);
}

/* "uid" or "uid:gid" in digits: 1, not of that form: 0, wrong: -1. */
static int
lookup_digits(const char *user, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw;
	const char *colon;
	uint64_t u, g;
	size_t len;

	len = strcspn(user, ":");
	colon = user[len] == ':' ? user + len + 1 : NULL;
	if (str_parse_u64(user, len, UINT_MAX - 1, &u) == -1)
		return 0;
	if (colon != NULL) {
		if (str_parse_u64(colon, strlen(colon), UINT_MAX - 1,
		    &g) == -1)
			return -1;
	} else if ((pw = getpwuid((uid_t)u)) != NULL)
		g = pw->pw_gid;
	else
		g = u;
	*uid = (uid_t)u;
	*gid = (gid_t)g;
	return 1;
}

int
privdrop_lookup(const char *user, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw;
	uid_t u = 0;
	gid_t g = 0;
	int digits;

	if ((digits = lookup_digits(user, &u, &g)) == 0) {
		if ((pw = getpwnam(user)) == NULL) {
			errno = ENOENT;
			return -1;
		}
		u = pw->pw_uid;
		g = pw->pw_gid;
	}
	if (digits == -1 || u == 0 || g == 0) {
		errno = EINVAL;
		return -1;
	}
	*uid = u;
	*gid = g;
	return 0;
}

int
privdrop_groups(const char *user, gid_t gids[PROC_MAX_GROUPS], size_t *ngids)
{
	uid_t uid;
	int n = PROC_MAX_GROUPS;

	if (privdrop_lookup(user, &uid, &gids[0]) == -1)
		return -1;
	*ngids = 1;
	if (getpwnam(user) == NULL)
		return 0;
	if (getgrouplist(user, gids[0], gids, &n) == -1) {
		errno = ENOSPC;
		return -1;
	}
	*ngids = (size_t)n;
	return 0;
}
