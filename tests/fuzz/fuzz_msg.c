/* SPDX-License-Identifier: ISC */
/*
 * Messages: any frame, through the rule check and every getter.  The input
 * is "getters\nframe": one letter for each getter to call.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
never_called(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	(void)msg;
	(void)arg;
	abort();
}

static const struct msg_rule rules[] = {
	{ 0, 1, 0, MSG_MAX_SIZE, 0, never_called, "any" },
	{ 1, 1, 4, 8, 0, never_called, "small" },
	{ 1, 2, 0, 4, 0, never_called, "smaller, of another" },
	{ 2, 1, 0, 0, 1, never_called, "with descriptor" },
};
#define NRULES	(sizeof(rules) / sizeof(rules[0]))

static void
require(int condition)
{
	if (!condition)
		abort();
}

static void
check_rules(const struct msg *msg)
{
	const struct msg_rule *rule;
	const char *why;
	unsigned from;

	for (from = 0; from < 4; from++) {
		rule = msg_check(rules, NRULES, from, msg, &why);
		require((rule == NULL) == (why != NULL));
		if (rule == NULL)
			continue;
		require(rule->type == msg->type && rule->from == from);
		require(msg->len >= rule->min && msg->len <= rule->max);
		require(msg->nfds == rule->nfds);
	}
}

static void
get(struct msg *msg, char getter)
{
	char small[4], large[256], *str;
	const uint8_t *bytes;
	size_t len;

	switch (getter) {
	case '1':
		msg_get_u8(msg);
		break;
	case '4':
		msg_get_u32(msg);
		break;
	case '8':
		msg_get_u64(msg);
		break;
	case 'b':
		msg_get_bool(msg);
		break;
	case 's':
		msg_get_str(msg, small, sizeof(small));
		require(strlen(small) < sizeof(small));
		require(!msg->bad || small[0] == '\0');
		break;
	case 'S':
		msg_get_str(msg, large, sizeof(large));
		require(strlen(large) < sizeof(large));
		break;
	case 'd':
		str = msg_get_strdup(msg, 100);
		require(str == NULL || strlen(str) <= 100);
		free(str);
		break;
	case 'y':
		bytes = msg_get_bytes(msg, 1000, &len);
		require(len <= 1000 && (bytes != NULL || len == 0));
		if (bytes != NULL && len > 0)
			require(bytes >= msg->data && bytes + len <=
			    msg->data + msg->len);
		break;
	case 'f':
		require(msg_get_fd(msg) == -1);
		break;
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *frame, *end;
	struct msg msg;
	size_t ngetters, i;
	void *copy;

	if (size == 0 || (end = memchr(data, '\n', size)) == NULL)
		return 0;
	ngetters = (size_t)(end - data);
	frame = end + 1;
	size -= ngetters + 1;
	/* A copy of exactly this size, so that overruns show. */
	if ((copy = malloc(size > 0 ? size : 1)) == NULL)
		return 0;
	memcpy(copy, frame, size);
	if (msg_parse(&msg, copy, size) == 0) {
		require(size >= MSG_HEADER_SIZE);
		check_rules(&msg);
		for (i = 0; i < ngetters; i++) {
			get(&msg, (char)data[i]);
			require(msg.pos <= msg.len);
		}
		require(msg_end(&msg) == 0 ||
		    msg.bad || msg.pos < msg.len);
	} else
		require(size < MSG_HEADER_SIZE);
	free(copy);
	return 0;
}
