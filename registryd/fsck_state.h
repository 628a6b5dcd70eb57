/* SPDX-License-Identifier: ISC */
/*
 * Shared by the fsck*.c files only: the state of a run, and what its parts
 * use of each other.
 */
#ifndef FSCK_STATE_H
#define FSCK_STATE_H

#include <sys/stat.h>

#include "fsck.h"
#include "fsck_table.h"
#include "reference.h"

#define FSCK_PATH_SIZE	4096
#define FSCK_DEPTH_MAX	160		/* directories above each other */

struct fsck {
	struct store	*store;
	int		 root;
	struct fsck_options options;
	fsck_found_fn	*found;
	void		*arg;
	struct fsck_report *report;
	enum store_result result;
	uid_t		 owner;		/* of the root directory */
	char		 path[FSCK_PATH_SIZE];	/* where we are */
	size_t		 len;
	unsigned	 depth;
	struct fsck_table blobs;
	/* of the repository at hand */
	char		 repo[REPO_NAME_SIZE];	/* "": in none */
	struct fsck_table layers, revisions;
	struct digest	*todo;		/* revisions to look into */
	size_t		 ntodo, captodo;
	bool		 has_mediatypes;
	unsigned char	*buffer;	/* for hashing */
};

/* ---- fsck.c ---- */
/* A problem at the path where we are. */
void	 fsck_report(struct fsck *, enum fsck_kind, const char *fmt, ...)
	    __attribute__((__format__(printf, 3, 4)));
/* At another path beneath the root. */
void	 fsck_report_at(struct fsck *, enum fsck_kind, const char *path,
	    const char *fmt, ...)
	    __attribute__((__format__(printf, 4, 5)));
/* One more object; tells of progress now and then. */
void	 fsck_count(struct fsck *);
/* A result of the store that is neither OK nor NOTFOUND. */
void	 fsck_unreadable(struct fsck *, const char *path, enum store_result);
/* Out of memory and the like: the run ends. */
void	 fsck_stop(struct fsck *, enum store_result);

/* ---- fsck_walk.c ---- */
/* One more component; give what it returns to fsck_pop(). */
size_t	 fsck_push(struct fsck *, const char *name);
void	 fsck_pop(struct fsck *, size_t);
/*
 * For each name in the directory "name" of dirfd: fn with the open directory
 * and the type of the entry, DT_DIR or DT_REG; others have been reported.
 * The path is that of the entry.  -1 when the directory is not there (or
 * could not be read, which has been reported).
 */
typedef void fsck_name_fn(struct fsck *, int dirfd, const char *name,
	    unsigned char type, void *arg);
int	 fsck_directory(struct fsck *, int dirfd, const char *name,
	    fsck_name_fn *, void *arg);
/* Again, without reporting what the first time has. */
int	 fsck_again(struct fsck *, int dirfd, const char *name,
	    fsck_name_fn *, void *arg);
/* Report unless the entry where we are is of the type. */
bool	 fsck_is(struct fsck *, unsigned char type, unsigned char want);
/* Mode and owner of what is where we are. */
void	 fsck_check_mode(struct fsck *, const struct stat *);
/* A name that belongs to nothing: temporary, foreign or stray. */
void	 fsck_unknown_name(struct fsck *, const char *name);
/* Whole small file; malloc()ed, or NULL and reported (gone: not). */
char	*fsck_read_file(struct fsck *, int dirfd, const char *name,
	    size_t max, struct stat *, size_t *len);
/* The name that a collection has given to "base". */
bool	 fsck_is_condemned(const char *name, const char *base);
/* Does a path beneath the root exist? */
bool	 fsck_exists(struct fsck *, const char *path);

/* ---- fsck_blob.c ---- */
void	 fsck_blobs(struct fsck *);
void	 fsck_unreferenced(struct fsck *);
/* Hash a blob, once: are its bytes right?  False when it is not there. */
bool	 fsck_hash_blob(struct fsck *, const struct digest *);
/* The entry of a blob that has bytes, also if it came after the walk. */
struct fsck_entry *fsck_find_blob(struct fsck *, const struct digest *);

/* ---- fsck_link.c ---- */
/* The digest in a link file, or -1 and reported. */
int	 fsck_link(struct fsck *, int dirfd, const char *name,
	    struct digest *);
/*
 * The tree <alg>/<hex>/link of layers, revisions or a tag's index: fn for
 * each digest that has a link.
 */
typedef void fsck_link_fn(struct fsck *, const struct digest *path,
	    const struct digest *target, unsigned flags, void *arg);
void	 fsck_link_tree(struct fsck *, int dirfd, const char *name,
	    fsck_link_fn *, void *arg);

/* ---- fsck_repo.c, fsck_tag.c, fsck_manifest.c, fsck_upload.c ---- */
void	 fsck_repositories(struct fsck *);
void	 fsck_tags(struct fsck *, int dirfd);
void	 fsck_manifest(struct fsck *, const struct digest *);
void	 fsck_uploads(struct fsck *, int dirfd);
/* The repository has the revision, live or condemned. */
bool	 fsck_has_revision(struct fsck *, const struct digest *);

/* ---- fsck_own.c, fsck_note.c ---- */
void	 fsck_own(struct fsck *);
/*
 * Has the file other names than one, beside those in .registryd/tmp?  There
 * a loss of power may leave the name that it was renamed from.
 */
bool	 fsck_has_other_names(struct fsck *, const struct stat *);
/* The notes in one of "_referrers", "_mediatypes", "_subjects" of a repo. */
bool	 fsck_is_note_tree(const char *name);
void	 fsck_notes(struct fsck *, int dirfd, const char *name);

#endif
