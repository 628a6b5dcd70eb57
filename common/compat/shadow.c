/* SPDX-License-Identifier: ISC */
/*
 * The hash of a user's password as the system has it: in a file of its own
 * where there is one, else in the user's entry, for who may read it.
 */
#include <sys/types.h>

#include <pwd.h>
#if __has_include(<shadow.h>)
#include <shadow.h>
#endif
#include <stddef.h>
#include <string.h>

#include "compat.h"

#define ENTRY_MAX	4096

static const char *
find_hash(const char *user, char *text, size_t size)
{
#if __has_include(<shadow.h>)
	static struct spwd	 entry;
	struct spwd		*found = NULL;

	return getspnam_r(user, &entry, text, size, &found) == 0 &&
	    found != NULL ? found->sp_pwdp : NULL;
#else
	static struct passwd	 entry;
	struct passwd		*found = NULL;

	return getpwnam_r(user, &entry, text, size, &found) == 0 &&
	    found != NULL ? found->pw_passwd : NULL;
#endif
}

int
compat_password_hash(const char *user, char *hash, size_t size)
{
	char		 text[ENTRY_MAX];
	const char	*found = find_hash(user, text, sizeof(text));
	int		 error = -1;

	if (found != NULL && strlen(found) > 1 && strlen(found) < size) {
		memcpy(hash, found, strlen(found) + 1);
		error = 0;
	}
	explicit_bzero(text, sizeof(text));
	return error;
}
