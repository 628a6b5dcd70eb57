/* SPDX-License-Identifier: ISC */
/*
 * Administration of a store by name: pages of its lists, and what may be
 * removed or switched.  Runs in the collector and in registryctl; what it
 * removes goes in the order in which keepers remove.
 */
#include "admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "layout.h"
#include "reference.h"
#include "repo.h"
#include "str.h"
#include "tag.h"
#include "upload.h"

struct call {
	struct store	*store;
	const json_t	*request;
	char		*error;
	size_t		 errsize;
	uint64_t	 end_ms;	/* a page is not made for longer */
};

#define PAGE_MS		50
#define PAGE_NAMES_MS	25		/* of them for names, in two steps */
#define NAME_SIZE	256		/* of a directory entry */

typedef json_t *admin_fn(struct call *);

/* ---- arguments and errors ---- */

static json_t *
refuse(struct call *call, const char *what, const char *why)
{
	char text[256];

	str_vis(text, sizeof(text), what, strlen(what));
	snprintf(call->error, call->errsize, "%s: %s", text, why);
	return NULL;
}

/* A name that is not there is one of the "kind". */
static json_t *
refuse_result(struct call *call, const char *kind, const char *what,
    enum store_result r)
{
	char text[64];

	if (r == STORE_NOTFOUND) {
		snprintf(text, sizeof(text), "there is no such %s", kind);
		return refuse(call, what, text);
	}
	if (r == STORE_BUSY)
		return refuse(call, what, "in use: try again later");
	if (r == STORE_READONLY)
		return refuse(call, what, "the configuration or the file "
		    "system says read-only");
	return refuse(call, what, store_result_text(r));
}

/* The repository that is asked for, or NULL and refused. */
static const char *
arg_repo(struct call *call)
{
	const char *repo = json_string_at(call->request, "repository");

	if (repo != NULL && repo_name_ok(repo))
		return repo;
	refuse(call, repo != NULL ? repo : "",
	    "not the name of a repository");
	return NULL;
}

static const char *
arg_after(const struct call *call, const char *key)
{
	const char *text = json_string_at(call->request, key);

	return text != NULL && text[0] != '\0' ? text : NULL;
}

static size_t
arg_limit(const struct call *call)
{
	json_int_t n = json_integer_value(json_object_get(call->request,
	    "limit"));

	return n > 0 && n < ADMIN_PAGE_MAX ? (size_t)n : ADMIN_PAGE_MAX;
}

/* Nothing is removed while an administrator lets nothing be written. */
static bool
is_readonly(struct call *call)
{
	if (store_stat(call->store, LAYOUT_READONLY, NULL) != STORE_OK)
		return false;
	refuse(call, "read-only", "run \"registryctl readonly off\" first");
	return true;
}

/* What was done becomes durable, in mode batch, before it is told. */
static json_t *
finish(struct call *call, const char *kind, const char *what,
    enum store_result r)
{
	if (r == STORE_OK)
		r = store_barrier(call->store);
	if (r != STORE_OK)
		return refuse_result(call, kind, what, r);
	return json_pack("{sb}", "done", 1);
}

/* ---- lists ---- */

/* Whoever asks goes on behind the last one; so there is one at least. */
static bool
page_is_over(const struct call *call, const json_t *list)
{
	size_t n = json_array_size(list);

	return n >= arg_limit(call) ||
	    (n > 0 && clock_monotonic_ms() >= call->end_ms);
}

/* A list without all of its items would be a wrong answer. */
static enum store_result
list_add(json_t *list, json_t *item)
{
	return json_array_append_new(list, item) == -1 ? STORE_NOMEM :
	    STORE_OK;
}

static json_t *
list_repositories(struct call *call)
{
	json_t *names = json_array();
	enum store_result r;
	char **items;
	size_t i, n;
	bool more;

	r = repo_list_until(call->store, arg_after(call, "after"),
	    arg_limit(call), call->end_ms, &items, &n, &more);
	if (r == STORE_OK) {
		for (i = 0; i < n && r == STORE_OK; i++)
			r = list_add(names, json_string(items[i]));
		store_names_free(items, n);
	}
	if (r != STORE_OK) {
		json_decref(names);
		return refuse_result(call, "list", "repositories", r);
	}
	return json_pack("{so sb}", "repositories", names, "more", more);
}

