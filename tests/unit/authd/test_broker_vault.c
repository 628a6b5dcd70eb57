/* SPDX-License-Identifier: ISC */
/*
 * The broker's way to the vault: this test holds the vault's end, and
 * answers, lies, is silent or goes away.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"

#include "broker_vault.h"

#define CACHE_MS	200

struct fixture {
	struct loop		*loop;
	struct loop_timer	*end;
	struct broker_vault	*vault;
	struct msg_chan		*near, *far;
	uint64_t		 asked;		/* last id */
	unsigned		 nasked, nused, nkept, nforgotten;
	uint64_t		 forgotten;
	char			 used[CREDENTIAL_ID_SIZE];
	int			 handled;	/* of the last answer */
	int			 found;		/* enum find_result; -1 */
	char			 owner[MAX_USER + 1];
	char			 kept[CREDENTIAL_ID_SIZE];
	unsigned		 nkept_answers;
};

static const unsigned char	 hash[CREDENTIAL_HASH_SIZE] = { 1, 2, 3 };
static const unsigned char	 other[CREDENTIAL_HASH_SIZE] = { 1, 2, 4 };

/* ---- the vault's end ---- */

static int
on_question(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct fixture	*f = arg;
	char		 text[64];
	size_t		 len;

	(void)chan;
	f->asked = msg->id;
	if (msg->type == MSG_FIND) {
		assert_memory_equal(msg_get_bytes(msg, 32, &len), hash, 2);
		f->nasked++;
	} else if (msg->type == MSG_USED) {
		msg_get_str(msg, f->used, sizeof(f->used));
		f->nused++;
	} else if (msg->type == MSG_KEEP) {
		assert_memory_equal(msg_get_bytes(msg, 32, &len), hash, 32);
		msg_get_str(msg, text, sizeof(text));
		assert_string_equal(text, "alice");
		msg_get_str(msg, text, sizeof(text));
		assert_string_equal(text, "registry");
		msg_get_str(msg, text, sizeof(text));
		assert_string_equal(text, "docker");
		msg_get_str(msg, text, sizeof(text));
		assert_string_equal(text, "5f");
		f->nkept++;
	} else {
		f->nforgotten++;
		f->forgotten = msg->id;
	}
	return msg_end(msg);
}

/* ---- the broker's end ---- */

static int
on_answer(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct fixture	*f = arg;

	if (msg->type == MSG_FOUND)
		f->handled = broker_vault_on_found(f->vault, msg);
	else if (msg->type == MSG_KEPT)
		f->handled = broker_vault_on_kept(f->vault, msg);
	else
		f->handled = broker_vault_on_forget(f->vault, chan, msg);
	return 0;
}

static const struct msg_rule	 rules[] = {
	{ MSG_FIND, ROLE_BROKER, 36, 36, 0, on_question, "FIND" },
	{ MSG_USED, ROLE_BROKER, 4, 64, 0, on_question, "USED" },
	{ MSG_KEEP, ROLE_BROKER, 36, 4096, 0, on_question, "KEEP" },
	{ MSG_FORGET, ROLE_BROKER, 0, 0, 0, on_question, "FORGET" },
	{ MSG_FOUND, ROLE_VAULT, 1, 8192, 0, on_answer, "FOUND" },
	{ MSG_KEPT, ROLE_VAULT, 1, 64, 0, on_answer, "KEPT" },
	{ MSG_FORGET, ROLE_VAULT, 0, 0, 0, on_answer, "FORGET" }
};
#define NRULES	(sizeof(rules) / sizeof(rules[0]))

static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)chan;
	(void)arg;
	fail_msg("closed: %s", why == NULL ? "by the peer" : why);
}

static void
on_end(void *arg)
{
	loop_stop(((struct fixture *)arg)->loop);
}

static void
run(struct fixture *f, uint64_t ms)
{
	loop_timer_start(f->end, ms);
	assert_int_equal(loop_run(f->loop), 0);
}

