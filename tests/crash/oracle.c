/* SPDX-License-Identifier: ISC */
/*
 * Compares a store with what is expected of it, by the interface that
 * workers use for reading.  oracle_tree.c looks at the files themselves.
 */
#include "oracle.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout.h"
#include "oracle_tree.h"
#include "referrer.h"
#include "repo.h"
#include "tag.h"
#include "upload.h"

#define PAGE	64

static const char *
value_name(unsigned v)
{
	return v == IS_ABSENT ? "absent" : v == IS_PRESENT ? "present" :
	    v == IS_DAMAGED ? "damaged" : "one of several";
}

/* IS_*, or 0 and the violation is told. */
static unsigned
judge(struct world *w, const char *what, enum repo_id repo, enum content_id id,
    unsigned found, uint8_t *allowed)
{
	if (!(found & *allowed)) {
		world_fail(w, "%s %s in %s is %s, but should be %s", what,
		    content_get(id)->name, world_repo(repo),
		    value_name(found), value_name(*allowed));
		return 0;
	}
	*allowed = (uint8_t)found;
	return found;
}

static unsigned
compare(const struct content *c, const char *data, size_t len)
{
	return len == c->len && memcmp(data, c->data, len) == 0 ? IS_PRESENT :
	    IS_DAMAGED;
}

/*
 * As a worker does that does not see what it is asked for: a crash may have
 * left it under the name that it had on its way out, and it comes back.
 */
static bool
comes_back(struct world *w, enum repo_id repo, enum content_id id)
{
	struct store *reading = w->store;
	bool yes;

	w->store = NULL;
	world_open(w, true);
	yes = repo_acquire_blob(w->store, world_repo(repo),
	    &content_get(id)->digest, 0) == STORE_OK;
	world_close(w);
	w->store = reading;
	return yes;
}

/*
 * As a client sees it where nothing may be brought back: what is condemned,
 * too, for a pull may make it visible at any time.
 */
static enum store_result
see_blob(struct world *w, enum repo_id repo, const struct digest *d, int *fd)
{
	struct store_stat st;
	bool lease;

	return repo_see_blob(w->store, world_repo(repo), d, REPO_NO_LEASE, fd,
	    &st, &lease);
}

static bool
check_blob(struct world *w, enum repo_id repo, enum content_id id)
{
	const struct content *c = content_get(id);
	char data[4096];
	enum store_result r;
	unsigned found;
	ssize_t n;
	int fd;

	r = see_blob(w, repo, &c->digest, &fd);
	if (r == STORE_NOTFOUND && w->expect.blob[repo][id] == IS_PRESENT &&
	    comes_back(w, repo, id))
		r = see_blob(w, repo, &c->digest, &fd);
	if (r == STORE_NOTFOUND)
		found = IS_ABSENT;
	else if (r == STORE_INVALID)	/* its size is wrong */
		found = IS_DAMAGED;
	else if (r != STORE_OK)
		return world_fail(w, "blob %s in %s: %s", c->name,
		    world_repo(repo), store_result_text(r));
	else {
		n = read(fd, data, sizeof(data));
		close(fd);
		found = compare(c, data, n < 0 ? 0 : (size_t)n);
	}
	return judge(w, "blob", repo, id, found,
	    &w->expect.blob[repo][id]) != 0;
}

/* What our own notes add to its bytes. */
static bool
check_notes(struct world *w, enum repo_id repo, const struct content *c)
{
	char type[MEDIATYPE_SIZE] = "";
	enum store_result r;

	r = repo_read_mediatype(w->store, world_repo(repo), &c->digest, type);
	if (r != STORE_OK && r != STORE_NOTFOUND)
		return world_fail(w, "type of %s: %s", c->name,
		    store_result_text(r));
	if (strcmp(type, c->mediatype != NULL ? c->mediatype : "") != 0)
		return world_fail(w, "type of %s is \"%s\"", c->name, type);
	return true;
}

static bool
can_return(const struct world *w, enum repo_id repo, enum content_id id)
{
	const struct content *c = content_get(id);
	char link[LAYOUT_PATH_SIZE], data[LAYOUT_PATH_SIZE];

	if (c->is_manifest)
		layout_revision(link, world_repo(repo), &c->digest);
	else
		layout_layer(link, world_repo(repo), &c->digest);
	return oracle_can_return(w, link) &&
	    oracle_can_return(w, layout_blob(data, &c->digest));
}

/* In the same way. */
static enum store_result
read_manifest(struct world *w, enum repo_id repo, const struct digest *d,
    char **data, size_t *len)
{
	struct store_stat st;
	enum store_result r;
	bool lease;
	int fd;

	r = repo_see_manifest(w->store, world_repo(repo), d, REPO_NO_LEASE,
	    &fd, &st, &lease);
	if (r != STORE_OK)
		return r;
	r = repo_read_fd(w->store, fd, &st, data, len);
	store_close(w->store, fd);
	return r;
}

