/* SPDX-License-Identifier: ISC */
/*
 * gc: what a run remembers has a bound, grows as the header says, and a run
 * that meets the bound has changed nothing.
 */
#include "gc_tree.h"

#include "gc_set.h"

#define IMAGES		1000
#define LAYERS		10		/* of each */
#define BODY_SIZE	(64 + LAYERS * DIGEST_STR_SIZE)

/* An image of many layers, and as many blobs that nothing refers to. */
static void
put_many(struct tmp_store *t, unsigned images)
{
	char body[BODY_SIZE], text[DIGEST_STR_SIZE], path[LAYOUT_PATH_SIZE];
	char name[32];
	struct digest d;
	unsigned i, l;
	size_t n;

	for (i = 0; i < images; i++) {
		n = (size_t)snprintf(body, sizeof(body), "[");
		for (l = 0; l < LAYERS; l++) {
			snprintf(name, sizeof(name), "%u of %u", l, i);
			d = tmp_digest(name);
			digest_format(text, &d);
			tmp_write(t, layout_blob(path, &d), name);
			tmp_write(t, layout_layer(path, "a", &d), text);
			n += (size_t)snprintf(body + n, sizeof(body) - n,
			    "\"%s\",", text);
		}
		snprintf(body + n, sizeof(body) - n, "]");
		d = tmp_digest(body);
		tmp_write(t, layout_blob(path, &d), body);
		tmp_write(t, layout_revision(path, "a", &d),
		    digest_format(text, &d));
		if (i % 2 != 0)
			continue;
		snprintf(name, sizeof(name), "v%u", i);
		tmp_write(t, layout_tag_current(path, "a", name), text);
	}
	for (i = 0; i < images; i++) {
		snprintf(name, sizeof(name), "rubbish %u", i);
		d = tmp_digest(name);
		tmp_write(t, layout_blob(path, &d), name);
	}
	tree_age(t, HOUR);
}

/*
 * A tenth of 100,000 blobs and 10,000 manifests, of which 64 MiB have to be
 * enough; and what gc.h says.
 */
static void
test_gc_memory_grows_as_documented(void **state)
{
	static const uint64_t untagged[] = { GC_UNTAGGED_KEEP, GRACE_MS };
	struct gc_options o = tree_options;
	struct gc_report report;
	uint64_t said;
	size_t i;

	put_many(*state, IMAGES);
	/* Blobs, references, manifests, and those that are condemned. */
	said = 2 * (20 * (uint64_t)IMAGES * (LAYERS + 2) +
	    36 * (uint64_t)IMAGES * LAYERS + 60 * (uint64_t)IMAGES +
	    43 * (uint64_t)IMAGES);
	for (i = 0; i < 2; i++) {
		o.untagged_ms = untagged[i];
		assert_int_equal(tree_collect_with(*state, &o, &report),
		    STORE_OK);
		assert_true(report.memory > 0);
		if (report.memory > said)
			fail_msg("%llu bytes, not %llu",
			    (unsigned long long)report.memory,
			    (unsigned long long)said);
		assert_true(report.memory < 64u * 1024 * 1024 / 10);
	}
	assert_int_equal(report.counts[GC_REVISIONS].condemned, IMAGES / 2);
}

static void
test_gc_memory_over_the_bound_changes_nothing(void **state)
{
	struct gc_options o = tree_options;
	struct tmp_store *t = *state;
	struct gc_report report;
	unsigned refused = 0;
	enum store_result r;
	uint64_t before;

	o.untagged_ms = GRACE_MS;
	put_many(t, 20);
	tree_collect_times(t, &o, 1);
	before = tree_hash(t);
	for (o.memory = 64;; o.memory += o.memory / 16) {
		r = tree_collect_with(t, &o, &report);
		assert_true(report.memory <= o.memory);
		if (r == STORE_OK)
			break;
		assert_int_equal(r, STORE_LIMIT);
		assert_true(report.memory_over);
		assert_true(report.phase_number < 5);
		assert_true(tree_hash(t) == before);
		refused++;
	}
	assert_true(refused > 10);
	assert_false(report.memory_over);
	assert_int_equal(report.counts[GC_BLOBS].deleted, 20);
}

/* ---- the sets alone ---- */

static void
test_gc_map_keeps_to_its_budget(void **state)
{
	struct gc_budget b = { .limit = 100000 };
	struct gc_map set = { .budget = &b }, map = { .budget = &b };
	struct gc_names_set names = { .budget = &b };
	bool failed = false;
	uint64_t i, n = 0;

	(void)state;
	for (i = 1; !failed; i++)
		n += gc_map_add(&set, i * 0x9e3779b97f4a7c15u, &failed);
	assert_true(b.over);
	assert_int_equal(errno, ENOMEM);
	assert_true(b.peak <= b.limit);
	assert_int_equal(set.n, n);
	/* What is in it stays there. */
	for (i = 1; i <= n; i++)
		assert_true(gc_map_has(&set, i * 0x9e3779b97f4a7c15u));
	gc_map_done(&set);
	assert_int_equal(b.used, 0);
	for (i = 1; gc_map_put(&map, i, (uint32_t)i) == 0; i++)
		continue;
	assert_true(b.used <= b.limit);
	gc_map_done(&map);
	assert_int_equal(b.used, 0);
	for (i = 1; gc_names_set_add(&names, (struct gc_print){ i, i }) == 0;
	    i++)
		continue;
	assert_true(b.used <= b.limit);
	gc_names_set_done(&names);
	assert_int_equal(b.used, 0);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)
	const struct CMUnitTest tests[] = {
		T(test_gc_memory_grows_as_documented),
		T(test_gc_memory_over_the_bound_changes_nothing),
		cmocka_unit_test(test_gc_map_keeps_to_its_budget)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
