/* SPDX-License-Identifier: ISC */
/*
 * What an administrator asks of a store, as one JSON object in and one out:
 * done by the collector for registryctl, or by registryctl itself on the
 * directory while no registryd runs on this host.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include <jansson.h>
#include <stddef.h>

#include "gc.h"
#include "scrub.h"
#include "scrub_record.h"
#include "store.h"

/* Names in one answer: less than CONTROL_ANSWER_MAX if each is the longest. */
#define ADMIN_PAGE_MAX	4096
#define ADMIN_ERROR_SIZE 400

/*
 * Commands: "repositories" {after, limit}, "tags" {repository, after, limit},
 * "uploads" {after_repository, after, limit}: a page of a list, with "more".
 * "repository-remove" {repository}, "tag-remove" {repository, tag},
 * "upload-cancel" {repository, upload}, "readonly" {on}: durable when
 * answered.  The result is the caller's; NULL: the reason is in "error".
 */
json_t	*admin_run(struct store *, const char *command, const json_t *request,
	    char *error, size_t errsize);
/* Reports as results. */
json_t	*admin_gc_report(const struct gc_report *, const char *outcome,
	    uint64_t took_ms, bool dryrun);
/*
 * What a store remembers of its scrubs, and when the next one is due, at the
 * earliest; not when "scheduled" is false.
 */
json_t	*admin_scrub_record(const struct scrub_record *, bool scheduled,
	    uint64_t interval_ms);
json_t	*admin_scrub_report(const struct scrub_report *, const char *outcome,
	    uint64_t took_ms);

#endif
