/* SPDX-License-Identifier: ISC */
/*
 * "registryctl status": what the registryd of this host says of itself, and
 * what is in the directory, which is counted here.
 */
#include <sys/statvfs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "layout.h"
#include "log.h"
#include "reference.h"
#include "registryctl.h"
#include "repo.h"
#include "str.h"
#include "tag.h"
#include "trouble.h"
#include "upload.h"

#define PAGE	512

struct totals {
	uint64_t	 repositories, tags, uploads, upload_bytes;
	uint64_t	 blobs, blob_bytes;
};

typedef enum store_result repo_fn(struct store *, const char *repo,
		    struct totals *);
typedef enum store_result pages_fn(struct store *, const char *, size_t,
		    char ***, size_t *, bool *);

/* Call fn for each name of a paged list; NOTFOUND is an empty one. */
static enum store_result
each_repo(struct store *s, pages_fn *list, repo_fn *fn, struct totals *t)
{
	enum store_result r = STORE_OK;
	char last[REPO_NAME_SIZE] = "";
	char **names;
	size_t i, n;
	bool more = true;

	while (more && r == STORE_OK) {
		r = list(s, last[0] != '\0' ? last : NULL, PAGE, &names, &n,
		    &more);
		if (r != STORE_OK)
			return r;
		for (i = 0; i < n && r == STORE_OK; i++)
			r = fn(s, names[i], t);
		if (n > 0)
			str_copy(last, sizeof(last), names[n - 1]);
		store_names_free(names, n);
	}
	return r;
}

static enum store_result
count_tags(struct store *s, const char *repo, struct totals *t)
{
	char last[TAG_SIZE] = "";
	enum store_result r = STORE_OK;
	char **tags;
	size_t n;
	bool more = true;

	while (more && r == STORE_OK) {
		r = tag_list(s, repo, last[0] != '\0' ? last : NULL, PAGE,
		    &tags, &n, &more);
		if (r != STORE_OK)
			break;
		t->tags += n;
		if (n > 0)
			str_copy(last, sizeof(last), tags[n - 1]);
		store_names_free(tags, n);
	}
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

static enum store_result
count_repo(struct store *s, const char *repo, struct totals *t)
{
	t->repositories++;
	return count_tags(s, repo, t);
}

static enum store_result
count_uploads(struct store *s, const char *repo, struct totals *t)
{
	char last[256] = "", path[LAYOUT_PATH_SIZE];
	enum store_result r = STORE_OK;
	struct store_stat st;
	char **ids;
	size_t i, n;
	bool more = true;

	while (more && r == STORE_OK) {
		r = upload_list(s, repo, last[0] != '\0' ? last : NULL, PAGE,
		    &ids, &n, &more);
		if (r != STORE_OK)
			break;
		for (i = 0; i < n; i++) {
			if (!upload_id_ok(ids[i]) || store_stat(s,
			    layout_upload_data(path, repo, ids[i]), &st) !=
			    STORE_OK)
				continue;
			t->uploads++;
			t->upload_bytes += st.size;
		}
		if (n > 0)
			str_copy(last, sizeof(last), ids[n - 1]);
		store_names_free(ids, n);
	}
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

/* Digests of one shard, blobs/<alg>/<hh>. */
static enum store_result
count_shard(struct store *s, enum digest_alg alg, const char *shard,
    struct totals *t)
{
	char dir[LAYOUT_PATH_SIZE], path[LAYOUT_PATH_SIZE];
	char text[DIGEST_STR_SIZE + 1];
	enum store_result r;
	struct store_stat st;
	struct digest d;
	char **names, *last = NULL;
	size_t i, n;
	bool more = true;

	snprintf(dir, sizeof(dir), LAYOUT_BLOBS "/%s/%s",
	    digest_alg_name(alg), shard);
	do {
		r = store_list(s, dir, last, PAGE, &names, &n, &more);
		free(last);
		last = NULL;
		if (r != STORE_OK)
			return r;
		for (i = 0; i < n; i++) {
			snprintf(text, sizeof(text), "%s:%s",
			    digest_alg_name(alg), names[i]);
			if (digest_parse(&d, text) == -1 || store_stat(s,
			    layout_blob(path, &d), &st) != STORE_OK)
				continue;
			t->blobs++;
			t->blob_bytes += st.size;
		}
		if (more && n > 0) {
			last = names[n - 1];
			names[n - 1] = NULL;
		}
		store_names_free(names, n);
	} while (last != NULL);
	return STORE_OK;
}

static enum store_result
count_blobs(struct store *s, enum digest_alg alg, struct totals *t)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	char **shards;
	size_t i, n;
	bool more;

	snprintf(path, sizeof(path), LAYOUT_BLOBS "/%s",
	    digest_alg_name(alg));
	r = store_list(s, path, NULL, 256, &shards, &n, &more);
	if (r == STORE_NOTFOUND)
		return STORE_OK;
	if (r != STORE_OK)
		return r;
	for (i = 0; i < n; i++) {
		r = count_shard(s, alg, shards[i], t);
		/* A file in the way, or a directory that has just gone. */
		if (r != STORE_OK && r != STORE_NOTFOUND)
			break;
		r = STORE_OK;
	}
	store_names_free(shards, n);
	return r;
}

/* ---- the daemon ---- */

#define ROLES	5

/* How many children of each role the parent has, where the system tells. */
static bool
count_processes(unsigned parent, unsigned counts[ROLES])
{
	static const char *const roles[ROLES] = { "worker", "keeper",
	    "collector", "verifier", "monitor" };
	char path[64], line[512];
	FILE *children, *one;
	size_t i, n;
	int pid;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/children", parent,
	    parent);
	if ((children = fopen(path, "re")) == NULL)
		return false;
	while (fscanf(children, "%d", &pid) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
		if ((one = fopen(path, "re")) == NULL)
			continue;
		/* "registryd", "-P", role, ...; each with its NUL */
		n = fread(line, 1, sizeof(line) - 1, one);
		fclose(one);
		line[n] = '\0';
		for (i = 0; i < n; i++)
			if (line[i] == '\0')
				line[i] = ' ';
		for (i = 0; i < ROLES; i++) {
			snprintf(path, sizeof(path), " -P %s ", roles[i]);
			if (strstr(line, path) != NULL)
				counts[i]++;
		}
	}
	fclose(children);
	return true;
}