static bool
check_manifest(struct world *w, enum repo_id repo, enum content_id id)
{
	const struct content *c = content_get(id);
	enum store_result r;
	unsigned found;
	size_t i, len;
	char *data;

	r = read_manifest(w, repo, &c->digest, &data, &len);
	if (r == STORE_NOTFOUND)
		found = IS_ABSENT;
	else if (r == STORE_INVALID)
		found = IS_DAMAGED;
	else if (r != STORE_OK)
		return world_fail(w, "manifest %s in %s: %s", c->name,
		    world_repo(repo), store_result_text(r));
	else {
		found = compare(c, data, len);
		free(data);
	}
	found = judge(w, "manifest", repo, id, found,
	    &w->expect.manifest[repo][id]);
	if (found != IS_PRESENT)
		return found != 0;
	for (i = 0; i < c->nrefs; i++)
		if (!can_return(w, repo, c->refs[i]))
			return world_fail(w, "%s is there without %s",
			    c->name, content_get(c->refs[i])->name);
	for (i = 0; i < c->nchildren; i++)
		if (!can_return(w, repo, c->children[i]))
			return world_fail(w, "%s is there without %s",
			    c->name, content_get(c->children[i])->name);
	return check_notes(w, repo, c);
}

static bool
check_referrer(struct world *w, enum repo_id repo, enum content_id id)
{
	const struct content *c = content_get(id);
	struct referrer *refs;
	unsigned found = IS_ABSENT;
	enum store_result r;
	size_t i, n;
	bool more;

	if (c->subject == C_NONE)
		return true;
	r = referrer_list(w->store, world_repo(repo),
	    &content_get(c->subject)->digest, NULL, NULL, PAGE, &refs, &n,
	    &more);
	if (r != STORE_OK)
		return world_fail(w, "referrers of %s: %s",
		    content_get(c->subject)->name, store_result_text(r));
	for (i = 0; i < n; i++)
		if (digest_equal(&refs[i].digest, &c->digest))
			found = strcmp(refs[i].artifact_type,
			    c->artifact_type) == 0 ? IS_PRESENT : IS_DAMAGED;
	referrers_free(refs, n);
	/* An entry alone is not shown to clients. */
	if (w->expect.manifest[repo][id] == IS_ABSENT)
		found = IS_ABSENT;
	return judge(w, "referrer", repo, id, found,
	    &w->expect.referrer[repo][id]) != 0;
}

static bool
check_tag(struct world *w, enum repo_id repo, unsigned tag)
{
	uint16_t found, *allowed = &w->expect.tag[repo][tag];
	enum content_id to = C_NONE;
	char name[16];
	struct digest d;
	enum store_result r;

	r = tag_get(w->store, world_repo(repo), world_tag(name, tag), &d);
	if (r == STORE_OK) {
		if ((to = content_find(&d)) == C_NONE)
			return world_fail(w, "%s leads nowhere", name);
		found = TAG_TO(to);
	} else if (r == STORE_NOTFOUND)
		found = TAG_ABSENT;
	else if (r == STORE_INVALID)
		found = TAG_BROKEN;
	else
		return world_fail(w, "%s: %s", name, store_result_text(r));
	if (!(found & *allowed))
		return world_fail(w, "%s in %s is %#x, not in %#x", name,
		    world_repo(repo), found, *allowed);
	*allowed = found;
	if (to != C_NONE && w->expect.manifest[repo][to] == IS_ABSENT)
		return world_fail(w, "%s is there without its manifest %s",
		    name, content_get(to)->name);
	return true;
}

/* Listed are those that can be read, and only they. */
static bool
check_tag_list(struct world *w, enum repo_id repo)
{
	enum store_result r;
	unsigned i, want = 0;
	bool more, ok;
	char **names;
	size_t n;

	for (i = 0; i < NTAGS; i++)
		if (!(w->expect.tag[repo][i] & (TAG_ABSENT | TAG_BROKEN)))
			want++;
	r = tag_list(w->store, world_repo(repo), NULL, PAGE, &names, &n,
	    &more);
	if (r == STORE_NOTFOUND)
		return want == 0 ||
		    world_fail(w, "tags of %s are not found",
		    world_repo(repo));
	if (r != STORE_OK)
		return world_fail(w, "tags of %s: %s", world_repo(repo),
		    store_result_text(r));
	store_names_free(names, n);
	ok = n == want && !more;
	return ok || world_fail(w, "%zu tags listed in %s, not %u", n,
	    world_repo(repo), want);
}

static bool
check_session(struct world *w, enum repo_id repo, unsigned slot)
{
	struct session *s = &w->expect.session[repo][slot];
	char id[SESSION_ID_SIZE];
	enum store_result r;
	uint64_t offset;

	r = upload_status(w->store, world_repo(repo), world_session(id, w,
	    repo, slot), &offset);
	if (r == STORE_NOTFOUND) {
		if (s->must_exist && !w->power)
			return world_fail(w, "session %s is lost", id);
		s->may_exist = s->must_exist = false;
		return true;
	}
	if (r != STORE_OK)
		return world_fail(w, "session %s: %s", id,
		    store_result_text(r));
	/* Its end need not survive the power, nor its last bytes. */
	if (!s->may_exist && !w->power)
		return world_fail(w, "session %s is still there", id);
	if (offset > s->high || (offset < s->low && !w->power))
		return world_fail(w, "session %s is at %llu, not %zu to %zu",
		    id, (unsigned long long)offset, s->low, s->high);
	if (s->may_exist)
		s->low = s->high = (size_t)offset;
	return true;
}

