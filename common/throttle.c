/* SPDX-License-Identifier: ISC */
/*
 * Tables of counters with one form: sources, users, wrong passwords that were
 * seen, and sources with requests in work.  They are found by an HMAC under
 * a key made at start, so that nobody can aim at a bucket and no password is
 * kept.  Each is bounded and forgets first what was not touched for longest.
 * Runs in authd's broker and in registryd's workers; opens nothing, and asks
 * no clock.
 */
#include "throttle.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "listener.h"
#include "random.h"
#include "str.h"

#define KEY_SIZE	32
#define BUCKETS		4096		/* a power of two */
#define SEEN_FACTOR	4		/* passwords for each source */

struct counter {
	unsigned char		 key[KEY_SIZE];
	uint64_t		 start;		/* of the window */
	uint64_t		 until;		/* of the penalty, 0: none */
	uint64_t		 failures;
	uint64_t		 working;	/* checks, or requests, begun */
	LIST_ENTRY(counter)	 in_bucket;
	TAILQ_ENTRY(counter)	 by_age;
};

LIST_HEAD(bucket, counter);

struct table {
	struct bucket		 buckets[BUCKETS];
	TAILQ_HEAD(, counter)	 counters;	/* oldest first */
	size_t			 n, max;
};

struct throttle {
	struct throttle_conf	 conf;
	unsigned char		 hmac_key[KEY_SIZE];
	struct table		 sources, users, seen, open;
};

static void
drop(struct table *table, struct counter *c)
{
	LIST_REMOVE(c, in_bucket);
	TAILQ_REMOVE(&table->counters, c, by_age);
	table->n--;
	free(c);
}

static void
table_init(struct table *table, size_t max)
{
	TAILQ_INIT(&table->counters);
	table->max = max;
}

static void
table_done(struct table *table)
{
	struct counter	*c;

	while ((c = TAILQ_FIRST(&table->counters)) != NULL)
		drop(table, c);
}

struct throttle *
throttle_new(const struct throttle_conf *conf, size_t entries)
{
	struct throttle	*t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->conf = *conf;
	random_bytes(t->hmac_key, sizeof(t->hmac_key));
	table_init(&t->sources, entries);
	table_init(&t->users, entries);
	table_init(&t->seen, entries * SEEN_FACTOR);
	table_init(&t->open, entries);
	return t;
}

void
throttle_free(struct throttle *t)
{
	if (t == NULL)
		return;
	table_done(&t->sources);
	table_done(&t->users);
	table_done(&t->seen);
	table_done(&t->open);
	secret_wipe(t->hmac_key, sizeof(t->hmac_key));
	free(t);
}

/* ---- counters ---- */

/* The names end with a NUL each, so no two sets of parts look alike. */
static int
make_key(const struct throttle *t, const char *first, const char *second,
    const struct secret *password, unsigned char key[KEY_SIZE])
{
	size_t		 flen = strlen(first) + 1, slen = strlen(second) + 1;
	size_t		 plen = password == NULL ? 0 : secret_len(password);
	unsigned int	 n = 0;
	unsigned char	*text;
	bool		 done;

	if ((text = malloc(flen + slen + plen)) == NULL)
		return -1;
	memcpy(text, first, flen);
	memcpy(text + flen, second, slen);
	if (plen > 0)
		memcpy(text + flen + slen, secret_data(password), plen);
	done = HMAC(EVP_sha256(), t->hmac_key, KEY_SIZE, text,
	    flen + slen + plen, key, &n) != NULL && n == KEY_SIZE;
	secret_wipe(text, flen + slen + plen);
	free(text);
	return done ? 0 : -1;
}

static struct bucket *
bucket_of(struct table *table, const unsigned char *key)
{
	return &table->buckets[(key[0] | key[1] << 8) & (BUCKETS - 1)];
}

static struct counter *
find(struct table *table, const unsigned char *key)
{
	struct counter	*c;

	LIST_FOREACH(c, bucket_of(table, key), in_bucket)
		if (memcmp(c->key, key, KEY_SIZE) == 0)
			return c;
	return NULL;
}

/* Room for one more: the oldest goes, but none with checks in work. */
static int
make_room(struct table *table)
{
	struct counter	*c;

	if (table->n < table->max)
		return 0;
	TAILQ_FOREACH(c, &table->counters, by_age)
		if (c->working == 0) {
			drop(table, c);
			return 0;
		}
	return -1;
}

