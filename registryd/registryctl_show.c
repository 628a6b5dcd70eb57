/* SPDX-License-Identifier: ISC */
/*
 * How registryctl shows things: safe text, JSON, a progress bar.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "registryctl.h"
#include "str.h"

#define BAR_WIDTH	30
#define BAR_EACH_MS	100

static bool bar_drawn;

char *
ctl_vis(char *dst, size_t size, const char *text)
{
	return str_vis(dst, size, text, strlen(text));
}

void
ctl_print_json(json_t *object)
{
	if (object == NULL || json_dumpf(object, stdout, JSON_COMPACT) == -1)
		fputs("{\"error\":\"out of memory\"}", stdout);
	putchar('\n');
	json_decref(object);
}

uint64_t
ctl_number(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 ? (uint64_t)n : 0;
}

const char *
ctl_text(const json_t *object, const char *key)
{
	const char *text = json_string_at(object, key);

	return text != NULL ? text : "";
}

void
ctl_bar(const struct ctl *ctl, const char *what, uint64_t done,
    uint64_t total, const char *unit)
{
	static uint64_t drawn_ms;
	uint64_t now = clock_monotonic_ms();
	unsigned filled;

	if (ctl->json || isatty(STDERR_FILENO) != 1 ||
	    (bar_drawn && now - drawn_ms < BAR_EACH_MS))
		return;
	drawn_ms = now;
	bar_drawn = true;
	if (total == 0) {
		fprintf(stderr, "\r\033[K%s: %llu %s", what,
		    (unsigned long long)done, unit);
		return;
	}
	filled = (unsigned)(done >= total ? BAR_WIDTH :
	    (double)done / (double)total * BAR_WIDTH);
	fprintf(stderr, "\r\033[K%s [%.*s%*s] %3u%%  %llu of %llu %s", what,
	    (int)filled, "##############################",
	    (int)(BAR_WIDTH - filled), "", (unsigned)(done >= total ? 100 :
	    (double)done / (double)total * 100), (unsigned long long)done,
	    (unsigned long long)total, unit);
}

void
ctl_bar_end(void)
{
	if (bar_drawn)
		fputs("\r\033[K", stderr);
	bar_drawn = false;
}
