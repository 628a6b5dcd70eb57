/* SPDX-License-Identifier: ISC */
/*
 * Headers of tar archives (POSIX ustar and pax, GNU long names and sizes):
 * enough to write and read the archives in which images travel.
 */
#ifndef TAR_H
#define TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK	512
#define TAR_NAME_SIZE	1024
#define TAR_EXTRA_MAX	65536u		/* bytes of a pax or long-name member */

enum tar_type {
	TAR_FILE,
	TAR_DIRECTORY,
	TAR_PAX,			/* its data is for tar_take_pax() */
	TAR_LONG_NAME,			/* its data is the name of the next */
	TAR_OTHER,			/* links, devices: of no use here */
	TAR_END
};

struct tar_member {
	enum tar_type	 type;
	char		 name[TAR_NAME_SIZE];	/* without leading "./" */
	uint64_t	 size;		/* bytes of data, then padding */
};

/* What extra members said of the next one. */
struct tar_extra {
	char		 name[TAR_NAME_SIZE];	/* "": nothing */
	bool		 has_size;
	uint64_t	 size;
};

/*
 * Take a header apart; what "extra" holds is put over it and cleared, unless
 * the member is itself an extra one.  -1: not a header.
 */
int	 tar_parse(struct tar_member *, const unsigned char block[TAR_BLOCK],
	    struct tar_extra *);
/* The data of an extra member, which lasts until the next.  -1: malformed. */
int	 tar_take_extra(struct tar_extra *, enum tar_type, const char *data,
	    size_t len);
/* Bytes behind the data, up to the next header. */
size_t	 tar_padding(uint64_t size);
/* A file, or with a name that ends in '/' a directory.  -1: name too long. */
int	 tar_format(unsigned char block[TAR_BLOCK], const char *name,
	    uint64_t size);

#endif