static void
add_processes(json_t *status)
{
	unsigned counts[ROLES] = { 0 };

	if (!count_processes((unsigned)ctl_number(status, "parent"), counts))
		return;
	json_object_set_new(status, "processes", json_pack(
	    "{si si si si si}", "workers", (int)counts[0], "keepers",
	    (int)counts[1], "collectors", (int)counts[2], "verifiers",
	    (int)counts[3], "monitors", (int)counts[4]));
}

static void
print_processes(const json_t *status)
{
	const json_t *p = json_object_get(status, "processes");
	unsigned verifiers = (unsigned)ctl_number(p, "verifiers");

	printf("registryd:    %s, process %u", ctl_text(status, "version"),
	    (unsigned)ctl_number(status, "parent"));
	if (p != NULL)
		printf(": %u workers, %u keepers, %u collector",
		    (unsigned)ctl_number(p, "workers"),
		    (unsigned)ctl_number(p, "keepers"),
		    (unsigned)ctl_number(p, "collectors"));
	if (verifiers > 0)
		printf(", %u verifiers", verifiers);
	if (ctl_number(p, "monitors") > 0)
		fputs(", a monitor", stdout);
	putchar('\n');
}

static void
print_collection(const json_t *status)
{
	const json_t *job = json_object_get(status, "job");
	const json_t *last = json_object_get(status, "last_collection");
	const json_t *totals = json_object_get(status, "totals");
	char size[16];

	if (job != NULL)
		printf("at work:      %s, %s, %llu of %llu\n",
		    ctl_text(job, "job"), ctl_text(job, "phase"),
		    (unsigned long long)ctl_number(job, "done"),
		    (unsigned long long)ctl_number(job, "total"));
	if (last != NULL)
		printf("last run:     %s in %llu ms\n", ctl_text(last,
		    "outcome"), (unsigned long long)ctl_number(last,
		    "milliseconds"));
	printf("collected:    %llu blobs, %s, in %llu runs, %llu failed; "
	    "%llu restored; %llu uploads expired\n",
	    (unsigned long long)ctl_number(totals, "deleted"),
	    str_bytes(size, sizeof(size), ctl_number(totals,
	    "deleted_bytes")), (unsigned long long)ctl_number(totals,
	    "collections"), (unsigned long long)ctl_number(totals,
	    "failures"), (unsigned long long)ctl_number(totals, "restored"),
	    (unsigned long long)ctl_number(totals, "uploads_expired"));
}

