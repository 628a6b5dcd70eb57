/* SPDX-License-Identifier: ISC */
/*
 * Logging to standard error, one record per line, as text or JSON.
 *
 * Every record carries time, level, the process name and the fields that
 * the configuration adds.  Client text must go through a field value (or
 * str_vis()), which are escaped; a format string never holds it.
 * Never log secrets, tokens or Authorization headers.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

enum log_format {
	LOG_FORMAT_TEXT,		/* key=value, quoted where needed */
	LOG_FORMAT_JSON,
	LOG_FORMAT_LOGSTASH		/* JSON with @timestamp, @version */
};

/* One key and value of a record.  A NULL value drops the field. */
struct log_field {
	const char	*key;
	const char	*value;
};

/* The program's name; text, info level until log_configure(). */
void	 log_init(const char *program);
/*
 * Name the process in records: "worker 2".  Copied.  Before it gives its
 * rights away, so that no record opens a file.
 */
void	 log_procinit(const char *process);
void	 log_configure(enum log_level, enum log_format);
/* Add a field to every record (log.fields).  Copied; at most 32 are kept. */
int	 log_add_static_field(const char *key, const char *value);
bool	 log_enabled(enum log_level);
/* 0 and the value, or -1 for an unknown name. Case is ignored for levels. */
int	 log_level_parse(const char *, enum log_level *);
int	 log_format_parse(const char *, enum log_format *);

/* log_warn() appends ": " and the text of errno; the others do not. */
void	 log_error(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	 log_warn(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	 log_warnx(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	 log_info(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	 log_debug(const char *, ...) __attribute__((__format__(printf, 1, 2)));
/* A record with fields: log_event(LOG_LEVEL_INFO, "response", f, 4). */
void	 log_event(enum log_level, const char *message,
	    const struct log_field *, size_t n);
/*
 * Same into a file that was opened for appending, as JSON whatever the
 * format and the level; values are not cut there.  -1 with errno.
 */
int	 log_event_to(int fd, enum log_level, const char *message,
	    const struct log_field *, size_t n);

/* Lines such as "error: ..." as a record each; cuts the text. */
void	 log_messages(char *text);

/* Start-up only, and for a broken promise of the parent: exit status 1. */
void	 fatal(const char *, ...)
	    __attribute__((__noreturn__, __format__(printf, 1, 2)));
void	 fatalx(const char *, ...)
	    __attribute__((__noreturn__, __format__(printf, 1, 2)));

#endif
