/* SPDX-License-Identifier: ISC */
/*
 * Messages that were made for a terminal, "error: ..." on each line, as log
 * records.  Runs in parents, when they reload.
 */
#include <string.h>

#include "log.h"
#include "str.h"

void
log_messages(char *text)
{
	static const char	 error[] = "error: ", warning[] = "warning: ";
	char			*line;

	while ((line = strsep(&text, "\n")) != NULL) {
		if (str_starts(line, error))
			log_error("%s", line + sizeof(error) - 1);
		else if (str_starts(line, warning))
			log_warnx("%s", line + sizeof(warning) - 1);
		else if (*line != '\0')
			log_warnx("%s", line);
	}
}
