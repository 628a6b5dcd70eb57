/* SPDX-License-Identifier: ISC */
/*
 * The oracle of gcstress.  All fields are atomic and in one order for all;
 * the order in which they are written and read is what makes it right: a
 * change shows its slot before it begins, and what it leaves behind before
 * the slot is cleared.
 */
#include "oracle.h"

#include <sys/mman.h>

#include <err.h>
#include <stdarg.h>
#include <stdio.h>

#define NOTHING		255u

struct shared *oracle;

void
oracle_make(void)
{
	unsigned r, t;

	oracle = mmap(NULL, sizeof(*oracle), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (oracle == MAP_FAILED)
		err(1, "mmap");
	atomic_store(&oracle->tick, 1);
	for (r = 0; r < NREPOS; r++)
		for (t = 0; t < NTAGS; t++)
			atomic_store(&oracle->tags[r][t].stable, NOTHING);
}

void
oracle_violation(const char *fmt, ...)
{
	bool first = false;
	va_list ap;

	atomic_fetch_add(&oracle->violations, 1);
	if (!atomic_compare_exchange_strong(&oracle->first, &first, true))
		return;
	va_start(ap, fmt);
	vsnprintf(oracle->text, sizeof(oracle->text), fmt, ap);
	va_end(ap);
}

static uint64_t
next_tick(void)
{
	return atomic_fetch_add(&oracle->tick, 1);
}

static void
raise_to(counter *c, uint64_t v)
{
	uint_fast64_t old = atomic_load(c);

	while (old < v && !atomic_compare_exchange_weak(c, &old, v))
		;
}

/* ---- slots ---- */

static uint64_t
slot_value(enum op op, unsigned repo, unsigned object, unsigned tag)
{
	return (uint64_t)op << 24 | repo << 16 | object << 8 | tag;
}

static enum op
slot_op(uint64_t v)
{
	return (enum op)(v >> 24 & 0xff);
}

/* Is anybody doing this to that object?  But not the one in "but". */
static bool
is_open(enum op op, unsigned repo, unsigned object, unsigned but)
{
	uint64_t v;
	unsigned i;

	for (i = 0; i < NSLOTS; i++) {
		v = atomic_load(&oracle->slots[i]);
		if (i != but && slot_op(v) == op && (v >> 16 & 0xff) == repo &&
		    (v >> 8 & 0xff) == object)
			return true;
	}
	return false;
}

static bool
is_tag_open(unsigned repo, unsigned tag, unsigned but)
{
	uint64_t v;
	unsigned i;

	for (i = 0; i < NSLOTS; i++) {
		v = atomic_load(&oracle->slots[i]);
		if (i != but && slot_op(v) != OP_NONE &&
		    (v >> 16 & 0xff) == repo && (v & 0xff) == tag)
			return true;
	}
	return false;
}

/* ---- changes ---- */

void
change_begin(struct change *c, unsigned slot, enum op op, unsigned repo,
    unsigned object, unsigned tag)
{
	struct tag_cell *cell;

	c->slot = slot;
	c->op = op;
	c->repo = repo;
	c->object = object;
	c->tag = tag;
	c->solo = false;
	atomic_store(&oracle->slots[slot], slot_value(op, repo, object, tag));
	c->start = next_tick();
	if (tag == NO_TAG)
		return;
	cell = &oracle->tags[repo][tag];
	c->attempt = atomic_fetch_add(&cell->attempts, 1) + 1;
	c->solo = !is_tag_open(repo, tag, slot);
}

static void
end_revision(const struct change *c, bool acknowledged)
{
	struct revision_cell *cell = &oracle->revisions[c->repo][c->object];

	if (c->op == OP_PUT) {
		if (acknowledged && !oracle->policy)
			raise_to(&cell->acked, c->start);
		raise_to(&cell->put_end, next_tick());
	} else {
		if (acknowledged)
			raise_to(&cell->deleted, c->start);
		raise_to(&cell->delete_end, next_tick());
	}
}

static void
end_tag(const struct change *c, bool acknowledged)
{
	struct tag_cell *cell = &oracle->tags[c->repo][c->tag];
	unsigned value = c->op == OP_PUT ? c->object : NOTHING;

	if (!acknowledged || !c->solo ||
	    atomic_load(&cell->attempts) != c->attempt)
		return;
	atomic_store(&cell->start, c->start);
	atomic_store(&cell->stable, c->attempt << 8 | value);
}

void
change_end(struct change *c, bool acknowledged)
{
	if (c->op == OP_PUT || c->op == OP_DELETE)
		end_revision(c, acknowledged);
	if (c->op == OP_BLOB_DELETE)
		raise_to(&oracle->links[c->repo][c->object].delete_end,
		    next_tick());
	if (c->tag != NO_TAG)
		end_tag(c, acknowledged);
	atomic_fetch_add(&oracle->done[c->op], 1);
	atomic_store(&oracle->slots[c->slot], 0);
}

void
change_bury(unsigned slot)
{
	uint64_t v = atomic_load(&oracle->slots[slot]);
	struct change c = { .slot = slot, .op = slot_op(v),
	    .repo = (unsigned)(v >> 16 & 0xff),
	    .object = (unsigned)(v >> 8 & 0xff), .tag = NO_TAG };

	if (c.op == OP_PUT || c.op == OP_DELETE)
		end_revision(&c, false);
	if (c.op == OP_BLOB_DELETE)
		raise_to(&oracle->links[c.repo][c.object].delete_end,
		    next_tick());
	atomic_store(&oracle->slots[slot], 0);
}

void
read_begin(unsigned slot, enum op op)
{
	/* No object: nobody waits for readers. */
	atomic_store(&oracle->slots[slot], slot_value(op, 0xff, 0xff,
	    NO_TAG));
}

void
read_end(unsigned slot, enum op op)
{
	atomic_fetch_add(&oracle->done[op], 1);
	atomic_store(&oracle->slots[slot], 0);
}

/* ---- revisions ---- */

void
watch_begin(struct watch *w, unsigned repo, unsigned manifest)
{
	struct revision_cell *cell = &oracle->revisions[repo][manifest];
	uint64_t deleted;

	w->repo = repo;
	w->manifest = manifest;
	w->acked = atomic_load(&cell->acked);
	deleted = atomic_load(&cell->deleted);
	w->put_end = atomic_load(&cell->put_end);
	w->delete_end = atomic_load(&cell->delete_end);
	w->expect = EXPECT_ANY;
	if (w->acked > w->delete_end &&
	    !is_open(OP_DELETE, repo, manifest, NSLOTS))
		w->expect = EXPECT_PRESENT;
	else if (deleted > w->put_end &&
	    !is_open(OP_PUT, repo, manifest, NSLOTS))
		w->expect = EXPECT_ABSENT;
}

enum expect
watch_end(const struct watch *w)
{
	struct revision_cell *cell = &oracle->revisions[w->repo][w->manifest];

	if (w->expect == EXPECT_PRESENT &&
	    (is_open(OP_DELETE, w->repo, w->manifest, NSLOTS) ||
	    atomic_load(&cell->delete_end) != w->delete_end))
		return EXPECT_ANY;
	if (w->expect == EXPECT_ABSENT &&
	    (is_open(OP_PUT, w->repo, w->manifest, NSLOTS) ||
	    atomic_load(&cell->put_end) != w->put_end))
		return EXPECT_ANY;
	return w->expect;
}

bool
watch_quiet(const struct watch *w)
{
	struct revision_cell *cell = &oracle->revisions[w->repo][w->manifest];

	return !is_open(OP_DELETE, w->repo, w->manifest, NSLOTS) &&
	    !is_open(OP_PUT, w->repo, w->manifest, NSLOTS) &&
	    atomic_load(&cell->delete_end) == w->delete_end &&
	    atomic_load(&cell->put_end) == w->put_end;
}

bool
watch_undeleted(const struct watch *w, uint64_t since)
{
	struct revision_cell *cell = &oracle->revisions[w->repo][w->manifest];

	return !is_open(OP_DELETE, w->repo, w->manifest, NSLOTS) &&
	    atomic_load(&cell->delete_end) < since;
}

/* ---- tags ---- */

bool
tag_watch_begin(struct tag_watch *w, unsigned repo, unsigned tag)
{
	struct tag_cell *cell = &oracle->tags[repo][tag];
	struct revision_cell *rev;
	uint64_t start;

	w->repo = repo;
	w->tag = tag;
	w->stable = atomic_load(&cell->stable);
	start = atomic_load(&cell->start);
	w->manifest = (unsigned)(w->stable & 0xff);
	if (atomic_load(&cell->attempts) != w->stable >> 8 ||
	    is_tag_open(repo, tag, NSLOTS))
		return false;
	if (w->manifest == NOTHING)
		return true;
	/* Whoever deletes the manifest takes the tag as well. */
	rev = &oracle->revisions[repo][w->manifest];
	w->delete_end = atomic_load(&rev->delete_end);
	return w->delete_end < start &&
	    !is_open(OP_DELETE, repo, w->manifest, NSLOTS);
}

bool
tag_watch_end(const struct tag_watch *w)
{
	struct tag_cell *cell = &oracle->tags[w->repo][w->tag];
	struct revision_cell *rev;

	if (is_tag_open(w->repo, w->tag, NSLOTS) ||
	    atomic_load(&cell->stable) != w->stable ||
	    atomic_load(&cell->attempts) != w->stable >> 8)
		return false;
	if (w->manifest == NOTHING)
		return true;
	rev = &oracle->revisions[w->repo][w->manifest];
	return atomic_load(&rev->delete_end) == w->delete_end &&
	    !is_open(OP_DELETE, w->repo, w->manifest, NSLOTS);
}
