/* SPDX-License-Identifier: ISC */
/* Reads back through the registry what the clients were promised. */
#ifndef POWERCUT_CHECK_H
#define POWERCUT_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load;

enum finding {
	FINDING_LOST,		/* acknowledged, and not there */
	FINDING_BACK,		/* deleted, acknowledged, and there again */
	FINDING_WRONG,		/* other bytes, or another target */
	FINDING_ANSWER,		/* neither there nor not there: 500, ... */
	FINDING_UPLOAD,		/* an open one that goes wrong */
	FINDING_KINDS
};

#define CHECK_TEXT_MAX	8192

struct check {
	size_t	 objects;	/* looked at */
	size_t	 acked;		/* of them, a promise that had been given */
	size_t	 collected;	/* of them, garbage by now, and gone */
	size_t	 findings[FINDING_KINDS];
	char	 text[CHECK_TEXT_MAX];	/* a line for each finding */
};

/*
 * Compare the registry at the port with what may be there after a cut at
 * that time.  settle: this is the state that the load goes on with, so that
 * what is found is what is known from here on.
 */
void		 check_run(struct load *, uint16_t port, uint64_t cut,
		    bool settle, struct check *);
size_t		 check_findings(const struct check *);
const char	*finding_name(enum finding);

#endif
