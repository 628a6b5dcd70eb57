/* SPDX-License-Identifier: ISC */
/*
 * Collection while serving, as registryd does it: blobs, layer links and
 * revisions that are live, condemned or gone; publishers, uploads, mounts,
 * deletes and readers beside collectors.  run.sh beside this file checks
 * every scenario with spin, and every broken variant, which spin must refute.
 *
 * One blob B and one manifest D that names it, in NREPO repositories.  An
 * object is a directory that holds the live name and any of three condemned
 * names (nonces).  A nonce is taken again only when nobody knows it any more,
 * so three stand for as many as one likes.  Every process may stop for ever
 * between any two steps (a crash, a pause): nothing makes it go on.  Clocks
 * are wild: what is not marked is old enough, or not, as it likes.
 *
 * I1	acknowledged => manifest, its bytes, its layer link and its blob exist
 *	under some name until the manifest is deleted; and a reader that looks
 *	as workers and keepers do is not told that they are absent
 * C3	a revision link or a tag is visible => all that it names exists
 * D1	what an acknowledged delete removed does not come back
 * I2	(scenario LEASE) after a positive answer a PUT in time is not refused
 *
 * A collector's run handles all objects (ALL), or one of its choice: what
 * happens to the others in the same run matters only in that a publisher may
 * be refused for them, and another run or collector does that as well.
 */

/* ---- scenarios ---- */

#ifdef CORE			/* two repositories share a blob */
#define NREPO	2
#define RUN	run Publisher(0, 0); run Publisher(1, 1);
#endif
#ifdef LINKS			/* the same with the links of one repository */
#define LAYERS
#define RUN	run Publisher(0, 0);
#endif
#ifdef SAME			/* two push one manifest; one is slow */
#define PENDING_EXPIRES
#define RUN	run Publisher(0, 0); run Publisher(1, 0);
#endif
#ifdef OWN			/* the bytes of the manifest count too */
#define BYTES_TOO
#define PENDING_EXPIRES
#define RUN	run Publisher(0, 0);
#endif
#ifdef UPLOADS			/* the blob comes again while it goes */
#define RUN	run Publisher(0, 0); run Uploader(0);
#endif
#ifdef MOUNTS			/* mounted away from where it was deleted */
#define NREPO	2
#define LAYERS
#define RUN	run Mounter(0, 0, 1);
#endif
#ifdef DELETE			/* a tagged manifest is deleted and pushed */
#define PUBLISHED
#define TAGS
#define UNTAGGED
#define ALL
#define RUN	run Publisher(0, 0); run Deleter(0);
#endif
#ifdef CHILD			/* an untagged manifest that an index wants */
#define PUBLISHED
#define UNTAGGED
#define ALL
#define RUN	run Indexer();
#endif
#ifdef RETAG			/* an untagged manifest is pushed with a tag */
#define PUBLISHED
#define NOTAGYET
#define TAGS
#define UNTAGGED
#define ALL
#define RUN	run Publisher(0, 0);
#endif
#ifdef READ			/* pulls beside a push */
#define RUN	run Publisher(0, 0); run Reader(0);
#endif
#ifdef LEASE			/* positive answers bind for a while */
#define LAYERS
#define LEASES
#define RUN	run Client(0, 0); run Age();
#endif

#ifndef NREPO
#define NREPO	1
#endif
#ifndef NGC
#define NGC	2
#endif
#ifndef NONCES
#define NONCES	3
#endif

/* ---- objects: bit 0 is the live name, bits 1 to 3 the condemned ones ---- */

#ifdef LAYERS
#define NLAYERS	NREPO
#else
#define NLAYERS	0
#endif
#ifdef BYTES_TOO
#define NBYTES	1
#else
#define NBYTES	0
#endif
#define DATA		0			/* bytes of B */
#define BYTES		1			/* bytes of D */
#define LAYER(r)	(1 + NBYTES + (r))	/* link of B in r */
#define REV(r)		(1 + NBYTES + NLAYERS + (r))
#ifdef UNTAGGED
#define NOBJ		REV(NREPO)
#else
#define NOBJ		REV(0)			/* revisions always stay */
#endif
#define LIVE		1
#define CONDEMNED	14
#define names(o)	(ob[o])
#define live(o)		(ob[o] & LIVE)

byte ob[REV(NREPO)];
byte young[REV(NREPO)];		/* same bits: that name has a young lease */
byte listed[NGC * NOBJ];	/* what each collector's P holds */
byte pending[NREPO];		/* bit of each publisher */
bool tagged[NREPO];
bool ipending, ilink;		/* an index that names D in repository 0 */
bool lock[NREPO];