/* Without a daemon: what the configuration and the directory say. */
static json_t *
own_status(struct ctl *ctl)
{
	static const char *const durabilities[] = { "full", "batch", "none" };
	const struct registry_conf *conf = ctl_conf(ctl);

	return json_pack("{ss ss ss}", "directory", conf->root,
	    "durability", durabilities[conf->durability], "readonly",
	    conf->readonly ? "configured" : store_stat(ctl_store(ctl),
	    LAYOUT_READONLY, NULL) == STORE_OK ? "on" : "off");
}

/* ---- all of it ---- */

static enum store_result
count_all(struct store *s, struct totals *t)
{
	enum store_result r;

	if ((r = each_repo(s, repo_list, count_repo, t)) != STORE_OK ||
	    (r = each_repo(s, repo_list_uploads, count_uploads, t)) !=
	    STORE_OK || (r = count_blobs(s, DIGEST_SHA256, t)) != STORE_OK)
		return r;
	return count_blobs(s, DIGEST_SHA512, t);
}

static void
add_totals(json_t *status, const struct totals *t, const struct statvfs *fs)
{
	json_object_update_new(status, json_pack("{sI sI sI sI sI sI}",
	    "repositories", (json_int_t)t->repositories,
	    "tags", (json_int_t)t->tags, "blobs", (json_int_t)t->blobs,
	    "blob_bytes", (json_int_t)t->blob_bytes,
	    "uploads", (json_int_t)t->uploads,
	    "upload_bytes", (json_int_t)t->upload_bytes));
	if (fs != NULL)
		json_object_update_new(status, json_pack("{sI sI}",
		    "free_bytes", (json_int_t)fs->f_bavail *
		    (json_int_t)fs->f_frsize, "disk_bytes",
		    (json_int_t)fs->f_blocks * (json_int_t)fs->f_frsize));
}

static void
print_totals(const json_t *status)
{
	char a[16], b[16];

	printf("repositories: %llu\n",
	    (unsigned long long)ctl_number(status, "repositories"));
	printf("tags:         %llu\n",
	    (unsigned long long)ctl_number(status, "tags"));
	printf("blobs:        %llu, %s\n",
	    (unsigned long long)ctl_number(status, "blobs"),
	    str_bytes(a, sizeof(a), ctl_number(status, "blob_bytes")));
	printf("uploads:      %llu, %s\n",
	    (unsigned long long)ctl_number(status, "uploads"),
	    str_bytes(a, sizeof(a), ctl_number(status, "upload_bytes")));
	if (json_object_get(status, "free_bytes") != NULL)
		printf("free:         %s of %s\n", str_bytes(a, sizeof(a),
		    ctl_number(status, "free_bytes")), str_bytes(b,
		    sizeof(b), ctl_number(status, "disk_bytes")));
}

/* ---- scrubs ---- */

static void
add_scrubs(struct ctl *ctl, json_t *status)
{
	const struct registry_conf *conf = ctl_conf(ctl);
	struct scrub_record record;

	if (scrub_record_get(ctl_store(ctl), &record) == STORE_OK)
		json_object_set_new(status, "scrub", admin_scrub_record(
		    &record, conf->scrub_enabled && !conf->readonly,
		    conf->scrub_interval_ms));
}

/* In percent; nothing of nothing has been done. */
static unsigned
share(uint64_t part, uint64_t all)
{
	if (part > all)
		part = all;
	return all == 0 ? 0 :
	    (unsigned)((double)part / (double)all * 100);
}

static void
print_scrubs(const json_t *status)
{
	const json_t *scrub = json_object_get(status, "scrub");
	const json_t *last = json_object_get(scrub, "last");
	const json_t *now = json_object_get(scrub, "under_way");
	const char *next = ctl_text(scrub, "next");

	if (last != NULL)
		printf("last scrub:   ended %s: %llu blobs, %llu bad, %llu "
		    "unreadable\n", ctl_text(last, "ended"),
		    (unsigned long long)ctl_number(last, "blobs"),
		    (unsigned long long)ctl_number(last, "bad"),
		    (unsigned long long)ctl_number(last, "unreadable"));
	if (now != NULL)
		printf("scrub:        under way since %s, %u%%: %llu bad, "
		    "%llu unreadable\n", ctl_text(now, "began"),
		    share(ctl_number(now, "part"), ctl_number(now, "parts")),
		    (unsigned long long)ctl_number(now, "bad"),
		    (unsigned long long)ctl_number(now, "unreadable"));
	else if (next[0] != '\0')
		printf("next scrub:   %s\n", next);
}

