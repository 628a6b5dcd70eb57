/* SPDX-License-Identifier: ISC */
/*
 * Which manifests of a repository are in use when those without a tag may
 * go: a tag, youth or a PUT under way makes one live; what a live manifest
 * names is live, and so is what names a live one as its subject.  Runs in the
 * collector; works on fingerprints alone.
 *
 * Each manifest is looked at once, whatever the shape of the graph.
 */
#include <stdlib.h>
#include <string.h>

#include "gc_state.h"

struct reverse {			/* from a subject to its referrer */
	uint64_t	 subject;
	uint32_t	 node;
};

struct spread {
	struct gc	*gc;
	struct reverse	*reverse;
	size_t		 nreverse, reverse_size;
	uint32_t	*todo;		/* live, not looked at yet */
	size_t		 ntodo;
};

void
gc_live_reset(struct gc *gc)
{
	gc_budget_free(&gc->budget, gc->nodes, gc->nodes_size,
	    sizeof(*gc->nodes));
	gc->nodes = NULL;
	gc->nnodes = gc->nodes_size = 0;
	gc_map_done(&gc->node_of);
}

enum store_result
gc_live_add(struct gc *gc, const struct digest *d, uint32_t manifest,
    bool root)
{
	struct gc_node *grown;
	uint64_t print = gc_print_digest(&gc->key, d);

	if (gc->nnodes == gc->nodes_size) {
		grown = gc_budget_grow(&gc->budget, gc->nodes,
		    &gc->nodes_size, 64, sizeof(*grown));
		if (grown == NULL)
			return STORE_NOMEM;
		gc->nodes = grown;
	}
	if (gc_map_put(&gc->node_of, print, (uint32_t)gc->nnodes) == -1)
		return STORE_NOMEM;
	gc->nodes[gc->nnodes].print = print;
	gc->nodes[gc->nnodes].manifest = manifest;
	gc->nodes[gc->nnodes++].live = root;
	return STORE_OK;
}

enum store_result
gc_live_root(struct gc *gc, const struct digest *d)
{
	uint32_t node;

	if (gc_map_get(&gc->node_of, gc_print_digest(&gc->key, d), &node))
		gc->nodes[node].live = true;
	return STORE_OK;
}

static int
reverse_compare(const void *a, const void *b)
{
	const struct reverse *x = a, *y = b;

	return x->subject < y->subject ? -1 : x->subject > y->subject;
}

/* Every digest in a manifest that has a subject may be the subject. */
static enum store_result
reverse_build(struct spread *s)
{
	struct gc *gc = s->gc;
	const struct gc_manifest *m;
	size_t i, n = 0;
	uint32_t e;

	for (i = 0; i < gc->nnodes; i++) {
		m = &gc->manifests[gc->nodes[i].manifest];
		n += m->subject ? m->nedges : 0;
	}
	s->reverse_size = n + 1;
	s->reverse = gc_budget_alloc(&gc->budget, s->reverse_size,
	    sizeof(*s->reverse));
	if (s->reverse == NULL)
		return STORE_NOMEM;
	for (i = 0; i < gc->nnodes; i++) {
		m = &gc->manifests[gc->nodes[i].manifest];
		for (e = 0; m->subject && e < m->nedges; e++) {
			s->reverse[s->nreverse].subject =
			    gc->edges[m->first + e];
			s->reverse[s->nreverse++].node = (uint32_t)i;
		}
	}
	qsort(s->reverse, s->nreverse, sizeof(*s->reverse), reverse_compare);
	return STORE_OK;
}

static void
spread_to(struct spread *s, uint32_t node)
{
	if (s->gc->nodes[node].live)
		return;
	s->gc->nodes[node].live = true;
	s->todo[s->ntodo++] = node;
}

static void
spread_referrers(struct spread *s, uint64_t print)
{
	size_t low = 0, high = s->nreverse, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (s->reverse[mid].subject < print)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < s->nreverse && s->reverse[low].subject == print; low++)
		spread_to(s, s->reverse[low].node);
}

static void
spread_from(struct spread *s, uint32_t node)
{
	struct gc *gc = s->gc;
	const struct gc_manifest *m =
	    &gc->manifests[gc->nodes[node].manifest];
	uint32_t e, child;

	for (e = 0; e < m->nedges; e++)
		if (gc_map_get(&gc->node_of, gc->edges[m->first + e],
		    &child))
			spread_to(s, child);
	spread_referrers(s, gc->nodes[node].print);
}

static enum store_result
spread_all(struct spread *s)
{
	struct gc *gc = s->gc;
	enum store_result r;
	size_t i;

	s->todo = gc_budget_alloc(&gc->budget, gc->nnodes + 1,
	    sizeof(*s->todo));
	if (s->todo == NULL)
		return STORE_NOMEM;
	if ((r = reverse_build(s)) != STORE_OK)
		return r;
	for (i = 0; i < gc->nnodes; i++)
		if (gc->nodes[i].live)
			s->todo[s->ntodo++] = (uint32_t)i;
	while (s->ntodo > 0)
		spread_from(s, s->todo[--s->ntodo]);
	return STORE_OK;
}

/*
 * What one that may go names stays until it has gone: a lease may bring it
 * back at any time, and then nothing that it needs may be missing.
 */
static enum store_result
mark_named(struct gc *gc, const struct gc_node *node)
{
	const struct gc_manifest *m = &gc->manifests[node->manifest];
	enum store_result r = STORE_OK;
	uint32_t e, named;

	for (e = 0; e < m->nedges && r == STORE_OK; e++)
		if (gc_map_get(&gc->node_of, gc->edges[m->first + e], &named))
			r = gc_mark(gc, GC_REVISIONS, gc->nodes[named].print);
	return r;
}

/*
 * After all revisions and tags of the repository.  Where the bytes of one
 * are lost nobody knows what it named, so all are live.
 */
enum store_result
gc_live_spread(struct gc *gc, const struct gc_item *item)
{
	struct spread s = { .gc = gc };
	enum store_result r = STORE_OK;
	size_t i;

	(void)item;
	if (!gc->repo_damaged)
		r = spread_all(&s);
	for (i = 0; i < gc->nnodes && r == STORE_OK; i++)
		r = gc->repo_damaged || gc->nodes[i].live ?
		    gc_mark(gc, GC_REVISIONS, gc->nodes[i].print) :
		    mark_named(gc, &gc->nodes[i]);
	gc_budget_free(&gc->budget, s.reverse, s.reverse_size,
	    sizeof(*s.reverse));
	gc_budget_free(&gc->budget, s.todo, gc->nnodes + 1, sizeof(*s.todo));
	gc_live_reset(gc);
	return r;
}
