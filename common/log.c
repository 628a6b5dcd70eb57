/* SPDX-License-Identifier: ISC */
/*
 * Log records to standard error, from every process.  A record is built in
 * one buffer of 4 KiB, which is the size that a pipe takes in one piece, and
 * written by one write(2): records of many processes never mix.  What does
 * not fit is cut at a character, and the record stays well-formed.  Records
 * for a file may be longer: a file takes any size in one piece.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "str.h"

#define RECORD_MAX	4096
#define RECORD_TAIL	8		/* kept free for ..."} and newline */
#define VALUE_MAX	640		/* written bytes of one value, so that
					   no field can push out the others */
#define FILE_RECORD_MAX	65536		/* of a record for a file */
#define FILE_VALUE_MAX	24576
#define MESSAGE_MAX	1536
#define PROCESS_MAX	64
#define STATIC_MAX	32

struct record {
	char	*data;
	size_t	 size;
	size_t	 len;
	size_t	 limit;			/* of what is being added */
	enum log_format format;
	bool	 full;
};

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static struct {
	char		 process[PROCESS_MAX];
	enum log_level	 level;
	enum log_format	 format;
	struct log_field fields[STATIC_MAX];
	size_t		 nfields;
} state = { .level = LOG_LEVEL_INFO };

/* One character in its written form, all or nothing. */
static void
record_add(struct record *rec, const char *s, size_t len)
{
	if (rec->full || len > rec->limit - rec->len) {
		rec->full = true;
		return;
	}
	memcpy(rec->data + rec->len, s, len);
	rec->len += len;
}

static void
record_addstr(struct record *rec, const char *s)
{
	record_add(rec, s, strlen(s));
}

