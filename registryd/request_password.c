/* SPDX-License-Identifier: ISC */
/*
 * Asks a verifier, and keeps a refusal back until the time is over that
 * every refusal takes: whether the user exists, is locked or has a slower
 * hash than others is then not to be seen from outside.  A password that is
 * right is never kept waiting, but none is looked at of an address that has
 * guessed too often.  Runs in the worker.
 */
#include "request_password.h"

#include <stdlib.h>

#include "clock.h"
#include "str.h"

struct password_check {
	struct api_request *request;
	struct loop_timer *timer;	/* the time of a refusal */
	uint64_t	 began;
	bool		 asked;		/* no verdict yet */
	void		(*done)(struct api_request *);
};

static uint64_t
penalty_of(const struct api_request *r)
{
	return r->throttle == NULL ? 0 : throttle_penalty(r->throttle,
	    r->head->peer.addr, clock_monotonic_ms());
}

enum step
request_password_refuse(struct api_request *r)
{
	struct http_response resp;

	http_response_init(&resp, 429);
	http_response_header(&resp, "Retry-After", "%u",
	    (unsigned)(r->penalty_ms / 1000) + 1);
	return api_fail_with(r, &resp, API_THROTTLED, NULL, false);
}

static void
check_free(struct password_check *check)
{
	loop_timer_free(check->timer);
	check->request->password_check = NULL;
	free(check);
}

static void
go_on(void *arg)
{
	struct password_check *check = arg;
	struct api_request *r = check->request;
	void (*done)(struct api_request *) = check->done;

	check_free(check);
	access_answer_done(&r->grant);
	done(r);
}

static bool
is_wrong(enum cred_verdict verdict)
{
	return verdict == CRED_BAD || verdict == CRED_UNKNOWN;
}

static void
on_verdict(enum cred_verdict verdict, const struct cred_answer *answer,
    void *arg)
{
	struct password_check *check = arg;
	struct api_request *r = check->request;
	uint64_t floor = r->conf->failure_time_ms;
	uint64_t took = clock_monotonic_ms() - check->began;

	check->asked = false;
	r->checked = true;
	r->verdict = verdict;
	if (answer != NULL)
		(void)str_copy(r->why, sizeof(r->why), answer->reason);
	/* Many guesses at once get no further than one after the other. */
	r->penalty_ms = penalty_of(r);
	if (r->penalty_ms > 0) {
		go_on(check);
		return;
	}
	if (r->throttle != NULL && is_wrong(verdict))
		throttle_failed(r->throttle, r->head->peer.addr,
		    r->grant.claimed, r->grant.password,
		    clock_monotonic_ms());
	if (is_wrong(verdict) && took < floor) {
		/* Both ends of "took" were cut to whole milliseconds. */
		loop_timer_start(check->timer, floor - took + 1);
	} else {
		go_on(check);
	}
}

enum step
request_password_ask(struct api_request *r,
    void (*done)(struct api_request *))
{
	struct password_check *check;

	r->penalty_ms = penalty_of(r);
	if (r->penalty_ms > 0)
		return request_password_refuse(r);
	if ((check = calloc(1, sizeof(*check))) == NULL)
		return api_fail(r, API_UNAVAILABLE);
	check->request = r;
	check->done = done;
	check->began = clock_monotonic_ms();
	check->timer = loop_timer_new(r->loop, go_on, check);
	if (check->timer == NULL) {
		check_free(check);
		return api_fail(r, API_UNAVAILABLE);
	}
	if (verifiers_check(r->verifiers, r->grant.claimed,
	    r->grant.password, r->head->peer.addr, on_verdict, check) == -1) {
		check_free(check);
		return api_fail_text(r, API_UNAVAILABLE,
		    "too many passwords wait for their check");
	}
	check->asked = true;
	r->password_check = check;
	return STEP_WAIT;
}

void
request_password_cancel(struct api_request *r)
{
	struct password_check *check = r->password_check;

	if (check == NULL)
		return;
	if (check->asked)
		verifiers_cancel(r->verifiers, check);
	check_free(check);
}
