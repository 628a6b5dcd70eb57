/* SPDX-License-Identifier: ISC */
/*
 * The operating system's sandbox, by level: the caller names what it is, not
 * which system calls it wants.  One file per system.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

enum sandbox_level {
	SANDBOX_PARENT,		/* start children, bind, open */
	SANDBOX_NET_WORKER,	/* network, read-only store fd; authd: none */
	SANDBOX_KEEPER,		/* writes beneath one directory fd */
	SANDBOX_BROKER,		/* messages only */
	SANDBOX_VERIFIER,	/* computing only */
	SANDBOX_VERIFIER_LDAP,	/* connections to directories */
	SANDBOX_VERIFIER_PAM,	/* what PAM modules need */
	SANDBOX_SIGNER,		/* computing only */
	SANDBOX_VAULT		/* authd: files beneath one directory */
};

/* No return from a level.  Exits when the system refuses. */
void		 sandbox_enter(enum sandbox_level);
/* "none", "seccomp+landlock", ...: for the start-up line. */
const char	*sandbox_name(void);

#endif
