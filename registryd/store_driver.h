/* SPDX-License-Identifier: ISC */
/*
 * Between store.c and its drivers; nobody else includes it.  Paths have been
 * checked, and writing calls come only for a writable store.
 */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include "store.h"

struct store_ops {
	void		 (*free)(struct store *);
	enum store_result (*open)(struct store *, const char *, int *,
			    struct store_stat *);
	enum store_result (*stat)(struct store *, const char *,
			    struct store_stat *);
	enum store_result (*read)(struct store *, const char *, size_t,
			    char **, size_t *);
	enum store_result (*list)(struct store *, const char *, const char *,
			    size_t, char ***, size_t *, bool *);
	enum store_result (*put)(struct store *, const char *, const void *,
			    size_t, unsigned);
	enum store_result (*stage)(struct store *, const void *, size_t,
			    struct store_staged *);
	enum store_result (*publish)(struct store *, struct store_staged *,
			    const char *, unsigned);
	void		 (*unstage)(struct store *, struct store_staged *);
	enum store_result (*barrier)(struct store *);
	enum store_result (*sync_all)(struct store *);
	enum store_name_sync (*name_sync)(struct store *);
	enum store_result (*settle)(struct store *, const char *);
	/* NULL: now, by the clock of the file system */
	enum store_result (*touch)(struct store *, const char *,
			    const struct timespec *);
	enum store_result (*lock)(struct store *, const char *, int *);
	enum store_result (*lock_pass)(struct store *);
	enum store_result (*lock_file)(struct store *, const char *, int *);
	enum store_result (*create)(struct store *, const char *, int *);
	enum store_result (*open_append)(struct store *, const char *, int *,
			    struct store_stat *);
	enum store_result (*pread)(struct store *, int, void *, size_t,
			    uint64_t, size_t *);
	enum store_result (*write)(struct store *, int, const void *, size_t,
			    uint64_t);
	enum store_result (*flush)(struct store *, int, uint64_t, uint64_t);
	enum store_result (*truncate)(struct store *, int, uint64_t);
	enum store_result (*sync)(struct store *, int);
	enum store_result (*written)(struct store *, int);
	enum store_result (*mark)(struct store *, int, uint64_t);
	enum store_result (*seal)(struct store *, const char *, int *);
	void		 (*forget)(struct store *, int);
	enum store_result (*fstat)(struct store *, int, struct store_stat *);
	void		 (*close)(struct store *, int);
	enum store_result (*move)(struct store *, const char *, const char *,
			    unsigned);
	enum store_result (*link)(struct store *, const char *,
			    const char *);
	enum store_result (*unlink)(struct store *, const char *);
	enum store_result (*remove_tree)(struct store *, const char *,
			    unsigned);
	void		 (*prune)(struct store *, const char *, const char *);
	void		 (*reserve)(struct store *, uint64_t);
	enum store_result (*room)(struct store *, uint64_t);
	bool		 (*release)(struct store *);
	enum store_result (*sweep)(struct store *, struct store_sweep *,
			    time_t, unsigned, bool *);
};

struct store {				/* first member of a driver's */
	const struct store_ops *ops;
	char		*path;
	bool		 writable;
	bool		 batched;
	bool		 promises;	/* not mode none */
	bool		 nowait;	/* BUSY at once where a lock is held */
	int		 failure;	/* errno of a sync; no writing since */
};

#endif
