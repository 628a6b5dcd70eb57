/* SPDX-License-Identifier: ISC */
/*
 * What a store driver does: small files and large ones, by path beneath the
 * root, with the durability that the manual promises.  Paths are built by
 * layout.c from checked parts only; "/"-separated, never absolute, without
 * empty, "." or ".." components; the driver refuses others and never follows
 * a symbolic link.
 *
 * Used by keepers and the collector for writing, by workers for reading
 * (their store is opened read-only: every writing call is STORE_READONLY).
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum store_result {
	STORE_OK,
	STORE_NOTFOUND,
	STORE_EXISTS,
	STORE_MISMATCH,		/* digest, size or offset differs */
	STORE_BUSY,		/* another request holds the session */
	STORE_INVALID,		/* what is stored makes no sense */
	STORE_TOOBIG,
	STORE_NOSPACE,
	STORE_READONLY,
	STORE_NOMEM,
	STORE_LIMIT,		/* out of descriptors or of a cap of ours */
	STORE_MISSING,		/* a referenced object is absent */
	STORE_GONE,		/* the keeper died or did not answer */
	STORE_UNAVAILABLE,	/* the storage is not reached for now */
	STORE_REMOVED,		/* while it was being put */
	STORE_DENIED,		/* the system does not permit it */
	STORE_IO,
	/* Of a step, never sent: it waits for a barrier; */
	STORE_AGAIN,
	STORE_MORE,		/* has more to do, and has taken its time; */
	STORE_LOCKED		/* found a lock held: to be tried again */
};
#define STORE_RESULT_MAX	STORE_IO	/* of those that are sent */
const char	*store_result_text(enum store_result);
/* The result that an errno stands for; errno itself stays for logs. */
enum store_result store_result_errno(int);
/* IO or DENIED: this file, or this call, does not work; others may. */
bool		 store_result_is_io(enum store_result);

enum store_durability { STORE_FULL, STORE_BATCH, STORE_NONE };

struct store;			/* a driver and its root */

struct store_stat {
	uint64_t	 size;
	time_t		 mtime;
	uint32_t	 mtime_nsec;
	uint64_t	 ino, dev;
	bool		 is_dir;
	bool		 shared;	/* a file with another name */
};

/*
 * Store on a directory; takes ownership of rootfd.  "path" is for messages.
 */
struct store	*store_fs_new(int rootfd, const char *path, bool writable,
		    enum store_durability);
void		 store_free(struct store *);
const char	*store_path(const struct store *);

/* ---- reading ---- */
/*
 * Open a regular file for reading: *fd is the caller's.  INVALID as well when
 * it is longer or shorter than store_mark() was told.
 */
enum store_result store_open(struct store *, const char *path, int *fd,
		    struct store_stat *);
enum store_result store_stat(struct store *, const char *path,
		    struct store_stat *);
/* Whole file of at most max bytes; malloc()ed, NUL behind. */
enum store_result store_read(struct store *, const char *path, size_t max,
		    char **data, size_t *len);
/*
 * Names in a directory that are greater than "after" (NULL: all), in byte
 * order, at most n; the driver reads the directory once and keeps only n.
 * Names that start with '.', and files whose name ends in ".tmp", are left
 * out.  names is an array of malloc()ed strings: store_names_free().  *more:
 * there are others.
 */
enum store_result store_list(struct store *, const char *path,
		    const char *after, size_t n, char ***names,
		    size_t *nnames, bool *more);
void		 store_names_free(char **, size_t);

/*
 * ---- durability ----
 *
 * What a writing call has done is durable when it returns STORE_OK in mode
 * full, and after the next barrier in mode batch, where one barrier serves
 * many clients.  Mode none promises nothing and waits for nothing.
 *
 * A commit of several edges goes in steps: a function xxx_step() does what
 * may become durable together and returns STORE_AGAIN where a barrier must
 * be passed before it is called again.  STORE_OK from a step means done and
 * durable, so one that wrote something last returns STORE_AGAIN first, if
 * store_batched(); in the other modes it need not, and goes through at once.
 * Locks are never held from one step to the next.
 *
 * A step that has done as much as one may at a time returns STORE_MORE, and
 * is called again after others had their turn.  In a store that does not wait
 * for locks (store_lock()) a step that finds one held has changed nothing
 * that the same step could not do again, and returns STORE_LOCKED.
 */
#define STORE_SLICE_MS		20	/* of a step that may return MORE */
bool		 store_batched(const struct store *);
/* Not mode none. */
bool		 store_promises(const struct store *);
/*
 * All that was written before is durable; STORE_OK at once when nothing
 * was, and in the other modes.
 */
