/* SPDX-License-Identifier: ISC */
/*
 * Unit tests of common/log.c: records are caught in a pipe in place of
 * standard error, and read back as whole lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

#define RECORD_MAX	4096

static int	 real_stderr, catch_read;
static char	 caught[4 * RECORD_MAX];

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	if (pipe(fds) == -1)
		return -1;
	real_stderr = dup(STDERR_FILENO);
	if (dup2(fds[1], STDERR_FILENO) == -1)
		return -1;
	close(fds[1]);
	catch_read = fds[0];
	log_init("test");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(catch_read);
	return 0;
}

/* What has been logged since; at least one record. */
static const char *
logged(void)
{
	ssize_t n = read(catch_read, caught, sizeof(caught) - 1);

	assert_true(n > 0);
	caught[n] = '\0';
	assert_int_equal(caught[n - 1], '\n');
	return caught;
}

/* Behind the time, which differs. */
static const char *
logged_rest(void)
{
	const char *s = logged();

	assert_int_equal(strncmp(s, "time=2", 6), 0);
	assert_non_null(strchr(s, ' '));
	return strchr(s, ' ') + 1;
}

static void
test_text_record(void **state)
{
	static const struct log_field fields[] = {
		{ "a", "plain" }, { "b", "two words" }, { "c", NULL },
		{ "d", "" }, { "e", "q\"uote" }, { "f", "k=v" },
		{ "g", "a\nb\xff\x1b" }, { "h", "back\\slash" },
	};

	(void)state;
	log_procinit("worker 1");
	log_event(LOG_LEVEL_INFO, "hello world", fields, 8);
	assert_string_equal(logged_rest(), "level=info process=\"worker 1\" "
	    "msg=\"hello world\" a=plain b=\"two words\" d=\"\" "
	    "e=\"q\\\"uote\" f=\"k=v\" g=\"a\\x0ab\\xff\\x1b\" "
	    "h=\"back\\x5cslash\"\n");
}

static void
test_functions_and_levels(void **state)
{
	(void)state;
	log_procinit("p");
	errno = ENOENT;
	log_warn("open %s", "x");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(logged_rest(), "level=warn process=p "
	    "msg=\"open x: No such file or directory\"\n");
	errno = ENOENT;
	log_error("broken");
	assert_string_equal(logged_rest(), "level=error process=p "
	    "msg=broken\n");
	log_debug("not shown");
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	log_warnx("not shown");
	log_info("not shown");
	assert_false(log_enabled(LOG_LEVEL_WARN));
	log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	log_debug("shown");
	assert_string_equal(logged_rest(), "level=debug process=p "
	    "msg=shown\n");
}