static json_t *
list_tags(struct call *call)
{
	char text[DIGEST_STR_SIZE];
	const char *repo = arg_repo(call);
	enum store_result r;
	struct digest d;
	json_t *tags;
	char **items;
	size_t i, n;
	bool more;

	if (repo == NULL)
		return NULL;
	if ((r = repo_stat(call->store, repo)) != STORE_OK)
		return refuse_result(call, "repository", repo, r);
	r = tag_list(call->store, repo, arg_after(call, "after"),
	    arg_limit(call), &items, &n, &more);
	if (r == STORE_NOTFOUND)
		return json_pack("{s[]sb}", "tags", "more", 0);
	if (r != STORE_OK)
		return refuse_result(call, "repository", repo, r);
	tags = json_array();
	for (i = 0; i < n && r == STORE_OK && !page_is_over(call, tags); i++)
		if (tag_get(call->store, repo, items[i], &d) == STORE_OK)
			r = list_add(tags, json_pack("{ss ss}", "tag",
			    items[i], "digest", digest_format(text, &d)));
	more = more || i < n;
	store_names_free(items, n);
	if (r != STORE_OK) {
		json_decref(tags);
		return refuse_result(call, "repository", repo, r);
	}
	return json_pack("{so sb}", "tags", tags, "more", more);
}

/* A page of sessions behind "after", which becomes the last of its names. */
static enum store_result
add_sessions(struct call *call, const char *repo, char after[NAME_SIZE],
    json_t *list, bool *more)
{
	char path[LAYOUT_PATH_SIZE], when[32];
	size_t i, n, limit = arg_limit(call) - json_array_size(list);
	enum store_result r;
	struct store_stat st;
	char **ids;

	*more = false;
	r = upload_list(call->store, repo, after[0] != '\0' ? after : NULL,
	    limit, &ids, &n, more);
	if (r != STORE_OK)
		return r == STORE_NOTFOUND ? STORE_OK : r;
	for (i = 0; i < n && r == STORE_OK && !page_is_over(call, list); i++) {
		(void)str_copy(after, NAME_SIZE, ids[i]);
		if (!upload_id_ok(ids[i]) || store_stat(call->store,
		    layout_upload_data(path, repo, ids[i]), &st) != STORE_OK)
			continue;
		r = list_add(list, json_pack("{ss ss sI ss}",
		    "repository", repo, "upload", ids[i], "bytes",
		    (json_int_t)st.size, "modified", clock_rfc3339(when,
		    sizeof(when), st.mtime)));
	}
	*more = *more || i < n;
	store_names_free(ids, n);
	return r;
}

/*
 * Sessions of one repository behind "after"; *more: it has others.  A page of
 * those that have no data would look like the end.
 */
static enum store_result
add_uploads(struct call *call, const char *repo, const char *after,
    json_t *list, bool *more)
{
	size_t before = json_array_size(list);
	char at[NAME_SIZE] = "";
	enum store_result r;

	if (after != NULL)
		(void)str_copy(at, sizeof(at), after);
	do
		r = add_sessions(call, repo, at, list, more);
	while (r == STORE_OK && *more && json_array_size(list) == before &&
	    !page_is_over(call, list));
	return r;
}

/*
 * Sessions of the repositories behind "at", which goes on; *more: there are
 * others.  Names get one part of the time, their sessions another, so that
 * neither is fetched again and again for a few of the other.
 */
static enum store_result
add_repositories(struct call *call, char at[REPO_NAME_SIZE], json_t *list,
    bool *more)
{
	enum store_result r;
	char **repos;
	bool full = false;
	size_t i, n;

	r = repo_list_uploads_until(call->store, at[0] != '\0' ? at : NULL,
	    arg_limit(call), clock_monotonic_ms() + PAGE_NAMES_MS, &repos, &n,
	    more);
	if (r != STORE_OK)
		return r;
	if (json_array_size(list) == 0)
		call->end_ms = clock_monotonic_ms() + PAGE_MS - PAGE_NAMES_MS;
	for (i = 0; i < n && r == STORE_OK && !full &&
	    !page_is_over(call, list); i++) {
		r = add_uploads(call, repos[i], NULL, list, &full);
		str_copy(at, REPO_NAME_SIZE, repos[i]);
	}
	*more = *more || full || i < n;
	store_names_free(repos, n);
	return r;
}

