/* SPDX-License-Identifier: ISC */
/*
 * The lists of registryctl: fetched in pages, shown as they come.
 */
#include <stdio.h>

#include "registryctl.h"
#include "str.h"

static const struct option only_json[] = {
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 }
};

/* Show the items of a page, or keep them for the one object of --json. */
typedef void print_fn(const json_t *item);

static void
take_items(const struct ctl *ctl, json_t *items, print_fn *print, json_t *all)
{
	json_t *item;
	size_t i;

	if (ctl->json) {
		json_array_extend(all, items);
		return;
	}
	json_array_foreach(items, i, item)
		print(item);
}

/*
 * Ask for pages until there are no more.  after() puts into the next request
 * where the page ended.
 */
typedef void after_fn(json_t *request, const json_t *last);

static enum ctl_status
show_pages(struct ctl *ctl, const json_t *request, const char *key,
    print_fn *print, after_fn *after)
{
	json_t *next = json_deep_copy(request), *result, *items, *all;
	enum ctl_status status = CTL_OK;
	bool more = true;
	size_t n;

	all = json_array();
	while (more && status == CTL_OK) {
		status = ctl_ask(ctl, json_deep_copy(next), false, &result);
		if (status != CTL_OK)
			break;
		items = json_object_get(result, key);
		take_items(ctl, items, print, all);
		n = json_array_size(items);
		more = json_is_true(json_object_get(result, "more")) && n > 0;
		if (more)
			after(next, json_array_get(items, n - 1));
		json_decref(result);
	}
	json_decref(next);
	if (ctl->json && status == CTL_OK)
		ctl_print_json(json_pack("{so}", key, all));
	else
		json_decref(all);
	return status;
}

/* ---- repositories ---- */

static void
print_repository(const json_t *item)
{
	char text[1024];

	puts(ctl_vis(text, sizeof(text), json_string_value(item)));
}

static void
after_repository(json_t *request, const json_t *last)
{
	json_object_set_new(request, "after",
	    json_string(json_string_value(last)));
}

enum ctl_status
ctl_repository_list(struct ctl *ctl, int argc, char **argv)
{
	enum ctl_status status;
	json_t *request;

	if (ctl_option(ctl, argc, argv, only_json) != -1 || optind != argc)
		ctl_usage();
	request = json_pack("{ss}", "command", "repositories");
	status = show_pages(ctl, request, "repositories", print_repository,
	    after_repository);
	json_decref(request);
	return status;
}

/* ---- tags ---- */

static void
print_tag(const json_t *item)
{
	char tag[512], digest[512];

	printf("%s %s\n", ctl_vis(tag, sizeof(tag), ctl_text(item, "tag")),
	    ctl_vis(digest, sizeof(digest), ctl_text(item, "digest")));
}

static void
after_tag(json_t *request, const json_t *last)
{
	json_object_set(request, "after", json_object_get(last, "tag"));
}

enum ctl_status
ctl_tag_list(struct ctl *ctl, int argc, char **argv)
{
	enum ctl_status status;
	json_t *request;

	if (ctl_option(ctl, argc, argv, only_json) != -1 ||
	    optind != argc - 1)
		ctl_usage();
	ctl_repository(argv[optind]);
	request = json_pack("{ss ss}", "command", "tags", "repository",
	    argv[optind]);
	status = show_pages(ctl, request, "tags", print_tag, after_tag);
	json_decref(request);
	return status;
}

/* ---- uploads ---- */

static void
print_upload(const json_t *item)
{
	char repo[1024], id[512], when[64], size[16];

	printf("%s %s %s %s\n", ctl_vis(repo, sizeof(repo), ctl_text(item,
	    "repository")), ctl_vis(id, sizeof(id), ctl_text(item,
	    "upload")), str_bytes(size, sizeof(size), ctl_number(item,
	    "bytes")), ctl_vis(when, sizeof(when), ctl_text(item,
	    "modified")));
}

static void
after_upload(json_t *request, const json_t *last)
{
	json_object_set(request, "after_repository", json_object_get(last,
	    "repository"));
	json_object_set(request, "after", json_object_get(last, "upload"));
}

enum ctl_status
ctl_upload_list(struct ctl *ctl, int argc, char **argv)
{
	enum ctl_status status;
	json_t *request;

	if (ctl_option(ctl, argc, argv, only_json) != -1 || optind != argc)
		ctl_usage();
	request = json_pack("{ss}", "command", "uploads");
	status = show_pages(ctl, request, "uploads", print_upload,
	    after_upload);
	json_decref(request);
	return status;
}
