/* SPDX-License-Identifier: ISC */
/*
 * What collections and scrubs report, as the objects that registryctl shows.
 */
#include "admin.h"

#include <string.h>

#include "clock.h"
#include "str.h"

#define GC_MEMORY_OVER	"too many objects, raise registryd.collect.memory"

static void
put_number(json_t *object, const char *key, uint64_t n)
{
	json_object_set_new(object, key, json_integer((json_int_t)n));
}

/* Names in a store may be any bytes, those of JSON are UTF-8. */
static json_t *
path_json(const char *path)
{
	char text[4 * sizeof(((struct gc_report *)NULL)->path)];
	json_t *string = json_string(path);

	return string != NULL ? string : json_string(str_vis(text,
	    sizeof(text), path, strlen(path)));
}

static json_t *
strange_json(const struct gc_report *report)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < GC_STRANGE_PATHS && i < report->strange; i++)
		json_array_append_new(list,
		    path_json(report->strange_paths[i]));
	return list;
}

static json_t *
count_json(const struct gc_count *c)
{
	json_t *object = json_object();

	put_number(object, "live", c->live);
	put_number(object, "condemned", c->condemned);
	put_number(object, "young", c->young);
	put_number(object, "waiting", c->waiting);
	put_number(object, "restored", c->restored);
	put_number(object, "deleted", c->deleted);
	return object;
}

json_t *
admin_gc_report(const struct gc_report *report, const char *outcome,
    uint64_t took_ms, bool dryrun)
{
	json_t *object = json_object();
	size_t i;

	json_object_set_new(object, "outcome", json_string(
	    report->memory_over ? GC_MEMORY_OVER : outcome));
	json_object_set_new(object, "dry_run", json_boolean(dryrun));
	for (i = 0; i < GC_NCLASSES; i++)
		json_object_set_new(object, gc_class_name((enum gc_class)i),
		    count_json(&report->counts[i]));
	put_number(object, "condemned_bytes", report->condemned_bytes);
	put_number(object, "young_bytes", report->young_bytes);
	put_number(object, "waiting_bytes", report->waiting_bytes);
	put_number(object, "deleted_bytes", report->deleted_bytes);
	put_number(object, "repositories", report->repositories);
	put_number(object, "leftovers_deleted", report->leftovers_deleted);
	put_number(object, "damaged", report->damaged);
	put_number(object, "strange", report->strange);
	json_object_set_new(object, "strange_paths", strange_json(report));
	put_number(object, "hiding", report->hiding);
	put_number(object, "manifests_read", report->manifests_read);
	put_number(object, "memory", report->memory);
	put_number(object, "milliseconds", took_ms);
	if (report->path[0] != '\0')
		json_object_set_new(object, "path",
		    path_json(report->path));
	return object;
}

json_t *
admin_scrub_report(const struct scrub_report *report, const char *outcome,
    uint64_t took_ms)
{
	json_t *object = json_object(), *list = json_array();
	char text[DIGEST_STR_SIZE];
	size_t i;

	json_object_set_new(object, "outcome", json_string(outcome));
	put_number(object, "blobs", report->blobs);
	put_number(object, "bytes", report->bytes);
	put_number(object, "bad", report->bad);
	put_number(object, "quarantined", report->quarantined);
	put_number(object, "unreadable", report->unreadable);
	put_number(object, "unsteady", report->unsteady);
	put_number(object, "mended", report->mended);
	put_number(object, "returned", report->returned);
	put_number(object, "strange", report->strange);
	put_number(object, "milliseconds", took_ms);
	for (i = 0; i < report->nlist; i++)
		json_array_append_new(list, json_string(digest_format(text,
		    &report->list[i])));
	json_object_set_new(object, "digests", list);
	return object;
}

static void
put_time(json_t *object, const char *key, uint64_t t)
{
	char when[32];

	json_object_set_new(object, key, json_string(clock_rfc3339(when,
	    sizeof(when), (time_t)t)));
}

static json_t *
scrub_counts_json(const struct scrub_counts *c)
{
	json_t *object = json_object();

	put_number(object, "blobs", c->blobs);
	put_number(object, "bytes", c->bytes);
	put_number(object, "bad", c->bad);
	put_number(object, "quarantined", c->quarantined);
	put_number(object, "unreadable", c->unreadable);
	put_number(object, "unsteady", c->unsteady);
	put_number(object, "mended", c->mended);
	put_number(object, "returned", c->returned);
	put_number(object, "strange", c->strange);
	return object;
}

json_t *
admin_scrub_record(const struct scrub_record *record, bool scheduled,
    uint64_t interval_ms)
{
	uint64_t now = (uint64_t)clock_wall();
	json_t *object = json_object(), *run;

	json_object_set_new(object, "scheduled", json_boolean(scheduled));
	if (record->last_ended != 0) {
		run = scrub_counts_json(&record->last);
		put_time(run, "began", record->last_began);
		put_time(run, "ended", record->last_ended);
		json_object_set_new(object, "last", run);
	}
	if (record->began != 0) {
		run = scrub_counts_json(&record->cursor.counts);
		put_time(run, "began", record->began);
		put_number(run, "part", record->cursor.shard);
		put_number(run, "parts", SCRUB_SHARDS);
		json_object_set_new(object, "under_way", run);
	}
	if (scheduled)
		put_time(object, "next", now + scrub_record_due_ms(record,
		    interval_ms, now) / 1000);
	return object;
}