/* ghosts */
bool acked[NREPO], iacked;
bool deleted[NREPO];		/* acknowledged, and nobody put since */
bool counts[NREPO];		/* a publish since the last unlink */
bool settling[NREPO];		/* tag set, revision to be looked at again */
bool touched[NREPO];		/* since a deletion has marked the link */
bool promised;			/* an answer whose time is not over */

#ifdef LAYERS
#define linked(r)	names(LAYER(r))
#else
#define linked(r)	true
#endif
#ifdef BYTES_TOO
#define whole		(names(DATA) && names(BYTES))
#else
#define whole		names(DATA)
#endif
#define there(r)	(whole && linked(r))

#define holds(r, index)	\
	assert(there(r) || !(acked[r] || live(REV(r)) || (index))); \
	assert(there(r) || !tagged[r] || settling[r]); \
	assert(names(REV(r)) || !(acked[r] || (index))); \
	assert(names(REV(r)) || !tagged[r] || settling[r]); \
	assert(!deleted[r] || !live(REV(r)))

inline invariants()
{
	holds(0, iacked);
#if NREPO > 1
	holds(1, false);
#endif
}

/* ---- one name at a time; always called within atomic ---- */

inline pick(o)
{
	if
	:: ob[o] & 2 -> b = 2
	:: ob[o] & 4 -> b = 4
	:: ob[o] & 8 -> b = 8
	fi
}

/* NOREPLACE: nothing happens when the live name exists. */
inline bring_back(o)
{
	if
	:: (ob[o] & b) && !live(o) ->
		ob[o] = (ob[o] & ~b) | LIVE;
		if
		:: young[o] & b -> young[o] = (young[o] & ~b) | LIVE
		:: else
		fi
	:: else
	fi;
	b = 0
}

inline remove(o, which)
{
	ob[o] = ob[o] & ~(which);
	young[o] = young[o] & ~(which);
	b = 0;
	invariants()
}

/* A new file renamed to the live name, whatever was there. */
inline put(o)
{
	ob[o] = ob[o] | LIVE;
#ifdef LEASES
	young[o] = young[o] | LIVE
#endif
}

/* ---- keepers, and workers that ask them ---- */

/*
 * Is the object there?  Open it; else list its directory and bring a
 * condemned name back, and open again.  "Absent" is said only when one
 * listing shows no name at all.
 */
inline look(o)
{
	ok = false;
#ifdef ONE_LOOK
	if
	:: atomic { live(o) -> ok = true }
	:: else ->
		if
		:: atomic { (ob[o] & CONDEMNED) -> pick(o) };
			atomic { bring_back(o); ok = live(o) }
		:: atomic { !(ob[o] & CONDEMNED) -> skip };
			ok = live(o)
		fi
	fi;
#else
	do
	:: atomic { live(o) -> ok = true; break }
	:: atomic { !live(o) && names(o) -> pick(o) };
		atomic { bring_back(o) }
	:: atomic { !names(o) -> break }
	od;
#endif
}

/* Lease, then look: what stands before every positive answer. */
inline acquire(r)
{
#ifdef LAYERS
	do
	:: look(LAYER(r));
		if
		:: !ok -> break
#if defined(NO_LEASE) || !defined(LEASES)
		:: ok -> break
#else
		:: atomic { ok && live(LAYER(r)) ->
			young[LAYER(r)] = young[LAYER(r)] | LIVE; break }
		:: atomic { ok && !live(LAYER(r)) -> skip }
#endif
		fi
	od;
	if
	:: ok -> look(DATA)
	:: else
	fi
#else
	look(DATA)
#endif
}

inline recheck(r)
{
#if defined(LAYERS) && !defined(NO_LINK_RECHECK)
	look(LAYER(r));
#else
	ok = true;
#endif
	if
	:: ok -> look(DATA)
	:: else
	fi;
#ifdef BYTES_TOO
	if
	:: ok -> look(BYTES)
	:: else
	fi
#endif
}

#ifdef NO_LOCK
#define take(r)		skip
#define release(r)	skip
#else
#define take(r)		atomic { !lock[r] -> lock[r] = true }
#define release(r)	lock[r] = false
#endif

