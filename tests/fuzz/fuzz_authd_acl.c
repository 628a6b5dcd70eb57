/* SPDX-License-Identifier: ISC */
/*
 * Access rules: the matcher against a slow one that is plainly right,
 * networks, and rules from messages.  The first byte says what the rest is:
 * 'm' pattern, user and text in three lines; 'n' network and address in two;
 * else the fields of a rule.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "msg.h"

#define REF_MAX		48		/* the slow one goes no further */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/*
 * As the definition says it: each star takes nothing, or one more.  What was
 * tried from the same two places before is not tried again.
 */
struct slow {
	const char	*pattern, *user, *text;
	bool		 failed[REF_MAX + 1][REF_MAX + 1];
};

static bool
slow_match(struct slow *s, const char *pattern, const char *text)
{
	bool	*failed = &s->failed[pattern - s->pattern][text - s->text];
	bool	 is = false;
	size_t	 n = strlen(s->user);

	if (*failed)
		return false;
	if (*pattern == '\0')
		is = *text == '\0';
	else if (strncmp(pattern, "${user}", 7) == 0)
		is = n > 0 && strncmp(text, s->user, n) == 0 &&
		    slow_match(s, pattern + 7, text + n);
	else if (strncmp(pattern, "${service}", 10) == 0)
		is = strncmp(text, "svc", 3) == 0 &&
		    slow_match(s, pattern + 10, text + 3);
	else if (strncmp(pattern, "**", 2) == 0)
		is = slow_match(s, pattern + 2, text) ||
		    (*text != '\0' && slow_match(s, pattern, text + 1));
	else if (*pattern == '*')
		is = slow_match(s, pattern + 1, text) ||
		    (*text != '\0' && *text != '/' &&
		    slow_match(s, pattern, text + 1));
	else
		is = *pattern == *text &&
		    slow_match(s, pattern + 1, text + 1);
	*failed = !is;
	return is;
}

static void
try_match(const char *pattern, const char *user, const char *text)
{
	struct slow	 slow = { .pattern = pattern, .user = user,
			    .text = text };
	bool		 got;

	if (acl_pattern_wrong(pattern) != NULL)
		return;
	got = acl_match(pattern, &(struct acl_names){ user, "svc" }, text);
	if (strlen(pattern) <= REF_MAX && strlen(text) <= REF_MAX)
		must(got == slow_match(&slow, pattern, text));
}

static void
try_network(const char *network, const char *address)
{
	struct acl_network	 parsed;
	char			 self[64];
	size_t			 n;

	if (acl_network_parse(&parsed, network) != NULL)
		return;
	must(parsed.prefix <= 128);
	(void)acl_network_has(&parsed, address);
	/* A network has its own first address. */
	n = strcspn(network, "/");
	must(n < sizeof(self));
	memcpy(self, network, n);
	self[n] = '\0';
	must(acl_network_has(&parsed, self));
}

static void
try_rule(const uint8_t *data, size_t size)
{
	static const struct acl_subject subject = { .user = "bob",
	    .peer = "10.0.0.1", .service = "s" };
	struct acl_rule	 rule;
	struct scope	 wanted;
	struct acl	*acl;
	struct msg	 msg;
	struct buf	 text;
	unsigned	 granted;
	char		 error[256];
	int		 decided;

	memset(&msg, 0, sizeof(msg));
	msg.data = data;
	msg.len = size;
	acl = acl_new();
	must(acl != NULL);
	if (acl_rule_get(&msg, &rule) == 0 &&
	    acl_add_rule(acl, &rule, error, sizeof(error)) == 0) {
		must(scope_parse(&wanted, "repository:bob/x:pull,push",
		    26) == 0);
		granted = acl_decide(acl, &subject, &wanted, &decided);
		must((granted & ~wanted.actions) == 0);
		must((granted & ~rule.actions) == 0 ||
		    (rule.actions & ACTION_ALL) != 0);
		buf_init(&text, 65536);
		acl_rule_format(&text, acl_rule_at(acl, 0), 0);
		buf_done(&text);
	}
	acl_rule_done(&rule);
	acl_free(acl);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	*line[3], *text, *next;
	size_t	 i;

	if (size == 0)
		return 0;
	if (data[0] != 'm' && data[0] != 'n') {
		try_rule(data + 1, size - 1);
		return 0;
	}
	text = strndup((const char *)data + 1, size - 1);
	must(text != NULL);
	next = text;
	for (i = 0; i < 3; i++) {
		line[i] = next;
		next += strcspn(next, "\n");
		if (*next != '\0')
			*next++ = '\0';
	}
	if (data[0] == 'm')
		try_match(line[0], line[1], line[2]);
	else
		try_network(line[0], line[1]);
	free(text);
	return 0;
}