static void
start(struct fixture *f, uint64_t cache_ms)
{
	int	 fds[2];

	memset(f, 0, sizeof(*f));
	f->found = -1;
	assert_non_null(f->loop = loop_new());
	f->end = loop_timer_new(f->loop, on_end, f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	f->near = msg_chan_new(f->loop, fds[0], ROLE_VAULT, 0, rules, NRULES,
	    on_closed, f);
	f->far = msg_chan_new(f->loop, fds[1], ROLE_BROKER, 0, rules, NRULES,
	    on_closed, f);
	assert_non_null(f->near);
	assert_non_null(f->far);
	assert_non_null(f->vault = broker_vault_new(f->loop, cache_ms));
	broker_vault_set(f->vault, f->near);
}

static void
stop(struct fixture *f)
{
	broker_vault_free(f->vault);
	msg_chan_free(f->near);
	msg_chan_free(f->far);
	loop_timer_free(f->end);
	loop_free(f->loop);
}

static void
on_found(enum find_result result, const struct vault_credential *c, void *arg)
{
	struct fixture	*f = arg;

	f->found = (int)result;
	assert_int_equal(c != NULL, result == FIND_FOUND);
	snprintf(f->owner, sizeof(f->owner), "%s", c == NULL ? "" : c->owner);
}

static void
on_kept(const char *id, void *arg)
{
	struct fixture	*f = arg;

	f->nkept_answers++;
	snprintf(f->kept, sizeof(f->kept), "%s", id == NULL ? "" : id);
}

static void
answer(struct fixture *f, uint64_t id, const char *owner)
{
	struct vault_credential	 c;
	struct msg_out		 out;

	memset(&c, 0, sizeof(c));
	snprintf(c.id, sizeof(c.id), "0123456789ab");
	c.kind = CREDENTIAL_PERSONAL;
	snprintf(c.owner, sizeof(c.owner), "%s", owner);
	msg_begin(&out, MSG_FOUND, id);
	msg_put_u8(&out, FIND_FOUND);
	vault_db_put(&out, &c);
	assert_int_equal(msg_send(f->far, &out), 0);
}

static int
find(struct fixture *f)
{
	f->found = -1;
	return broker_vault_find(f->vault, hash, on_found, f);
}

/* ---- tests ---- */

static void
test_remembers_for_a_while(void **state)
{
	struct fixture	 f;

	(void)state;
	start(&f, CACHE_MS);
	assert_null(broker_vault_cached(f.vault, hash));
	assert_int_equal(find(&f), 0);
	run(&f, 10);
	assert_int_equal(f.found, -1);
	answer(&f, f.asked, "alice");
	run(&f, 10);
	assert_int_equal(f.handled, 0);
	assert_int_equal(f.found, FIND_FOUND);
	assert_string_equal(f.owner, "alice");
	assert_string_equal(broker_vault_cached(f.vault, hash)->owner,
	    "alice");
	assert_null(broker_vault_cached(f.vault, other));
	/* That it is in use is said once for each time it was asked for. */
	broker_vault_used(f.vault, hash, "0123456789ab");
	broker_vault_used(f.vault, hash, "0123456789ab");
	run(&f, 10);
	assert_int_equal(f.nused, 1);
	assert_string_equal(f.used, "0123456789ab");
	run(&f, CACHE_MS);
	assert_null(broker_vault_cached(f.vault, hash));
	stop(&f);
	/* Or for no time at all. */
	start(&f, 0);
	assert_int_equal(find(&f), 0);
	run(&f, 10);
	answer(&f, f.asked, "alice");
	run(&f, 10);
	assert_int_equal(f.found, FIND_FOUND);
	assert_null(broker_vault_cached(f.vault, hash));
	stop(&f);
}

static void
test_forgets(void **state)
{
	struct fixture	 f;

	(void)state;
	start(&f, 60000);
	assert_int_equal(find(&f), 0);
	run(&f, 10);
	/* In this order: what was found before is revoked. */
	answer(&f, f.asked, "alice");
	assert_int_equal(msg_send_empty(f.far, MSG_FORGET, 7), 0);
	run(&f, 10);
	assert_null(broker_vault_cached(f.vault, hash));
	assert_int_equal(f.nforgotten, 1);
	assert_int_equal(f.forgotten, 7);
	/* Another vault. */
	assert_int_equal(find(&f), 0);
	run(&f, 10);
	answer(&f, f.asked, "alice");
	run(&f, 10);
	assert_non_null(broker_vault_cached(f.vault, hash));
	broker_vault_set(f.vault, NULL);
	assert_null(broker_vault_cached(f.vault, hash));
	assert_int_equal(find(&f), -1);
	stop(&f);
}

static void
test_what_is_not_found_is_not_remembered(void **state)
{
	struct fixture	 f;
	struct msg_out	 out;
	int		 result;

	(void)state;
	start(&f, 60000);
	for (result = FIND_UNKNOWN; result <= FIND_FAILED; result++) {
		assert_int_equal(find(&f), 0);
		run(&f, 10);
		msg_begin(&out, MSG_FOUND, f.asked);
		msg_put_u8(&out, (uint8_t)result);
		assert_int_equal(msg_send(f.far, &out), 0);
		run(&f, 10);
		assert_int_equal(f.found, result);
		assert_null(broker_vault_cached(f.vault, hash));
	}
	stop(&f);
}

static void
test_silence(void **state)
{
	struct fixture	 f;
	uint64_t	 begin = clock_monotonic_ms();

	(void)state;
	start(&f, 60000);
	assert_int_equal(find(&f), 0);
	while (f.found == -1 && clock_monotonic_ms() < begin + 10000)
		run(&f, 50);
	assert_int_equal(f.found, FIND_FAILED);
	assert_true(clock_monotonic_ms() >= begin + VAULT_TIME_MS);
	/* Its answer comes after all, and is for nobody. */
	f.found = -1;
	answer(&f, f.asked, "alice");
	run(&f, 10);
	assert_int_equal(f.handled, 0);
	assert_int_equal(f.found, -1);
	assert_null(broker_vault_cached(f.vault, hash));
	/* It dies with a question open. */
	assert_int_equal(find(&f), 0);
	broker_vault_set(f.vault, NULL);
	assert_int_equal(f.found, FIND_FAILED);
	stop(&f);
}

static void
test_keeps(void **state)
{
	struct broker_refresh	 refresh = { .user = "alice",
	    .service = "registry", .client = "docker", .stamp = "5f" };
	struct fixture		 f;
	struct msg_out		 out;
	int			 kept;

	(void)state;
	start(&f, 60000);
	memcpy(refresh.hash, hash, sizeof(refresh.hash));
	for (kept = 0; kept < 2; kept++) {
		assert_int_equal(broker_vault_keep(f.vault, &refresh, on_kept,
		    &f), 0);
		run(&f, 10);
		msg_begin(&out, MSG_KEPT, f.asked);
		msg_put_bool(&out, kept != 0);
		msg_put_str(&out, kept ? "0123456789ab" : "");
		assert_int_equal(msg_send(f.far, &out), 0);
		run(&f, 10);
		assert_string_equal(f.kept, kept ? "0123456789ab" : "");
	}
	assert_int_equal(f.nkept_answers, 2);
	broker_vault_set(f.vault, NULL);
	assert_int_equal(broker_vault_keep(f.vault, &refresh, on_kept, &f),
	    -1);
	assert_int_equal(f.nkept_answers, 2);
	stop(&f);
}

/* A vault that was taken over can say what it likes, but not break us. */
static void
test_lies(void **state)
{
	static const struct {
		uint8_t		 result, kind;
		const char	*owner;
		uint64_t	 expires;
	} cases[] = {
		{ 9, 1, "alice", 0 },
		{ FIND_FOUND, 0, "alice", 0 },
		{ FIND_FOUND, 4, "alice", 0 },
		{ FIND_FOUND, 1, "", 0 },
		{ FIND_FOUND, 1, "alice", UINT64_MAX },
		{ FIND_UNKNOWN, 1, "alice", 0 }
	};
	struct fixture	 f;
	struct msg_out	 out;
	size_t		 i;

	(void)state;
	start(&f, 60000);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(find(&f), 0);
		run(&f, 10);
		msg_begin(&out, MSG_FOUND, f.asked);
		msg_put_u8(&out, cases[i].result);
		msg_put_str(&out, "0123456789ab");
		msg_put_u8(&out, cases[i].kind);
		msg_put_str(&out, cases[i].owner);
		msg_put_str(&out, "");
		msg_put_str(&out, "");
		msg_put_str(&out, "");
		msg_put_str(&out, "");
		msg_put_u64(&out, cases[i].expires);
		msg_put_bool(&out, false);
		assert_int_equal(msg_send(f.far, &out), 0);
		f.handled = 0;
		run(&f, 10);
		assert_int_equal(f.handled, -1);
		assert_null(broker_vault_cached(f.vault, hash));
	}
	/* The answer to another question: that one fails. */
	assert_int_equal(find(&f), 0);
	run(&f, 10);
	msg_begin(&out, MSG_KEPT, f.asked);
	msg_put_bool(&out, true);
	msg_put_str(&out, "0123456789ab");
	assert_int_equal(msg_send(f.far, &out), 0);
	run(&f, 10);
	assert_int_equal(f.handled, -1);
	assert_int_equal(f.found, FIND_FAILED);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_remembers_for_a_while),
		cmocka_unit_test(test_forgets),
		cmocka_unit_test(test_what_is_not_found_is_not_remembered),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_keeps),
		cmocka_unit_test(test_lies)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
