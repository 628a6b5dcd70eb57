/* SPDX-License-Identifier: ISC */
/*
 * The configuration over a real channel: the broker ends up with the same
 * groups and rules, however many, and other roles with none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "acl.h"
#include "conf.h"
#include "loop.h"
#include "messages.h"
#include "msg.h"

struct child {
	struct loop		*loop;
	struct authd_conf	*conf;
	unsigned		 values;
	bool			 failed;
};

static int
on_value(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct child	*child = arg;

	(void)chan;
	child->values++;
	return conf_on_value(child->conf, msg);
}

static int
on_group(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	return conf_on_group(((struct child *)arg)->conf, msg);
}

static int
on_rules(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	return conf_on_rules(((struct child *)arg)->conf, msg);
}

static int
on_end(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	(void)msg;
	loop_stop(((struct child *)arg)->loop);
	return 0;
}

static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	struct child	*child = arg;

	(void)chan;
	(void)why;
	child->failed = true;
	loop_stop(child->loop);
}

static const struct msg_rule	 rules[] = {
	{ MSG_CONF_VALUE, ROLE_PARENT, 8, MSG_MAX_SIZE, 0, on_value, "v" },
	{ MSG_CONF_GROUP, ROLE_PARENT, 5, MSG_MAX_SIZE, 0, on_group, "g" },
	{ MSG_CONF_RULE, ROLE_PARENT, 1, MSG_MAX_SIZE, 0, on_rules, "r" },
	{ MSG_CONF_END, ROLE_PARENT, 0, 0, 0, on_end, "e" }
};

static struct authd_conf *
parse(const char *text, size_t len)
{
	struct authd_conf	*conf = conf_parse("wire.yml", text, len,
				    stderr);

	assert_non_null(conf);
	return conf;
}

/* Everything is sent before anything is read, as at a child's start. */
static void
transfer(const struct authd_conf *conf, struct child *child, unsigned role)
{
	struct msg_chan	*parent, *chan;
	int		 fds[2];

	memset(child, 0, sizeof(*child));
	child->conf = conf_new();
	assert_non_null(child->loop = loop_new());
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	parent = msg_chan_new(child->loop, fds[0], role, 0, rules, 4,
	    on_closed, child);
	assert_non_null(parent);
	assert_int_equal(conf_send(conf, parent, role), 0);
	assert_int_equal(msg_send_empty(parent, MSG_CONF_END, 0), 0);
	chan = msg_chan_new(child->loop, fds[1], ROLE_PARENT, 0, rules, 4,
	    on_closed, child);
	assert_non_null(chan);
	assert_int_equal(loop_run(child->loop), 0);
	assert_false(child->failed);
	msg_chan_free(parent);
	msg_chan_free(chan);
	loop_free(child->loop);
}

static void
print_access(const struct authd_conf *conf, char **text)
{
	size_t	 len = 0;
	FILE	*f = open_memstream(text, &len);

	assert_non_null(f);
	conf_access_print(conf, f);
	fclose(f);
}

static void
expect_same_access(const struct authd_conf *a, const struct authd_conf *b)
{
	char	*x = NULL, *y = NULL;

	print_access(a, &x);
	print_access(b, &y);
	assert_string_equal(x, y);
	free(x);
	free(y);
}

static void
test_wire_few(void **state)
{
	static const char	 yaml[] = "services: [one, two]\n"
	    "token: {key: k, certificate: c}\n"
	    "htpasswd: h\n"
	    "groups: {none: [], dev: [alice, bob]}\n"
	    "access:\n"
	    " - {user: \"\", repository: \"public/**\", actions: [pull]}\n"
	    " - {user: \"*\", group: dev, network: 10.0.0.0/8,\n"
	    "    service: o*, actions: [push]}\n"
	    " - {user: root, registry: catalog, actions: [\"*\"]}\n"
	    " - {actions: []}\n";
	struct authd_conf	*conf = parse(yaml, sizeof(yaml) - 1);
	struct child		 child;

	(void)state;
	transfer(conf, &child, ROLE_BROKER);
	expect_same_access(conf, child.conf);
	assert_int_equal(child.conf->rules[1].line, 7);
	assert_int_equal(child.conf->services.n, 2);
	conf_free(child.conf);
	transfer(conf, &child, ROLE_WORKER);
	assert_true(child.values > 0);
	assert_int_equal(child.conf->nrules, 0);
	assert_int_equal(child.conf->ngroups, 0);
	assert_int_equal(child.conf->services.n, 0);
	assert_null(child.conf->htpasswd);
	conf_free(child.conf);
	conf_free(conf);
}

static void
test_wire_many(void **state)
{
	struct authd_conf	*conf;
	struct child		 child;
	char			*yaml = NULL, error[128];
	size_t			 len = 0, i;
	FILE			*f = open_memstream(&yaml, &len);
	struct acl		*acl;

	(void)state;
	assert_non_null(f);
	fprintf(f, "services: [s]\ntoken: {key: k, certificate: c}\n"
	    "htpasswd: h\ngroups:\n  big: [");
	for (i = 0; i < 4000; i++)
		fprintf(f, "user%zu, ", i);
	fprintf(f, "last]\n");
	for (i = 0; i < CONF_MAX_GROUPS - 1; i++)
		fprintf(f, "  g%zu: [a, b]\n", i);
	fprintf(f, "access:\n");
	for (i = 0; i < ACL_MAX_RULES; i++)
		fprintf(f, "  - {user: \"*\", group: g%zu, repository: "
		    "\"team%zu/%0100d/**\", actions: [pull, push]}\n",
		    i % 1000, i, 1);
	fclose(f);
	conf = parse(yaml, len);
	free(yaml);
	transfer(conf, &child, ROLE_BROKER);
	assert_int_equal(child.conf->ngroups, CONF_MAX_GROUPS);
	assert_int_equal(child.conf->groups[0].users.n, 4001);
	assert_int_equal(child.conf->nrules, ACL_MAX_RULES);
	expect_same_access(conf, child.conf);
	acl = conf_acl(child.conf, error, sizeof(error));
	assert_non_null(acl);
	assert_int_equal(acl_nrules(acl), ACL_MAX_RULES);
	acl_free(acl);
	conf_free(child.conf);
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_wire_few),
		cmocka_unit_test(test_wire_many)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