enum store_result store_barrier(struct store *);
/*
 * The same, and also for what other processes of this host have written,
 * where the file system can; nothing in mode none.  For whoever removes
 * something because what referred to it was seen to be gone: that must be on
 * the disk first.
 *
 * It does not reach what is only in another host's memory, and need not where
 * a host sees what another has changed only when that is stable: on NFS (a
 * server answers a removal or rename when it is on the disk, unless the
 * export is "async"), and on cluster file systems, which write a host's
 * changes back before another may read them.  On any other, a deletion that
 * another host has not acknowledged may be undone by the power after it was
 * seen here.  Collection is safe even so if hosts write back within
 * registryd.collect.delay, because it removes only what two runs so far apart
 * have found without a reference; a DELETE of a blob at once after one of its
 * manifest, by another host, is not.
 */
enum store_result store_sync_all(struct store *);
/*
 * How a name gets to the disk; asked once, at the start, for the log.  ALONE
 * in mode none, too, and in a store that is not written to.
 */
enum store_name_sync {
	STORE_NAME_ALONE,	/* its directory is synced */
	STORE_NAME_WITH_ALL,	/* no directory can be: all is, which is slow */
	STORE_NAME_NOT		/* nor that; the power may take it */
};
enum store_name_sync store_name_sync(struct store *);
/*
 * A directory or the file system could not be synced: nobody knows what is
 * on the disk.  The errno, or 0.  From then on every writing call of this
 * process is STORE_READONLY; the process is to be replaced.
 */
int		 store_failure(const struct store *);
/*
 * Make a file durable that another request has made, bytes and name, as a
 * writing call would: what is visible may not be on the disk yet, and its
 * maker may never have meant it to be.  Known without any clock: the file
 * says so (STORE_TELL, or this function before), or this process has done
 * it; else it is synced, once.  NOTFOUND.
 */
enum store_result store_settle(struct store *, const char *path);

/* ---- writing ---- */
#define STORE_REPLACE	0x01u		/* an existing file gives way */
#define STORE_NOSYNC	0x02u		/* may be lost with the power */
#define STORE_NONAME	0x04u		/* its name may be, its bytes not */
#define STORE_SETTLED	0x08u		/* a tree: not emptied before that */
#define STORE_LATER	0x20u		/* a tree: emptied by the sweep */
#define STORE_LEFT	0x40u		/* a move: gone from where it was */
/*
 * When bytes and name are durable, the file itself says so, which spares
 * others in mode full to make it so again (store_settle()).  For the move of
 * a file whose bytes are durable, from a name that nobody else uses.  Nothing
 * is said in the other modes, and where files have no attributes.
 */
#define STORE_TELL	0x10u
/*
 * A small file, all or nothing, with its directories.  STORE_REPLACE: an
 * existing file is replaced by rename; else STORE_EXISTS, and then the name
 * that exists is as durable as a new one would be.  BUSY: somebody removes
 * the directory as often as it is made.
 */
enum store_result store_put(struct store *, const char *path,
		    const void *, size_t, unsigned flags);
/*
 * The same in two steps: the bytes, under no name that is ever seen, and,
 * after a barrier, the name.  In mode batch store_put() costs a sync of its
 * own, because a name must not be durable before its bytes; this does not.
 */
#define STORE_STAGED_SIZE	64
struct store_staged {
	char		 path[STORE_STAGED_SIZE];	/* "": nothing */
};
enum store_result store_stage(struct store *, const void *, size_t,
		    struct store_staged *);
enum store_result store_publish(struct store *, struct store_staged *,
		    const char *path, unsigned flags);
/* Give it up; nothing happens when it is published. */
void		 store_unstage(struct store *, struct store_staged *);
/*
 * A new file for appending, locked, with its directories: EXISTS, or *fd.
 * Nothing of it is synced.
 */
enum store_result store_create(struct store *, const char *path, int *fd);
/*
 * An existing file for appending, locked against every other writer of any
 * process; STORE_BUSY when one holds it, NOTFOUND when it has been moved.
 */
enum store_result store_open_append(struct store *, const char *path,
		    int *fd, struct store_stat *);
enum store_result store_write(struct store *, int fd, const void *, size_t,
		    uint64_t offset);
/*
 * Get what was written from "from" to "to" on its way to the disk, so that
 * only so much is under way at a time.  An error means that bytes may have
 * been lost: the file is of no use any more.
 */
enum store_result store_flush(struct store *, int fd, uint64_t from,
		    uint64_t to);
enum store_result store_truncate(struct store *, int fd, uint64_t size);
enum store_result store_sync(struct store *, int fd);
/*
 * Errors of writing the file's bytes back since it was opened: after the
 * barrier, in mode batch; the others have told before.
 */
enum store_result store_written(struct store *, int fd);
/*
 * Keep the size of a file with it, where the file system can: store_open()
 * is INVALID when it has another one later.  It may be lost with the power.
 */