/* The length of a well-formed UTF-8 sequence (RFC 3629), 0 for none. */
static size_t
utf8_length(const unsigned char *s)
{
	size_t n, i;

	if (s[0] < 0x80)
		return 1;
	n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 :
	    (s[0] & 0xf0) == 0xe0 ? 3 :
	    s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong, surrogate, beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void
record_add_text(struct record *rec, const char *s)
{
	char vis[8];

	for (; *s != '\0' && !rec->full; s++) {
		if (*s == '"')
			record_addstr(rec, "\\\"");
		else
			record_addstr(rec, str_vis(vis, sizeof(vis), s, 1));
	}
}

static void
record_add_json(struct record *rec, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	char esc[8];
	size_t n;

	for (; *p != '\0' && !rec->full; p += n) {
		n = utf8_length(p);
		if (n == 0) {
			n = 1;
			snprintf(esc, sizeof(esc), "\\\\x%02x", *p);
			record_addstr(rec, esc);
		} else if (*p == '"' || *p == '\\') {
			snprintf(esc, sizeof(esc), "\\%c", *p);
			record_addstr(rec, esc);
		} else if (*p < 0x20 || *p == 0x7f) {
			snprintf(esc, sizeof(esc), "\\u%04x", *p);
			record_addstr(rec, esc);
		} else
			record_add(rec, (const char *)p, n);
	}
}

static bool
text_needs_quotes(const char *s)
{
	if (*s == '\0')
		return true;
	for (; *s != '\0'; s++) {
		if (*s <= ' ' || *s > '~' || *s == '"' || *s == '=' ||
		    *s == '\\')
			return true;
	}
	return false;
}

/* A value of at most "max" written bytes, quoted as the format wants it. */
static void
record_add_value(struct record *rec, const char *value, size_t max)
{
	bool json = rec->format != LOG_FORMAT_TEXT;
	bool quote = json || text_needs_quotes(value);
	size_t limit = rec->limit;

	if (quote)
		record_addstr(rec, "\"");
	if (max < limit - rec->len)
		rec->limit = rec->len + max;
	if (json)
		record_add_json(rec, value);
	else
		record_add_text(rec, value);
	/* The cut and the closing quote may use the tail. */
	rec->limit = rec->size;
	if (rec->full) {
		rec->full = false;
		record_addstr(rec, "...");
	}
	if (quote)
		record_addstr(rec, "\"");
	rec->limit = limit;
	rec->full = rec->len >= limit;
}

/* A whole field, or none of it. */
static void
record_add_field(struct record *rec, const char *key, const char *value,
    size_t max)
{
	size_t start = rec->len;
	bool json = rec->format != LOG_FORMAT_TEXT;

	if (value == NULL || rec->full)
		return;
	if (json) {
		record_addstr(rec, start == 1 ? "\"" : ",\"");
		record_add_json(rec, key);
		record_addstr(rec, "\":\"");
	} else {
		record_addstr(rec, start == 0 ? "" : " ");
		record_add_text(rec, key);
		record_addstr(rec, "=\"");
	}
	if (rec->full) {
		rec->len = start;
		return;
	}
	rec->len--;		/* the quote was only a check for room */
	record_add_value(rec, value, max);
}

static void
record_add_head(struct record *rec, enum log_level level, const char *msg)
{
	bool logstash = rec->format == LOG_FORMAT_LOGSTASH;
	char now[32];

	clock_rfc3339_now(now, sizeof(now));
	record_add_field(rec, logstash ? "@timestamp" : "time", now,
	    VALUE_MAX);
	if (logstash)
		record_add_field(rec, "@version", "1", VALUE_MAX);
	record_add_field(rec, "level", level_names[level], VALUE_MAX);
	record_add_field(rec, "process",
	    state.process[0] == '\0' ? NULL : state.process, VALUE_MAX);
	record_add_field(rec, logstash ? "message" : "msg", msg, MESSAGE_MAX);
}

/* The whole record, with its end; no value longer than "max". */
static void
record_fill(struct record *rec, enum log_level level, const char *message,
    const struct log_field *fields, size_t n, size_t max)
{
	bool json = rec->format != LOG_FORMAT_TEXT;
	size_t i;

	rec->limit = rec->size - RECORD_TAIL;
	if (json)
		record_addstr(rec, "{");
	record_add_head(rec, level, message);
	for (i = 0; i < n; i++)
		record_add_field(rec, fields[i].key, fields[i].value, max);
	for (i = 0; i < state.nfields; i++)
		record_add_field(rec, state.fields[i].key,
		    state.fields[i].value, VALUE_MAX);
	rec->limit = rec->size;
	rec->full = false;
	record_addstr(rec, json ? "}\n" : "\n");
}

void
log_event(enum log_level level, const char *message,
    const struct log_field *fields, size_t n)
{
	char data[RECORD_MAX];
	struct record rec = { .data = data, .size = sizeof(data),
	    .format = state.format };
	int save = errno;

	if (!log_enabled(level))
		return;
	record_fill(&rec, level, message, fields, n, VALUE_MAX);
	/* Nobody is left to tell when this fails. */
	if (write(STDERR_FILENO, rec.data, rec.len) == -1) {
	}
	errno = save;
}

int
log_event_to(int fd, enum log_level level, const char *message,
    const struct log_field *fields, size_t n)
{
	char data[FILE_RECORD_MAX];
	struct record rec = { .data = data, .size = sizeof(data),
	    .format = state.format == LOG_FORMAT_LOGSTASH ?
	    LOG_FORMAT_LOGSTASH : LOG_FORMAT_JSON };
	ssize_t written;

	record_fill(&rec, level, message, fields, n, FILE_VALUE_MAX);
	written = write(fd, rec.data, rec.len);
	if (written == -1)
		return -1;
	if ((size_t)written == rec.len)
		return 0;
	errno = ENOSPC;
	return -1;
}

static void __attribute__((__format__(printf, 3, 0)))
log_vformat(enum log_level level, bool with_errno, const char *fmt, va_list ap)
{
	char msg[MESSAGE_MAX];
	int save = errno, len;

	if (log_enabled(level)) {
		len = vsnprintf(msg, sizeof(msg), fmt, ap);
		if (len < 0)
			len = 0;
		if (with_errno && (size_t)len < sizeof(msg))
			snprintf(msg + len, sizeof(msg) - (size_t)len, ": %s",
			    strerror(save));
		log_event(level, msg, NULL, 0);
	}
	errno = save;
}

void
log_init(const char *program)
{
	log_procinit(program);
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
}

void
log_procinit(const char *process)
{
	snprintf(state.process, sizeof(state.process), "%s", process);
	/* Else gmtime_r() reads the zone when none may be read any more. */
	tzset();
}

void
log_configure(enum log_level level, enum log_format format)
{
	state.level = level;
	state.format = format;
}

int
log_add_static_field(const char *key, const char *value)
{
	struct log_field *field = &state.fields[state.nfields];
	char *copy, *text;

	if (state.nfields == STATIC_MAX) {
		errno = E2BIG;
		return -1;
	}
	copy = strdup(key);
	text = strdup(value);
	if (copy == NULL || text == NULL) {
		free(copy);
		free(text);
		errno = ENOMEM;
		return -1;
	}
	field->key = copy;
	field->value = text;
	state.nfields++;
	return 0;
}

bool
log_enabled(enum log_level level)
{
	return level <= state.level;
}

int
log_level_parse(const char *name, enum log_level *level)
{
	size_t i;

	for (i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (str_equal_nocase(name, level_names[i])) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	errno = EINVAL;
	return -1;
}

int
log_format_parse(const char *name, enum log_format *format)
{
	static const char *const names[] = { "text", "json", "logstash" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*format = (enum log_format)i;
			return 0;
		}
	}
	errno = EINVAL;
	return -1;
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vformat(LOG_LEVEL_ERROR, false, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vformat(LOG_LEVEL_WARN, true, fmt, ap);
	va_end(ap);
}

void
log_warnx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vformat(LOG_LEVEL_WARN, false, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vformat(LOG_LEVEL_INFO, false, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vformat(LOG_LEVEL_DEBUG, false, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vformat(LOG_LEVEL_ERROR, true, fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vformat(LOG_LEVEL_ERROR, false, fmt, ap);
	va_end(ap);
	exit(1);
}