/* ---- what is wrong ---- */

static void
add_trouble(struct ctl *ctl, json_t *status, const struct statvfs *fs)
{
	struct trouble_list list = { .items = json_array() };
	struct trouble_space space;

	if (fs != NULL) {
		space.total = (uint64_t)fs->f_blocks * fs->f_frsize;
		space.left = (uint64_t)fs->f_bavail * fs->f_frsize;
		space.readonly = (fs->f_flag & ST_RDONLY) != 0;
	}
	trouble_look(&list, ctl_store(ctl), ctl_conf(ctl)->reserve,
	    fs != NULL ? &space : NULL);
	/* The daemon's own follow. */
	json_array_extend(list.items, json_object_get(status, "degraded"));
	json_object_set_new(status, "degraded", list.items);
	json_object_set_new(status, "state", json_string(
	    json_array_size(list.items) > 0 ? "degraded" : "ok"));
}

static void
print_trouble(const json_t *status)
{
	const json_t *list = json_object_get(status, "degraded"), *item;
	char text[1024];
	size_t i;

	printf("state:        %s\n", ctl_text(status, "state"));
	json_array_foreach(list, i, item) {
		printf("  %s: %s\n", ctl_text(item, "reason"),
		    ctl_vis(text, sizeof(text), ctl_text(item, "text")));
		printf("    what to do: %s\n", ctl_text(item, "do"));
	}
}

static void
print_restarts(const json_t *status)
{
	const json_t *r = json_object_get(status, "restarts");

	printf("restarts:     %llu workers, %llu keepers, %llu collectors, "
	    "%llu verifiers, %llu monitors\n",
	    (unsigned long long)ctl_number(r, "workers"),
	    (unsigned long long)ctl_number(r, "keepers"),
	    (unsigned long long)ctl_number(r, "collectors"),
	    (unsigned long long)ctl_number(r, "verifiers"),
	    (unsigned long long)ctl_number(r, "monitors"));
}

static void
print_status(const json_t *status, bool running)
{
	char text[4096];

	print_trouble(status);

	if (running)
		print_processes(status);
	else
		puts("registryd:    not running on this host");
	printf("directory:    %s\n", ctl_vis(text, sizeof(text),
	    ctl_text(status, "directory")));
	printf("durability:   %s\n", ctl_text(status, "durability"));
	printf("read-only:    %s\n", ctl_text(status, "readonly"));
	if (running) {
		print_restarts(status);
		print_collection(status);
	}
	print_scrubs(status);
	print_totals(status);
}

enum ctl_status
ctl_status_command(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	struct totals t = { 0 };
	enum ctl_status s = CTL_OK;
	enum store_result r;
	struct statvfs fs;
	json_t *status;
	bool running, known;

	if (ctl_option(ctl, argc, argv, longopts) != -1 || optind != argc)
		ctl_usage();
	if ((running = ctl_running(ctl)))
		s = ctl_tell(ctl, json_pack("{ss}", "command", "status"),
		    &status);
	else
		status = own_status(ctl);
	if (s != CTL_OK)
		return s;
	if ((r = count_all(ctl_store(ctl), &t)) != STORE_OK) {
		json_decref(status);
		return ctl_fail(store_path(ctl->store), r);
	}
	add_processes(status);
	add_scrubs(ctl, status);
	json_object_set_new(status, "running", json_boolean(running));
	known = statvfs(store_path(ctl->store), &fs) == 0;
	add_totals(status, &t, known ? &fs : NULL);
	add_trouble(ctl, status, known ? &fs : NULL);
	if (json_array_size(json_object_get(status, "degraded")) > 0)
		s = CTL_PROBLEM;
	if (ctl->json)
		ctl_print_json(status);
	else {
		print_status(status, running);
		json_decref(status);
	}
	return s;
}
