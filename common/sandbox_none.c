/* SPDX-License-Identifier: ISC */
/*
 * The sandbox of a system without one: the level is kept, so that entering
 * twice shows, and nothing is taken away beyond what privdrop() took.
 */
#include "sandbox.h"

#include <stdbool.h>

#include "log.h"

static bool		  entered;
static enum sandbox_level current;

void
sandbox_enter(enum sandbox_level level)
{
	if (entered && level != current)
		fatalx("sandbox: level %d asked for in level %d", (int)level,
		    (int)current);
	entered = true;
	current = level;
}

const char *
sandbox_name(void)
{
	return "none";
}
