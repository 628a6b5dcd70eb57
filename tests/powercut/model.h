/* SPDX-License-Identifier: ISC */
/*
 * What one client has asked of the registry, and so what must be there after
 * a cut: the last thing that was acknowledged, or one that was begun later.
 * A client is alone on its repositories, so its operations are in order.
 */
#ifndef POWERCUT_MODEL_H
#define POWERCUT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE	72		/* "sha256:", 64 digits and a NUL */
#define NAME_MAX_SIZE	32
#define REFS_MAX	5		/* contents that a manifest names */

/* Bytes that can be made again, or those of a manifest. */
struct content {
	char			 digest[DIGEST_SIZE];
	uint64_t		 seed;
	size_t			 len;
	char			*manifest;	/* NULL: a blob */
	const struct content	*refs[REFS_MAX];
	size_t			 n_refs;
	struct content		*next;
};

enum object_kind { OBJECT_BLOB, OBJECT_MANIFEST, OBJECT_TAG, OBJECT_UPLOAD };

/* content NULL: not there. */
struct operation {
	uint64_t		 start, ack;	/* ack 0: never */
	const struct content	*content;
};

struct object {
	enum object_kind	 kind;
	char			 repo[NAME_MAX_SIZE];
	char			 tag[NAME_MAX_SIZE];	/* OBJECT_TAG */
	const struct content	*content;	/* of the others */
	char			*location;	/* OBJECT_UPLOAD */
	size_t			 sent;		/* OBJECT_UPLOAD: bytes */
	uint64_t		 last;		/* start of the last one */
	struct operation	*ops;
	size_t			 n_ops, max_ops;
	struct object		*next;
};

struct model {
	struct content	*contents;
	struct object	*objects;
	size_t		 n_objects;
	size_t		 n_acks;
};

void		 model_done(struct model *);

/* Both are the model's. */
const struct content	*model_blob(struct model *, uint64_t seed, size_t len);
const struct content	*model_manifest(struct model *,
			    const struct content *const *refs, size_t n,
			    const char *note);
/* len bytes, to be freed. */
uint8_t			*content_bytes(const struct content *);
bool			 content_matches(const struct content *,
			    const uint8_t *, size_t);

/* Found, or made without any operation. */
struct object	*model_object(struct model *, enum object_kind,
		    const char *repo, const char *tag,
		    const struct content *);
/* A new one; its location is set when it is known. */
struct object	*model_upload(struct model *, const char *repo,
		    const struct content *);

/* Before a request is sent; returns its number for operation_ack(). */
size_t		 operation_begin(struct object *, const struct content *);
void		 operation_ack(struct model *, struct object *, size_t);

/* The last one was refused: nothing has changed. */
void		 operation_cancel(struct object *);

/* What it may be after a cut: is "content" (NULL: nothing) one of them? */
bool		 object_allows(const struct object *, uint64_t cut,
		    const struct content *);
bool		 object_may_exist(const struct object *, uint64_t cut);
/* What was acknowledged last, or was there at the beginning. */
const struct content	*object_acked(const struct object *, uint64_t cut);
/* Any operation was begun by then, so that it may exist. */
bool		 object_known(const struct object *, uint64_t cut);
/* After a cut: it is so, and nothing else is known of it. */
void		 object_settle(struct object *, const struct content *);
/* Manifests of the repository that are, or may be, there and name it. */
bool		 model_is_used(const struct model *, const char *repo,
		    const struct content *);
/* Any that was ever put there names it, even if that was cut short. */
bool		 model_was_used(const struct model *, const char *repo,
		    const struct content *);
/*
 * Whether collection may have removed a blob since the cut: nobody has asked
 * for it for that long (nanoseconds), and no manifest holds it for certain.
 */
bool		 model_may_collect(const struct model *,
		    const struct object *, uint64_t cut, uint64_t grace);
const char	*object_kind_name(enum object_kind);

uint64_t	 dice(uint64_t *state);

#endif