inline publish(me, r)
{
	acquire(r);
	if
	:: !ok -> goto refused
	:: else
	fi;
#ifdef BYTES_TOO
	atomic { put(BYTES); ok = false };
#endif
#ifndef NO_PENDING
	atomic { pending[r] = pending[r] | (1 << me); ok = false };
#endif
#ifndef NO_RECHECK
	recheck(r);
	if
	:: atomic { !ok -> pending[r] = pending[r] & ~(1 << me); goto refused }
	:: else
	fi;
#endif
	/* The pending name may have been taken for an abandoned one. */
	if
#if !defined(NO_PENDING) && !defined(PENDING_IGNORED)
	:: !(pending[r] & (1 << me)) -> goto refused
	:: atomic { pending[r] & (1 << me) ->
#else
	:: atomic { true ->
#endif
		pending[r] = pending[r] & ~(1 << me);
		put(REV(r));
		deleted[r] = false;
		counts[r] = true;
		ok = false;
		invariants() }
	fi;
#if !defined(NO_RECHECK)
	recheck(r);
	if
	:: !ok -> goto refused
	:: else
	fi;
#endif
#ifdef TAGS
	take(r);
#ifndef NO_TAG_CHECK
	look(REV(r));
	if
	:: !ok -> release(r); goto refused
	:: else
	fi;
#endif
#ifndef NO_TOUCH
	touched[r] = true;
#endif
	atomic { tagged[r] = true; settling[r] = true; ok = false };
#ifndef NO_TAG_CHECK
	look(REV(r));
	if
	:: atomic { !ok -> tagged[r] = false; settling[r] = false };
		release(r); goto refused
	:: else
	fi;
#endif
	atomic { settling[r] = false; invariants() };
	release(r);
#endif
	atomic {
		acked[r] = acked[r] || counts[r];
		invariants()
	}
}

proctype Publisher(byte me; byte r)
{
	bool ok;
	byte b;

	publish(me, r);
refused: ok = false
}

/* Bytes in place, link, and the bytes once more: they may be condemned. */
inline upload(r)
{
	atomic { put(DATA) };
#ifdef LAYERS
	atomic { put(LAYER(r)) };
#endif
	look(DATA)
}

/* A client that asks first, or uploads, and puts the manifest in time. */
proctype Client(byte me; byte r)
{
	bool ok;
	byte b;

	if
	:: acquire(r)
	:: upload(r)
	fi;
	if
	:: atomic { ok && (young[LAYER(r)] & LIVE) -> promised = true }
#ifdef NO_LEASE
	:: atomic { ok -> promised = true }
#endif
	:: else -> goto done
	fi;
	publish(me, r);
	promised = false;
	goto done;
refused:
	assert(!promised);
done:	ok = false
}

/* An upload, again and again. */
proctype Uploader(byte r)
{
	bool ok;
	byte b;

	do
	:: upload(r)
	od
}

/* A client that mounts the blob from another repository before it puts. */
proctype Mounter(byte me; byte from; byte r)
{
	bool ok;
	byte b;

	acquire(from);
	if
	:: !ok -> goto refused
	:: else
	fi;
	atomic { put(LAYER(r)); ok = false };
	look(DATA);
	if
	:: !ok -> goto refused
	:: else
	fi;
	publish(me, r);
refused: ok = false
}

/* Acknowledged; nothing is left but what somebody has pushed anew. */
#define delete_done(r)	\
	atomic { deleted[r] = !counts[r]; invariants() }

/*
 * The link is marked, then tags go without the lock; with it again, and if
 * nobody has touched the link, every name, until one listing shows none.
 */
proctype Deleter(byte r)
{
	byte b;

again:	take(r);
	touched[r] = false;
	release(r);
	atomic { tagged[r] = false; acked[r] = false; counts[r] = false };
	take(r);
#ifndef NO_MARK
	if
	:: touched[r] -> release(r); goto again
	:: else
	fi;
#endif
#if defined(DELETE_BY_CONDEMN)
	atomic {
		if
		:: live(REV(r)) -> ob[REV(r)] = (ob[REV(r)] & ~LIVE) | 8
		:: else
		fi;
		acked[r] = false; counts[r] = false
	};
	delete_done(r);
#elif defined(DELETE_ONE_PASS)
	atomic { acked[r] = false; counts[r] = false; remove(REV(r), LIVE) };
	do
	:: atomic { ob[REV(r)] & CONDEMNED -> pick(REV(r)) };
		atomic { acked[r] = false; counts[r] = false;
			remove(REV(r), b) }
	:: atomic { !(ob[REV(r)] & CONDEMNED) -> break }
	od;
	delete_done(r);
#else
	do
	:: atomic { names(REV(r)) ->
		if
		:: live(REV(r)) -> b = LIVE
		:: ob[REV(r)] & CONDEMNED -> pick(REV(r))
		fi };
		atomic { acked[r] = false; counts[r] = false;
			/* Who dies in between leaves a tag to nothing. */
			assert(!settling[r]);
			remove(REV(r), b) }
	:: atomic { !names(REV(r)) -> deleted[r] = true; break }
	od;
#endif
	release(r)
}

/* Pulls what was acknowledged before it began. */
proctype Reader(byte r)
{
	bool ok, was;
	byte b;

	do
	:: atomic { acked[r] -> was = true };
		look(REV(r));
		assert(ok || !acked[r]);
		look(DATA);
		assert(ok || !acked[r]);
		was = false
	od
}

/* An index that names D, put in the way of any manifest. */
proctype Indexer()
{
	bool ok;
	byte b;

	look(REV(0));
	if
	:: !ok -> goto refused
	:: else
	fi;
	atomic { ipending = true; ok = false };
	look(REV(0));
	if
	:: !ok -> ipending = false; goto refused
	:: else
	fi;
	atomic { ipending = false; ilink = true; ok = false };
	look(REV(0));
	if
	:: !ok -> goto refused
	:: else
	fi;
	atomic { iacked = true; invariants() };
refused: ok = false
}

/* ---- collectors ---- */

/*
 * Does a revision of r exist under any name?  One listing of its directory
 * shows all of them; where revisions are never condemned it is enough to
 * look at pending names before the link.
 */
inline look_at_revision(r)
{
#if defined(LINK_FIRST)
	seen = live(REV(r)) != 0;
	seen = seen || pending[r]
#elif defined(LIVE_ONLY)
	seen = pending[r] || live(REV(r))
#elif defined(BY_PARTS)
	seen = pending[r] || (ob[REV(r)] & CONDEMNED);
	seen = seen || live(REV(r));
	seen = seen || (ob[REV(r)] & CONDEMNED)
#elif defined(UNTAGGED)
	seen = pending[r] || names(REV(r))
#else
	seen = pending[r] != 0;
	seen = seen || live(REV(r))
#endif
}

/*
 * What the manifest names is what its bytes say, under whatever name they
 * are; without them the run would end with nothing deleted.
 */
inline mark_repository(r)
{
	look_at_revision(r);
	atomic {
#if defined(BYTES_TOO) && defined(IGNORE_ERRORS)
		seen = seen && live(BYTES);
#endif
		if
		:: seen ->
			keep[DATA] = 1;
#ifdef BYTES_TOO
			keep[BYTES] = 1;
#endif
#ifdef LAYERS
			keep[LAYER(r)] = 1;
#endif
		:: else
		fi;
		seen = false
	};
#ifdef LEASES
	atomic {
		if
#ifdef LIVE_LEASES_ONLY
		:: young[LAYER(r)] & LIVE ->
#else
		:: young[LAYER(r)] ->
#endif
			keep[DATA] = 1; keep[LAYER(r)] = 1
		:: else
		fi
	};
#endif
#ifdef UNTAGGED
	atomic {
		if
		:: tagged[r] || ipending || ilink -> keep[REV(r)] = 1
		:: else
		fi
	}
#endif
}

inline mark()
{
	mark_repository(0);
#if NREPO > 1
	mark_repository(1);
#endif
}

#ifdef ALL
#define mine(x)		((x) < NOBJ)
#else
#define mine(x)		((x) == only)
#endif

/* The next object of this run, or NOBJ. */
inline next(from)
{
	o = from;
	do
	:: o < NOBJ && !mine(o) -> o++
	:: else -> break
	od
}

inline list_condemned(g)
{
	atomic { next(0) };
	do
	:: atomic { o < NOBJ ->
		listed[(g) * NOBJ + o] = ob[o] & CONDEMNED; next(o + 1) }
	:: atomic { o == NOBJ -> o = 0; break }
	od
}

#if NGC > 1
#define known(o)	(ob[o] | listed[o] | listed[NOBJ + o])
#else
#define known(o)	(ob[o] | listed[o])
#endif

/* To a name that nobody knows; without one nothing is condemned. */
inline condemn(o)
{
	b = 0;
	if
#ifdef ONE_NONCE
	:: !(ob[o] & 2) -> b = 2
#else
	:: !(known(o) & 2) -> b = 2
#if NONCES > 1
	:: (known(o) & 2) && !(known(o) & 4) -> b = 4
#endif
#if NONCES > 2
	:: (known(o) & 6) == 6 && !(known(o) & 8) -> b = 8
#endif
#endif
	:: else
	fi;
	if
	:: b != 0 ->
		ob[o] = (ob[o] & ~LIVE) | b;
		if
		:: young[o] & LIVE -> young[o] = (young[o] & ~LIVE) | b
		:: else
		fi
	:: else
	fi;
	b = 0
}

inline listed_bit(g, o)
{
	if
	:: listed[(g) * NOBJ + o] & 2 -> b = 2
	:: else ->
		if
		:: listed[(g) * NOBJ + o] & 4 -> b = 4
		:: else -> b = 8
		fi
	fi;
	listed[(g) * NOBJ + o] = listed[(g) * NOBJ + o] & ~b
}

/* Restore or delete exactly the names that were listed before marking. */
inline reclaim(g)
{
	atomic { next(0) };
	do
	:: atomic { o < NOBJ && listed[(g) * NOBJ + o] && keep[o] ->
		listed_bit(g, o);
		if
		:: live(o) ->
#ifndef LEASE_LOST
			/* The younger of the two leases counts. */
			if
			:: young[o] & b -> young[o] = young[o] | LIVE
			:: else
			fi;
#endif
			remove(o, b)
		:: else -> bring_back(o)
		fi }
	:: atomic { o < NOBJ && listed[(g) * NOBJ + o] && !keep[o] ->
		listed_bit(g, o);
		remove(o, b) }
	:: atomic { o < NOBJ && listed[(g) * NOBJ + o] && !keep[o] ->
		listed_bit(g, o); b = 0 }	/* too soon */
	:: atomic { o < NOBJ && !listed[(g) * NOBJ + o] -> next(o + 1) }
	:: atomic { o == NOBJ -> o = 0; break }
	od
}

/* With LEASES only what was old when candidates were listed is condemned. */
inline list_candidates()
{
#ifdef LEASES
	atomic { next(0) };
	do
	:: atomic { o < NOBJ ->
		old[o] = live(o) && !(young[o] & LIVE); next(o + 1) }
	:: atomic { o == NOBJ -> o = 0; break }
	od
#else
	skip
#endif
}

#ifdef LEASES
#define candidate(o)	(live(o) && !keep[o] && old[o])
#else
#define candidate(o)	(live(o) && !keep[o])
#endif

inline condemn_all()
{
	atomic { next(0) };
	do
	:: atomic { o < NOBJ && candidate(o) ->
#ifdef ONE_PHASE
		remove(o, LIVE);
#else
		condemn(o);
#endif
		next(o + 1) }
	:: atomic { o < NOBJ -> next(o + 1) }
	:: atomic { o == NOBJ -> o = 0; break }
	od
}

proctype Collector(byte g)
{
	bit keep[REV(NREPO)];
#ifdef LEASES
	bit old[NOBJ];
#endif
	bool seen;
	byte o, b, only;

	do
	:: atomic {
		only = 0;
#ifndef ALL
		do
		:: only < NOBJ - 1 -> only++
		:: break
		od
#endif
		};
#ifdef MARK_FIRST
		mark();
		list_condemned(g);
#else
		list_condemned(g);
		list_candidates();
		mark();
#endif
		condemn_all();
		reclaim(g);
#ifdef PENDING_EXPIRES
		if
		:: atomic { pending[0] -> pending[0] = 0 }
		:: true
		fi;
#endif
		atomic {
			o = 0;
			do
			:: o < REV(NREPO) -> keep[o] = 0; o++
			:: else -> break
			od;
#ifdef LEASES
			o = 0;
			do
			:: o < NOBJ -> old[o] = 0; o++
			:: else -> break
			od;
#endif
			o = 0
		}
	od
}

/* Leases grow old, though not while an answer still binds. */
proctype Age()
{
	do
	:: atomic { !promised && young[LAYER(0)] -> young[LAYER(0)] = 0 }
	:: atomic { !promised && young[DATA] -> young[DATA] = 0 }
	od
}

/* ---- the start: anything may be there already, or not ---- */

init
{
	atomic {
		byte i = 0;

		do
		:: i < REV(0) ->
			if
			:: ob[i] = LIVE
#ifndef PUBLISHED
			:: true
#endif
			fi;
			i++
		:: else -> break
		od;
		i = 0;
#ifdef PUBLISHED
		ob[REV(0)] = LIVE;
#ifndef NOTAGYET
#ifdef TAGS
		tagged[0] = true;
#endif
#endif
#endif
		RUN
		run Collector(0);
#if NGC > 1
		run Collector(1)
#endif
	}
}
