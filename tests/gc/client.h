/* SPDX-License-Identifier: ISC */
/*
 * A process of gcstress that pushes, pulls and deletes, by the functions that
 * workers and keepers use, until it is told to stop or dies.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdint.h>

#include "store.h"

struct client {
	struct store	*store;
	unsigned	 slot;
	uint64_t	 random;	/* state */
};

uint64_t client_random(struct client *, uint64_t below);
uint64_t client_now_ms(void);

/* Stop, kill or delay this process at some later calls, by its own dice. */
void	 client_disturb(struct client *);
void	 client_main(struct client *) __attribute__((__noreturn__));

/* client_pull.c */
void	 client_pull(struct client *);
void	 client_pull_tag(struct client *);
/* A worker's look at a blob: OK, NOTFOUND, or no answer. */
enum store_result client_see_blob(struct client *, unsigned repo,
		    unsigned blob, uint64_t renew_ms, int *fd);

#endif