/* Found or new, and the youngest now.  NULL: there is no room. */
static struct counter *
touch(struct table *table, const unsigned char *key, uint64_t now)
{
	struct counter	*c = find(table, key);

	if (c != NULL) {
		TAILQ_REMOVE(&table->counters, c, by_age);
		TAILQ_INSERT_TAIL(&table->counters, c, by_age);
		return c;
	}
	if (make_room(table) == -1 || (c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	memcpy(c->key, key, KEY_SIZE);
	c->start = now;
	LIST_INSERT_HEAD(bucket_of(table, key), c, in_bucket);
	TAILQ_INSERT_TAIL(&table->counters, c, by_age);
	table->n++;
	return c;
}

/* Begin anew what has run out. */
static void
refresh(const struct throttle *t, struct counter *c, uint64_t now)
{
	if (c->until != 0 ? now >= c->until :
	    now - c->start >= t->conf.window_ms) {
		c->start = now;
		c->until = 0;
		c->failures = 0;
	}
}

/* One failure more; with too many the penalty begins. */
static void
count(const struct throttle *t, struct counter *c, uint64_t limit,
    uint64_t now)
{
	refresh(t, c, now);
	c->failures++;
	if (limit != 0 && c->failures >= limit)
		c->until = now + t->conf.penalty_ms;
}

/* ---- sources and users ---- */

/*
 * One customer has a whole /64, on whichever interface; what is no address
 * stands for itself.
 */
static const char *
source_name(char dst[PEER_SIZE], const char *source)
{
	struct in6_addr	 address;
	char		 text[INET6_ADDRSTRLEN];
	size_t		 len = strcspn(source, "%");
	const char	*name;

	if (len >= sizeof(text))
		return source;
	memcpy(text, source, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1)
		return source;
	if (IN6_IS_ADDR_V4MAPPED(&address))
		name = inet_ntop(AF_INET, address.s6_addr + 12, dst,
		    PEER_SIZE);
	else {
		memset(address.s6_addr + 8, 0, 8);
		name = inet_ntop(AF_INET6, &address, dst, PEER_SIZE);
	}
	return name == NULL ? source : name;
}

static int
source_key(const struct throttle *t, const char *source,
    unsigned char key[KEY_SIZE])
{
	char	 name[PEER_SIZE];

	return make_key(t, source_name(name, source), "", NULL, key);
}

/* Directories and hosts may take any case of a name for the same user. */
static int
user_key(const struct throttle *t, const char *user,
    unsigned char key[KEY_SIZE])
{
	char	*name = strdup(user);
	int	 error;

	if (name == NULL)
		return -1;
	str_lower(name);
	error = make_key(t, name, "", NULL, key);
	free(name);
	return error;
}

static uint64_t
time_left(struct throttle *t, struct table *table, const unsigned char *key,
    uint64_t now)
{
	struct counter	*c = find(table, key);

	if (c == NULL)
		return 0;
	refresh(t, c, now);
	return c->until == 0 ? 0 : c->until - now;
}

uint64_t
throttle_penalty(struct throttle *t, const char *source, uint64_t now)
{
	unsigned char	 key[KEY_SIZE];

	if (source_key(t, source, key) == -1)
		return 0;
	return time_left(t, &t->sources, key, now);
}

uint64_t
throttle_delay(struct throttle *t, const char *user, uint64_t now)
{
	unsigned char	 key[KEY_SIZE];

	if (user_key(t, user, key) == -1 ||
	    time_left(t, &t->users, key, now) == 0)
		return 0;
	return t->conf.delay_ms;
}

/* In a table of their own: they take no place from those who failed. */
int
throttle_open(struct throttle *t, const char *source, uint64_t now)
{
	unsigned char	 key[KEY_SIZE];
	struct counter	*c;

	if (source_key(t, source, key) == -1 ||
	    (c = touch(&t->open, key, now)) == NULL ||
	    c->working >= THROTTLE_MAX_OPEN)
		return -1;
	c->working++;
	return 0;
}

void
throttle_close(struct throttle *t, const char *source)
{
	unsigned char	 key[KEY_SIZE];
	struct counter	*c;

	if (source_key(t, source, key) == -1 ||
	    (c = find(&t->open, key)) == NULL)
		return;
	if (--c->working == 0)
		drop(&t->open, c);
}

int
throttle_begin(struct throttle *t, const char *source, uint64_t now)
{
	unsigned char	 key[KEY_SIZE];
	struct counter	*c;

	if (source_key(t, source, key) == -1 ||
	    (c = touch(&t->sources, key, now)) == NULL)
		return -1;
	if (t->conf.checks_per_source != 0 &&
	    c->working >= t->conf.checks_per_source)
		return -1;
	c->working++;
	return 0;
}

void
throttle_end(struct throttle *t, const char *source)
{
	unsigned char	 key[KEY_SIZE];
	struct counter	*c;

	if (source_key(t, source, key) == -1 ||
	    (c = find(&t->sources, key)) == NULL)
		return;
	if (c->working > 0)
		c->working--;
	/* One that only succeeds need not be remembered. */
	if (c->working == 0 && c->failures == 0)
		drop(&t->sources, c);
}

/* Was it seen within the window?  It is then, in any case. */
static bool
seen_before(struct throttle *t, const unsigned char *key, uint64_t now)
{
	struct counter	*c = touch(&t->seen, key, now);

	if (c == NULL)
		return false;
	refresh(t, c, now);
	return c->failures++ > 0;
}

void
throttle_failed(struct throttle *t, const char *source, const char *user,
    const struct secret *password, uint64_t now)
{
	unsigned char	 source_id[KEY_SIZE], user_id[KEY_SIZE];
	unsigned char	 seen_id[KEY_SIZE];
	char		 name[PEER_SIZE];
	struct counter	*c;

	if (source_key(t, source, source_id) == -1 ||
	    user_key(t, user, user_id) == -1 ||
	    make_key(t, source_name(name, source), user, password,
	    seen_id) == -1)
		return;
	/* What was in work when the penalty began adds nothing to it. */
	if (time_left(t, &t->sources, source_id, now) > 0 ||
	    seen_before(t, seen_id, now))
		return;
	if ((c = touch(&t->sources, source_id, now)) != NULL)
		count(t, c, t->conf.failures_per_source, now);
	if ((c = touch(&t->users, user_id, now)) != NULL)
		count(t, c, t->conf.failures_per_user, now);
}