/* However far a session has come: no byte that was never sent. */
static bool
check_upload(struct world *w, const char *repo, const char *id)
{
	char path[LAYOUT_PATH_SIZE], data[4096];
	enum store_result r;
	uint64_t offset;
	ssize_t n;
	int fd;

	r = upload_status(w->store, repo, id, &offset);
	if (r == STORE_NOTFOUND)
		return true;
	if (r != STORE_OK || offset > sizeof(data))
		return world_fail(w, "session %s: %s", id,
		    store_result_text(r));
	fd = open(world_path(w, layout_upload_data(path, repo, id)),
	    O_RDONLY | O_CLOEXEC);
	n = read(fd, data, (size_t)offset);
	close(fd);
	return (n == (ssize_t)offset && content_is_prefix(data, (size_t)n)) ||
	    world_fail(w, "session %s has bytes that nobody sent", id);
}

static bool
check_uploads(struct world *w, const char *repo)
{
	bool more, ok = true;
	char **ids;
	size_t i, n;

	if (upload_list(w->store, repo, NULL, PAGE, &ids, &n, &more) !=
	    STORE_OK)
		return true;
	for (i = 0; i < n && ok; i++)
		ok = check_upload(w, repo, ids[i]);
	store_names_free(ids, n);
	return ok;
}

static bool
check_repo(struct world *w, enum repo_id repo)
{
	enum content_id c;
	unsigned i;

	for (c = 0; c < C_FIRST_MANIFEST; c++)
		if (!check_blob(w, repo, c))
			return false;
	for (c = C_FIRST_MANIFEST; c < C_MAX; c++)
		if (!check_manifest(w, repo, c) || !check_referrer(w, repo, c))
			return false;
	/* Those that must be absent must not be in the list below. */
	for (i = 0; i < NTAGS; i++)
		if (w->expect.tag[repo][i] != TAG_ABSENT &&
		    !check_tag(w, repo, i))
			return false;
	for (i = 0; i < NSESSIONS; i++)
		if (!check_session(w, repo, i))
			return false;
	return check_tag_list(w, repo) && check_uploads(w, world_repo(repo));
}

static bool
check_readonly(struct world *w)
{
	enum store_result r = store_stat(w->store, LAYOUT_READONLY, NULL);
	uint8_t found = r == STORE_OK ? IS_PRESENT : IS_ABSENT;

	if (r != STORE_OK && r != STORE_NOTFOUND)
		return world_fail(w, "mark: %s", store_result_text(r));
	if (!(found & w->expect.readonly))
		return world_fail(w, "the read-only mark is %s",
		    value_name(found));
	w->expect.readonly = found;
	return true;
}

/* The store that is open for writing is left alone. */
bool
oracle_check(struct world *w, bool fsck)
{
	struct store *writing = w->store;
	enum repo_id repo;
	bool ok = true;

	w->store = NULL;
	world_open(w, false);
	for (repo = 0; repo < NREPOS && ok; repo++)
		ok = check_repo(w, repo);
	ok = ok && check_readonly(w);
	ok = ok && (!fsck || oracle_fsck(w));
	world_close(w);
	w->store = writing;
	return ok && oracle_tree(w);
}

/* Append to what is still there, and take the name of a blob with it. */
static void
abuse_session(struct world *w, const char *repo, const char *id)
{
	struct upload *u;
	bool done = false;

	if (upload_open(w->store, repo, id, &u) != STORE_OK)
		return;
	if (upload_append(u, "abuse", 5) == STORE_OK &&
	    upload_hash_step(u, DIGEST_SHA256, SIZE_MAX, &done) == STORE_OK)
		(void)upload_finish(u, &content_get(C_LAYER)->digest);
	(void)upload_rewind(u, 0);
	upload_close(u);
}

bool
oracle_abuse(struct world *w)
{
	enum repo_id repo;
	char **ids;
	bool more, any = false;
	size_t i, n;

	world_open(w, true);
	for (repo = 0; repo < NREPOS; repo++) {
		if (upload_list(w->store, world_repo(repo), NULL, PAGE, &ids,
		    &n, &more) != STORE_OK)
			continue;
		any = any || n > 0;
		for (i = 0; i < n; i++)
			abuse_session(w, world_repo(repo), ids[i]);
		store_names_free(ids, n);
		/* What they are at now is theirs. */
		for (i = 0; i < NSESSIONS; i++) {
			w->expect.session[repo][i].low = 0;
			w->expect.session[repo][i].high = SIZE_MAX;
		}
	}
	return (!any || oracle_check(w, true)) && oracle_sweep(w);
}
