/* SPDX-License-Identifier: ISC */
/*
 * What the system knows about a user beside his password: his number and his
 * groups.  Asks the name service, which may take its time; runs in the PAM
 * helper.
 */
#include "cred_pam.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "secret.h"

#define FIRST_SIZE	4096
#define MAX_HASH	1024
#define MAX_SIZE	((size_t)1 << 20)

enum cred_pam_account
cred_pam_account(const char *user, uid_t *uid, gid_t *gid)
{
	enum cred_pam_account	 result = ACCOUNT_ERROR;
	struct passwd		 entry, *found = NULL;
	char			*text = NULL, *more;
	size_t			 size;
	int			 error = ERANGE;

	for (size = FIRST_SIZE; error == ERANGE && size <= MAX_SIZE;
	    size *= 4) {
		if ((more = realloc(text, size)) == NULL)
			break;
		text = more;
		error = getpwnam_r(user, &entry, text, size, &found);
	}
	if (found != NULL) {
		*uid = found->pw_uid;
		*gid = found->pw_gid;
		result = ACCOUNT_FOUND;
	} else if (error == 0 || error == ENOENT || error == ESRCH) {
		result = ACCOUNT_NONE;
	}
	free(text);
	return result;
}

/* *name is malloc()ed, NULL for a group without one; -1: could not be told. */
static int
group_name(gid_t gid, char **name)
{
	struct group	 entry, *found = NULL;
	char		*text = NULL, *more;
	size_t		 size;
	int		 error = ERANGE;

	*name = NULL;
	for (size = FIRST_SIZE; error == ERANGE && size <= MAX_SIZE;
	    size *= 4) {
		if ((more = realloc(text, size)) == NULL)
			break;
		text = more;
		error = getgrgid_r(gid, &entry, text, size, &found);
	}
	if (found != NULL)
		error = (*name = strdup(found->gr_name)) == NULL ? ENOMEM : 0;
	free(text);
	if (*name != NULL)
		return 0;
	return error == 0 || error == ENOENT || error == ESRCH ? 0 : -1;
}

int
cred_pam_groups(const char *user, gid_t gid, struct cred_answer *answer)
{
	gid_t	 gids[CRED_MAX_GROUPS];
	char	*name;
	size_t	 bytes = 0;
	int	 i, n = CRED_MAX_GROUPS;

	if (getgrouplist(user, gid, gids, &n) == -1)
		return -1;
	answer->groups = calloc((size_t)n + 1, sizeof(*answer->groups));
	if (answer->groups == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		if (group_name(gids[i], &name) == -1)
			return -1;
		if (name == NULL)
			continue;
		answer->groups[answer->ngroups++] = name;
		bytes += strlen(name) + sizeof(uint32_t);
		if (strlen(name) > CRED_MAX_USER ||
		    bytes > CRED_PAM_MAX_GROUP_BYTES)
			return -1;
	}
	return 0;
}

void
cred_pam_stamp(struct cred_answer *answer)
{
	char	 hash[MAX_HASH];

	if (compat_password_hash(answer->user, hash, sizeof(hash)) == -1)
		return;
	cred_answer_stamp(answer, hash);
	secret_wipe(hash, sizeof(hash));
}

/* "!" before a hash; alone it is that of who never had a password here. */
bool
cred_pam_is_locked(const char *user)
{
	char	 hash[MAX_HASH];
	bool	 locked;

	if (compat_password_hash(user, hash, sizeof(hash)) == -1)
		return false;
	locked = *hash == '!' && strchr(hash, '$') != NULL;
	secret_wipe(hash, sizeof(hash));
	return locked;
}