static json_t *
list_uploads(struct call *call)
{
	const char *repo = arg_after(call, "after_repository");
	const char *after = arg_after(call, "after");
	char at[REPO_NAME_SIZE] = "";
	enum store_result r = STORE_OK;
	json_t *list = json_array();
	bool more = true, full = false;

	if (repo != NULL && repo_name_ok(repo))
		str_copy(at, sizeof(at), repo);
	if (at[0] != '\0' && after != NULL)
		r = add_uploads(call, at, after, list, &full);
	while (r == STORE_OK && !full && more && !page_is_over(call, list))
		r = add_repositories(call, at, list, &more);
	if (r != STORE_OK) {
		json_decref(list);
		return refuse_result(call, "list", "uploads", r);
	}
	return json_pack("{so sb}", "uploads", list, "more", more);
}

/* ---- removing ---- */

/*
 * One rename each: first what can be pulled, then our notes on it, then the
 * rest, so that nothing is ever seen that leads nowhere.  Repositories beneath
 * it stay.
 *
 * Then what can be pulled once more: a push that saw its layers before they
 * went, and came with its manifest after the others had gone.  One that looks
 * later is refused (repo_put.c).
 *
 * Then the tags of what has gone: a push that saw its manifest before it went
 * sets them beneath the manifest's lock, and takes them back unless it is
 * killed.  Whoever gets that lock later sees that the manifest has gone; so
 * when those who had one have let go, all such tags are there to be seen.
 * They go one by one: a push that begins meanwhile keeps what it has put, and
 * nothing goes between its look at its manifest and its tags.
 */
static const struct part {
	const char	*root, *name;
} parts[] = {
	{ LAYOUT_REPOSITORIES, "_manifests" },
	{ LAYOUT_OWN_REPOSITORIES, "_referrers" },
	{ LAYOUT_OWN_REPOSITORIES, "_mediatypes" },
	{ LAYOUT_OWN_REPOSITORIES, "_subjects" },
	{ LAYOUT_REPOSITORIES, "_layers" },
	{ LAYOUT_REPOSITORIES, "_uploads" },
};
#define NPARTS	(sizeof(parts) / sizeof(parts[0]))
#define NPULLED	4u			/* the first: manifests, and notes */

static enum store_result
remove_parts(struct store *s, const char *repo, size_t n)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", parts[i].root, repo,
		    parts[i].name);
		r = store_remove_tree(s, path, STORE_SETTLED | STORE_LATER);
		if (r != STORE_OK && r != STORE_NOTFOUND)
			return r;
		snprintf(path, sizeof(path), "%s/%s", parts[i].root, repo);
		store_prune(s, path, parts[i].root);
	}
	return STORE_OK;
}

/* NOTFOUND when the tag is there, and what it points to is not. */
static enum store_result
look_behind(struct store *s, const char *repo, const char *tag)
{
	enum store_result r;
	struct digest d;

	if ((r = tag_get(s, repo, tag, &d)) == STORE_OK)
		r = repo_recheck_manifest(s, repo, &d);
	else if (r == STORE_NOTFOUND)
		r = STORE_OK;
	return r == STORE_INVALID ? STORE_OK : r;
}

/*
 * The tag's lock is enough: a push that puts the manifest now sets the tag
 * after that, beneath this lock.
 */
static enum store_result
remove_if_late(struct store *s, const char *repo, const char *tag)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_lock lock;
	enum store_result r;

	if ((r = look_behind(s, repo, tag)) != STORE_NOTFOUND ||
	    (r = tag_lock(s, repo, tag, &lock)) != STORE_OK)
		return r;
	if ((r = look_behind(s, repo, tag)) == STORE_NOTFOUND)
		r = store_remove_tree(s, layout_tag(path, repo, tag), 0);
	store_unlock(s, &lock);
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