enum store_result store_mark(struct store *, int fd, uint64_t size);
/*
 * Let nobody write to a file that was opened for appending, this process
 * included, until store_close(); BUSY when somebody on this host has it open
 * for writing, lock or no lock, and then *fd is as it was, or -1 when
 * another has the file now.  Where the file system cannot tell, the lock has
 * to do.
 */
enum store_result store_seal(struct store *, const char *path, int *fd);
/* Of a file opened for appending; *n is 0 at its end. */
enum store_result store_pread(struct store *, int fd, void *, size_t,
		    uint64_t offset, size_t *n);
/* What is read next comes from the disk, where the system can be asked. */
void		 store_forget(struct store *, int fd);
enum store_result store_fstat(struct store *, int fd, struct store_stat *);
/* Unlocks too. */
void		 store_close(struct store *, int fd);
/*
 * Move a synced file to a new name, with directories; STORE_EXISTS when the
 * name is taken (and as durable), unless STORE_REPLACE.  Between directories
 * the power may leave both names, unless STORE_LEFT.
 */
enum store_result store_move(struct store *, const char *from,
		    const char *to, unsigned flags);
/*
 * A second name, with its directories, for what a cut must not take in the
 * middle of a move: the first one is to be removed when this is durable.
 * EXISTS; IO and others where files cannot have two names.
 */
enum store_result store_link(struct store *, const char *from,
		    const char *to);
/* Modified now, by the clock of the file system; survives or not. */
enum store_result store_touch(struct store *, const char *path);
/* Modified at that time, as exactly as the file system keeps it. */
enum store_result store_touch_at(struct store *, const char *path,
		    const struct timespec *);
/*
 * One of a fixed number of locks, chosen by the hash of "name", against
 * every process on every host.  Waits at most STORE_LOCK_MS, then BUSY; not
 * at all after store_lock_nowait(), then STORE_LOCKED.
 * A process that holds one must not ask for another; but names that begin
 * with '@' have locks of their own, inside which one of the others may be
 * taken.
 */
#define STORE_LOCK_MS		5000
struct store_lock {
	int		 fd;
};
enum store_result store_lock(struct store *, const char *name,
		    struct store_lock *);
/*
 * Wait until everyone who holds a lock of a name that begins with '@' has
 * let go of it once, or has died; whoever takes one later has not been
 * waited for.  Waits at most STORE_LOCK_MS for all of them together, then
 * BUSY.  For a process that holds no lock and never does without waiting.
 */
enum store_result store_lock_pass(struct store *);
/*
 * The lock that is the file at "path", made when it is not there; BUSY at
 * once when somebody holds it.  For both: a file that others hold by another
 * name, in a copy of the store made of hard links, is replaced by one of our
 * own; but nobody may remove a lock's file while it is in use.
 */
enum store_result store_lock_file(struct store *, const char *path,
		    struct store_lock *);
void		 store_unlock(struct store *, struct store_lock *);
/* For a process that has others to serve meanwhile. */
void		 store_lock_nowait(struct store *);
/* Remove a file; its directory is synced.  NOTFOUND when absent. */
enum store_result store_unlink(struct store *, const char *path);
/*
 * Remove a directory with what is in it: first moved out of sight in one
 * step, which is durable as any writing unless STORE_NOSYNC, then emptied.
 * STORE_SETTLED: a barrier of its own is passed before that, in mode batch,
 * for a tree of which no part may be seen alone after a cut.
 */
enum store_result store_remove_tree(struct store *, const char *path,
		    unsigned flags);
/* Remove empty directories from "path" upwards, not "stop" itself. */
void		 store_prune(struct store *, const char *path,
		    const char *stop);
/*
 * ---- a full disk ----
 *
 * Keep that many bytes back for what makes room; fewer on a small file
 * system, none on one that is nearly full or cannot.
 */
void		 store_reserve(struct store *, uint64_t size);
/*
 * Before something is begun: NOSPACE when so many bytes do not fit, and while
 * the reserve is given out and cannot be filled again.
 */
enum store_result store_room(struct store *, uint64_t bytes);
/* Give it out; false when there is nothing to give. */
bool		 store_release(struct store *);
/*
 * Remove what a crash left behind, or STORE_LATER: trees on their way out,
 * and files never put in place that are older than "before".  A step of it
 * works for about budget_us, with a struct that is all zero at first; what
 * cannot be removed does not keep it from its end.
 */
struct store_sweep {
	unsigned	 part;
	uint64_t	 kept;
};
enum store_result store_sweep_step(struct store *, struct store_sweep *,
		    time_t before, unsigned budget_us, bool *done);
enum store_result store_sweep(struct store *, time_t before);

#endif
