/* SPDX-License-Identifier: ISC */
/*
 * Everything that writes to the store, as operations that tests run under
 * observation: how to get there, what to do, and how to tell that it is done.
 */
#ifndef STORE_OPERATIONS_H
#define STORE_OPERATIONS_H

#include "store_tmp.h"

#include "referrer.h"
#include "repo.h"
#include "tag.h"
#include "upload.h"

#define REPOS	"docker/registry/v2/repositories/"
#define MANIFEST "{\"layers\":[]}"
#define BLOB	"the bytes of a layer"
#define ID	"session-1"

/* ---- the operations ---- */

static inline enum store_result
put_manifest(struct tmp_store *t, const char *text, const char *tag)
{
	struct manifest_put m = { .repo = "a/b", .data = text,
	    .len = strlen(text), .mediatype = "application/x",
	    .has_subject = true, .artifact_type = "application/sig",
	    .tags = &tag, .ntags = 1 };
	struct digest blob = tmp_digest(BLOB), *missing;
	enum store_result r;
	size_t n;

	m.digest = tmp_digest(text);
	m.subject = tmp_digest("subject");
	m.refs = &blob;
	m.nrefs = 1;
	r = repo_put_manifest(t->store, &m, &missing, &n);
	free(missing);
	return r;
}

static inline enum store_result
push_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);
	struct upload *u = NULL;
	enum store_result r;

	r = upload_start(t->store, "a/b", ID, DIGEST_SHA256, &u);
	if (r == STORE_EXISTS)
		r = upload_open(t->store, "a/b", ID, &u);
	if (r != STORE_OK)
		return r;
	r = upload_rewind(u, 0);
	if (r == STORE_OK)
		r = upload_append(u, BLOB, 10);
	if (r == STORE_OK)
		r = upload_append(u, &BLOB[10], strlen(BLOB) - 10);
	if (r == STORE_OK)
		r = upload_finish(u, &d);
	if (r != STORE_OK)
		(void)upload_rewind(u, 0);
	upload_close(u);
	/* What its file has left is begun anew by the client. */
	if (r != STORE_OK)
		(void)upload_cancel(t->store, "a/b", ID);
	return r;
}

static inline void
prepare_nothing(struct tmp_store *t)
{
	(void)t;
}

static inline void
prepare_blob(struct tmp_store *t)
{
	assert_int_equal(push_blob(t), STORE_OK);
}

static inline void
prepare_manifest(struct tmp_store *t)
{
	prepare_blob(t);
	assert_int_equal(put_manifest(t, MANIFEST, "t"), STORE_OK);
}

/* A damaged one is there already. */
static inline void
prepare_damage(struct tmp_store *t)
{
	struct digest d = tmp_digest(MANIFEST), b = tmp_digest(BLOB);
	char path[LAYOUT_PATH_SIZE];

	prepare_blob(t);
	tmp_write(t, layout_blob(path, &d), "damaged");
	tmp_write(t, layout_blob(path, &b), "damaged");
	assert_int_equal(push_blob(t), STORE_OK);
}

static inline enum store_result
run_manifest(struct tmp_store *t)
{
	return put_manifest(t, MANIFEST, "t");
}

static inline enum store_result
run_move_tag(struct tmp_store *t)
{
	return put_manifest(t, "{}", "t");
}

static inline enum store_result
run_mount(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_mount_blob(t->store, "c", "a/b", &d);
}

static inline enum store_result
run_delete_manifest(struct tmp_store *t)
{
	struct digest d = tmp_digest(MANIFEST);

	return repo_delete_manifest(t->store, "a/b", &d);
}

static inline enum store_result
run_delete_tag(struct tmp_store *t)
{
	return tag_delete(t->store, "a/b", "t");
}

static inline enum store_result
run_delete_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_delete_blob(t->store, "a/b", &d);
}

static inline bool
done_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_stat_blob(t->store, "a/b", &d, NULL) == STORE_OK &&
	    !tmp_exists(t, REPOS "a/b/_uploads/" ID "/data");
}

static inline bool
tag_is(struct tmp_store *t, const char *text)
{
	struct digest want = tmp_digest(text), d;
	struct referrer *refs;
	char type[MEDIATYPE_SIZE];
	struct digest subject = tmp_digest("subject");
	size_t n;
	bool more;

	if (tag_get(t->store, "a/b", "t", &d) != STORE_OK ||
	    !digest_equal(&d, &want) ||
	    repo_read_mediatype(t->store, "a/b", &d, type) != STORE_OK ||
	    referrer_list(t->store, "a/b", &subject, NULL, NULL, 9, &refs, &n,
	    &more) != STORE_OK)
		return false;
	referrers_free(refs, n);
	return n > 0;
}

static inline bool
done_manifest(struct tmp_store *t)
{
	return tag_is(t, MANIFEST);
}

static inline bool
done_move_tag(struct tmp_store *t)
{
	return tag_is(t, "{}");
}

static inline bool
done_mount(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_stat_blob(t->store, "c", &d, NULL) == STORE_OK;
}

static inline bool
done_delete_tag(struct tmp_store *t)
{
	struct digest d;

	return tag_get(t->store, "a/b", "t", &d) == STORE_NOTFOUND;
}

static inline bool
done_delete_manifest(struct tmp_store *t)
{
	struct digest d = tmp_digest(MANIFEST);
	struct digest subject = tmp_digest("subject");
	struct referrer *refs;
	size_t n;
	bool more;

	if (referrer_list(t->store, "a/b", &subject, NULL, NULL, 9, &refs, &n,
	    &more) != STORE_OK)
		return false;
	referrers_free(refs, n);
	return n == 0 && done_delete_tag(t) &&
	    repo_stat_manifest(t->store, "a/b", &d, NULL) == STORE_NOTFOUND;
}

static inline bool
done_delete_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(BLOB);

	return repo_stat_blob(t->store, "a/b", &d, NULL) == STORE_NOTFOUND;
}

static const struct operation {
	const char	*name;
	void		 (*prepare)(struct tmp_store *);
	enum store_result (*run)(struct tmp_store *);
	bool		 (*done)(struct tmp_store *);
	bool		 deletes;
} operations[] = {
	{ "push blob", prepare_nothing, push_blob, done_blob, false },
	{ "push blob again", prepare_blob, push_blob, done_blob, false },
	{ "put manifest", prepare_blob, run_manifest, done_manifest, false },
	{ "put manifest again", prepare_manifest, run_manifest,
	    done_manifest, false },
	{ "heal manifest", prepare_damage, run_manifest, done_manifest,
	    false },
	{ "move tag", prepare_manifest, run_move_tag, done_move_tag, false },
	{ "mount blob", prepare_blob, run_mount, done_mount, false },
	{ "delete tag", prepare_manifest, run_delete_tag, done_delete_tag,
	    true },
	{ "delete manifest", prepare_manifest, run_delete_manifest,
	    done_delete_manifest, true },
	{ "delete blob", prepare_blob, run_delete_blob, done_delete_blob,
	    true }
};
#define NOPERATIONS	(sizeof(operations) / sizeof(operations[0]))

#endif
