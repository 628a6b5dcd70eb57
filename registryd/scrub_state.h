/* SPDX-License-Identifier: ISC */
/*
 * Shared by the scrub*.c files only: the state of a scrub, and what its parts
 * use of each other.
 */
#ifndef SCRUB_STATE_H
#define SCRUB_STATE_H

#include "layout.h"
#include "scrub.h"

#define SCRUB_BUFFER_SIZE	(256u * 1024)
#define SCRUB_NAME_SIZE		256

struct scrub {
	struct store	*store;
	struct scrub_options options;
	struct scrub_report report;
	bool		 quarantine;	/* that is looked at first */
	unsigned	 place;		/* algorithm and shard: 0 .. 511 */
	char		**names;
	size_t		 n, next;
	bool		 listed, more;
	char		 last[SCRUB_NAME_SIZE];	/* of the page before */
	char		 passed[SCRUB_NAME_SIZE];	/* judged last; "" */
	/* the file at hand */
	bool		 open;
	int		 fd;
	char		 path[LAYOUT_PATH_SIZE];
	struct digest	 digest;
	struct digest_ctx *hash;
	struct store_stat st;
	uint64_t	 offset;
	bool		 second;	/* it is read once more */
	bool		 refused;	/* its size is not what is noted */
	unsigned char	*buffer;
	/* the rate */
	uint64_t	 allowed, asked_ms;
};

/* A name where a blob or a directory of them belongs, but it is none. */
void		 scrub_strange(struct scrub *, const char *path);

/* ---- scrub_file.c: one file is read and judged ---- */
/* OK with scrub->open, or without: nothing there to be read. */
enum store_result scrub_file_open(struct scrub *, const char *path,
		    const struct digest *);
/* The next bytes; at the end the verdict, and what follows from it. */
enum store_result scrub_file_read(struct scrub *);
void		 scrub_file_close(struct scrub *);

/* ---- scrub_quarantine.c ---- */
/* Wrong bytes leave their name: the file that is open, or none. */
enum store_result scrub_quarantine(struct scrub *);
/* Say beside a file in quarantine what it is. */
enum store_result scrub_note(struct scrub *, const char *moved);
/* Right bytes go back from there. */
enum store_result scrub_return(struct scrub *);
/*
 * The digest in a name there, of which nobody has said yet what it is; false
 * for all others.
 */
bool		 scrub_unjudged(struct scrub *, const char *name,
		    char path[LAYOUT_PATH_SIZE], struct digest *);

#endif