/* BUSY: a push holds on to a lock, or there are more and more tags. */
static enum store_result
remove_late_tags(struct store *s, const char *repo)
{
	uint64_t end = clock_monotonic_ms() + STORE_LOCK_MS;
	char path[LAYOUT_PATH_SIZE], after[TAG_SIZE] = "";
	enum store_result r;
	bool more = true;
	char **tags;
	size_t i, n;

	r = store_lock_pass(s);
	while (r == STORE_OK && more) {
		r = tag_list(s, repo, after[0] != '\0' ? after : NULL,
		    ADMIN_PAGE_MAX, &tags, &n, &more);
		if (r != STORE_OK)
			break;
		for (i = 0; i < n && r == STORE_OK; i++)
			r = clock_monotonic_ms() < end ?
			    remove_if_late(s, repo, tags[i]) : STORE_BUSY;
		if (n > 0)
			str_copy(after, sizeof(after), tags[n - 1]);
		store_names_free(tags, n);
	}
	store_prune(s, layout_tags(path, repo), LAYOUT_REPOSITORIES);
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

static json_t *
remove_repository(struct call *call)
{
	const char *repo = arg_repo(call);
	struct store *s = call->store;
	enum store_result r;

	if (repo == NULL || is_readonly(call))
		return NULL;
	if ((r = repo_stat(s, repo)) == STORE_OK &&
	    (r = remove_parts(s, repo, NPARTS)) == STORE_OK &&
	    (r = remove_parts(s, repo, NPULLED)) == STORE_OK &&
	    (r = remove_late_tags(s, repo)) == STORE_BUSY &&
	    (r = store_barrier(s)) == STORE_OK)
		return refuse(call, repo, "removed, but a push was under "
		    "way: if it is there again, remove it again");
	return finish(call, "repository", repo, r);
}

static json_t *
remove_tag(struct call *call)
{
	const char *repo = arg_repo(call);
	const char *tag = json_string_at(call->request, "tag");

	if (repo == NULL || is_readonly(call))
		return NULL;
	if (tag == NULL || !tag_ok(tag))
		return refuse(call, tag != NULL ? tag : "", "not a tag");
	return finish(call, "tag", tag, repo_delete_tag(call->store, repo,
	    tag));
}

static json_t *
cancel_upload(struct call *call)
{
	const char *repo = arg_repo(call);
	const char *id = json_string_at(call->request, "upload");

	if (repo == NULL || is_readonly(call))
		return NULL;
	if (id == NULL || !upload_id_ok(id))
		return refuse(call, id != NULL ? id : "",
		    "not the id of an upload");
	return finish(call, "upload", id, upload_cancel(call->store, repo,
	    id));
}

/* ---- read-only ---- */

static enum store_result
put_mark(struct store *s)
{
	char text[64], when[32];
	enum store_result r;

	snprintf(text, sizeof(text), "since %s\n",
	    clock_rfc3339(when, sizeof(when), clock_wall()));
	r = store_put(s, LAYOUT_READONLY, text, strlen(text), 0);
	return r == STORE_EXISTS ? STORE_OK : r;
}

static json_t *
set_readonly(struct call *call)
{
	json_t *on = json_object_get(call->request, "on");
	enum store_result r;

	if (!json_is_boolean(on))
		return refuse(call, "readonly", "expected on or off");
	if (json_is_true(on)) {
		r = put_mark(call->store);
		/* A full disk is a reason to ask for it. */
		if (r == STORE_NOSPACE && store_release(call->store))
			r = put_mark(call->store);
	} else {
		r = store_unlink(call->store, LAYOUT_READONLY);
		if (r == STORE_NOTFOUND)
			r = STORE_OK;
	}
	return finish(call, "marker", "readonly", r);
}

/* ---- the table ---- */

json_t *
admin_run(struct store *s, const char *command, const json_t *request,
    char *error, size_t errsize)
{
	static const struct {
		const char	*name;
		admin_fn	*fn;
	} commands[] = {
		{ "repositories", list_repositories },
		{ "tags", list_tags },
		{ "uploads", list_uploads },
		{ "repository-remove", remove_repository },
		{ "tag-remove", remove_tag },
		{ "upload-cancel", cancel_upload },
		{ "readonly", set_readonly },
	};
	struct call call = { s, request, error, errsize,
	    clock_monotonic_ms() + PAGE_MS };
	json_t *result;
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(command, commands[i].name) != 0)
			continue;
		error[0] = '\0';
		result = commands[i].fn(&call);
		if (result == NULL && error[0] == '\0')
			snprintf(error, errsize, "out of memory");
		/* Nothing of the call is in it. */
		/* cppcheck-suppress returnDanglingLifetime */
		return result;
	}
	return refuse(&call, command, "there is no such command");
}
