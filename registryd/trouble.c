/* SPDX-License-Identifier: ISC */
/*
 * What is wrong with a registry that still serves.  Used by the collector,
 * and by registryctl on the directory; changes nothing.
 */
#include "trouble.h"

#include <stdarg.h>
#include <stdio.h>

#include "layout.h"
#include "str.h"

#define TEXT_MAX	256
#define SHARE		64	/* the reserve takes no more of a file system */

static const struct {
	const char	*name;
	const char	*todo;
} troubles[TROUBLE_N] = {
	[TROUBLE_SYNC] = { "sync-failed",
	    "look at the disk and at the kernel's log; what was not "
	    "acknowledged may be lost: run registryctl fsck" },
	[TROUBLE_DISK_READONLY] = { "disk-readonly",
	    "pulls go on, pushes get 503: look at the kernel's log, then "
	    "mount it writable" },
	[TROUBLE_DISK_FULL] = { "disk-full",
	    "pushes get 507: delete images and run registryctl collect, or "
	    "enlarge the file system" },
	[TROUBLE_MARK] = { "readonly-mark",
	    "registryctl readonly off, when the reason for it has gone" },
	[TROUBLE_COLLECT] = { "collection-failed",
	    "the log says where it stopped; then run registryctl collect" },
	[TROUBLE_EXPIRE] = { "expiry-failed",
	    "the log says why; abandoned uploads stay until it works" },
	[TROUBLE_SCRUB] = { "scrub-failed",
	    "the log says why; then run registryctl scrub" },
	[TROUBLE_BAD_BLOBS] = { "bad-blobs",
	    "push the images that have them again; look at the disk" },
	[TROUBLE_RESTARTS] = { "restarts",
	    "the log says how they ended" }
};

const char *
trouble_name(enum trouble t)
{
	return troubles[t].name;
}

void
trouble_add(struct trouble_list *list, enum trouble t, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	list->has[t] = true;
	if (list->items == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)json_array_append_new(list->items, json_pack("{ss ss ss}",
	    "reason", troubles[t].name, "text", text, "do",
	    troubles[t].todo));
}

/* A reserve without bytes has been given out. */
static void
look_at_space(struct trouble_list *list, struct store *s, uint64_t reserve,
    const struct trouble_space *space)
{
	char left[16];
	struct store_stat st;
	bool given;

	given = reserve > 0 &&
	    store_stat(s, LAYOUT_RESERVE, &st) == STORE_OK && st.size == 0;
	if (!given && (space == NULL || space->left >= reserve ||
	    space->left >= space->total / SHARE))
		return;
	if (space == NULL)
		trouble_add(list, TROUBLE_DISK_FULL,
		    "the reserve of the disk is in use");
	else
		trouble_add(list, TROUBLE_DISK_FULL, "%s free, %s",
		    str_bytes(left, sizeof(left), space->left), given ?
		    "and the reserve is in use" : "less than the reserve of "
		    "registryd.reserve");
}

void
trouble_look(struct trouble_list *list, struct store *s, uint64_t reserve,
    const struct trouble_space *space)
{
	if (space != NULL && space->readonly)
		trouble_add(list, TROUBLE_DISK_READONLY,
		    "the file system is mounted read-only");
	look_at_space(list, s, reserve, space);
	if (store_stat(s, LAYOUT_READONLY, NULL) == STORE_OK)
		trouble_add(list, TROUBLE_MARK,
		    "\"registryctl readonly on\" is in force");
}