static json_t *
logged_json(void)
{
	const char *s = logged();
	json_t *json = json_loads(s, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(json);
	assert_ptr_equal(strchr(s, '\n'), s + strlen(s) - 1);
	return json;
}

static void
assert_member(json_t *json, const char *key, const char *want)
{
	const char *value = json_string_value(json_object_get(json, key));

	assert_non_null(value);
	assert_string_equal(value, want);
}

static void
test_json_record(void **state)
{
	static const struct log_field fields[] = {
		{ "utf8", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xb3" },
		{ "bad", "\xff\xc3(\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf" },
		{ "control", "a\n\t\x01\x7f\"\\" },
		{ "cut", "\xe2\x82" },
	};
	json_t *json;

	(void)state;
	log_procinit("keeper 2");
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_event(LOG_LEVEL_WARN, "m \"x\"", fields, 4);
	json = logged_json();
	assert_member(json, "level", "warn");
	assert_member(json, "process", "keeper 2");
	assert_member(json, "msg", "m \"x\"");
	assert_member(json, "utf8", fields[0].value);
	assert_member(json, "bad", "\\xff\\xc3(\\xed\\xa0\\x80"
	    "\\xf4\\x90\\x80\\x80\\xc0\\xaf");
	assert_member(json, "control", fields[2].value);
	assert_member(json, "cut", "\\xe2\\x82");
	assert_non_null(json_object_get(json, "time"));
	json_decref(json);
}

static void
test_logstash_record(void **state)
{
	json_t *json;

	(void)state;
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGSTASH);
	log_info("ready");
	json = logged_json();
	assert_member(json, "@version", "1");
	assert_member(json, "message", "ready");
	assert_non_null(json_object_get(json, "@timestamp"));
	assert_null(json_object_get(json, "time"));
	json_decref(json);
}

/* However long its parts are, a record is one well-formed line. */
static void
test_long_records_are_cut(void **state)
{
	struct log_field fields[12];
	char keys[12][8], big[5000];
	json_t *json;
	size_t len, i;

	(void)state;
	for (i = 0; i < sizeof(big) - 1; i++)
		big[i] = "\xc3\xa9\"\n"[i % 4];
	big[i] = '\0';
	for (i = 0; i < 12; i++) {
		snprintf(keys[i], sizeof(keys[i]), "key%zu", i);
		fields[i].key = keys[i];
	}
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (len = 0; len < 1200; len += 7) {
		for (i = 0; i < 12; i++)
			fields[i].value = big + sizeof(big) - 1 - len;
		log_event(LOG_LEVEL_INFO, big, fields, 12);
		json = logged_json();
		assert_true(strlen(caught) <= RECORD_MAX);
		assert_true(json_object_size(json) >= 5);
		json_decref(json);
	}
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_event(LOG_LEVEL_INFO, big, fields, 12);
	assert_true(strlen(logged()) <= RECORD_MAX);
	assert_int_equal(strcmp(caught + strlen(caught) - 5, "...\"\n"), 0);
}

/* One long value leaves room for the fields behind it. */
static void
test_one_long_value_hides_no_other(void **state)
{
	char big[9000];
	struct log_field fields[] = {
		{ "uri", big }, { "agent", big }, { "status", "200" }
	};

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_event(LOG_LEVEL_INFO, "m", fields, 3);
	assert_non_null(strstr(logged(), "aaa... status=200\n"));
}

static void
test_fatal_exits_with_1(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		log_procinit("p");
		errno = EACCES;
		fatal("key %d", 7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_string_equal(logged_rest(), "level=error process=p "
	    "msg=\"key 7: Permission denied\"\n");
}

/* JSON whatever the format and level, and nothing is cut. */
static void
test_records_for_a_file(void **state)
{
	static char value[20001], line[32768];
	const struct log_field fields[] = { { "long", value },
	    { "absent", NULL }, { "last", "a \"b\"" } };
	FILE *file = tmpfile();
	json_t *json;

	(void)state;
	assert_non_null(file);
	memset(value, 'x', sizeof(value) - 1);
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	assert_int_equal(log_event_to(fileno(file), LOG_LEVEL_INFO, "one",
	    fields, 3), 0);
	rewind(file);
	assert_non_null(fgets(line, sizeof(line), file));
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "msg")),
	    "one");
	assert_string_equal(json_string_value(json_object_get(json, "long")),
	    value);
	assert_string_equal(json_string_value(json_object_get(json, "last")),
	    "a \"b\"");
	assert_null(json_object_get(json, "absent"));
	json_decref(json);
	fclose(file);
	assert_int_equal(log_event_to(-1, LOG_LEVEL_INFO, "one", NULL, 0),
	    -1);
	assert_int_equal(errno, EBADF);
}

static void
test_names(void **state)
{
	enum log_format format;
	enum log_level level;

	(void)state;
	assert_int_equal(log_level_parse("WARN", &level), 0);
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_int_equal(log_level_parse("trace", &level), -1);
	assert_int_equal(log_format_parse("logstash", &format), 0);
	assert_int_equal(format, LOG_FORMAT_LOGSTASH);
	assert_int_equal(log_format_parse("xml", &format), -1);
}

/* Last: static fields stay for the life of the process. */
static void
test_static_fields(void **state)
{
	struct log_field field = { "own", "1" };
	int i;

	(void)state;
	log_procinit("p");
	assert_int_equal(log_add_static_field("env", "prod x"), 0);
	log_event(LOG_LEVEL_INFO, "m", &field, 1);
	assert_string_equal(logged_rest(), "level=info process=p msg=m own=1 "
	    "env=\"prod x\"\n");
	for (i = 1; i < 32; i++)
		assert_int_equal(log_add_static_field("k", "v"), 0);
	assert_int_equal(log_add_static_field("k", "v"), -1);
}

#define CATCHING(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CATCHING(test_text_record),
		CATCHING(test_functions_and_levels),
		CATCHING(test_json_record),
		CATCHING(test_logstash_record),
		CATCHING(test_long_records_are_cut),
		CATCHING(test_one_long_value_hides_no_other),
		CATCHING(test_fatal_exits_with_1),
		CATCHING(test_records_for_a_file),
		cmocka_unit_test(test_names),
		CATCHING(test_static_fields),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
