/* SPDX-License-Identifier: ISC */
/*
 * Arguments of commands (vault_command.h): each is checked as it is read, and
 * the first that is wrong is what the command is refused for.
 */
#ifndef VAULT_ARGUMENTS_H
#define VAULT_ARGUMENTS_H

#include "vault_command.h"

struct vault_call {
	struct vault_db		*db;
	const struct vault_limits *limits;
	json_t			*request;	/* only read */
	int64_t			 now;
	struct vault_outcome	*out;
};

void	 vault_refuse(const struct vault_call *, const char *fmt, ...)
	    __attribute__((__format__(printf, 2, 3)));
bool	 vault_refused(const struct vault_call *);
/* Has it only these arguments: " a b "?  Else it is refused. */
bool	 vault_known(const struct vault_call *, const char *names);

/* A text without control characters; "" when it is absent. */
void	 vault_text(const struct vault_call *, const char *key, char *dst,
	    size_t size, bool needed);
void	 vault_user(const struct vault_call *, const char *key,
	    char user[MAX_USER + 1]);
void	 vault_robot_name(const struct vault_call *, char name[MAX_USER + 1]);
void	 vault_hash(const struct vault_call *,
	    unsigned char hash[CREDENTIAL_HASH_SIZE]);
void	 vault_networks(const struct vault_call *,
	    char dst[VAULT_NETWORKS_MAX + 1]);
void	 vault_rights(const struct vault_call *,
	    char dst[VAULT_RIGHTS_MAX + 1], bool needed);
/* Stays as it is when the argument is absent. */
void	 vault_seconds(const struct vault_call *, const char *key, int64_t *);
/* When a new one ends; 0: never. */
int64_t	 vault_lifetime_end(const struct vault_call *);
/* A kind, 0: any. */
int	 vault_kind(const struct vault_call *);
void	 vault_cursor(const struct vault_call *, struct vault_cursor *);

#endif
