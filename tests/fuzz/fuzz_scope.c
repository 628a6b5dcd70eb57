/* SPDX-License-Identifier: ISC */
/*
 * Scopes: a set written and read again is the same set, as text and as a
 * claim; and names are judged as the specification's regular expression
 * judges them.  The first byte says what the rest is: 'l' a list of scopes,
 * 'c' an access claim, else a repository's name.
 */
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scope.h"

#define COMPONENT	"[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
check_equal(const struct scope_set *a, const struct scope_set *b)
{
	size_t	 i;

	must(a->n == b->n);
	for (i = 0; i < a->n; i++) {
		must(strcmp(a->items[i].type, b->items[i].type) == 0);
		must(strcmp(a->items[i].name, b->items[i].name) == 0);
		must(a->items[i].actions == b->items[i].actions);
	}
}

static void
check_set(const struct scope_set *set)
{
	struct scope_set back = { NULL, 0 };
	struct buf	 text;
	json_t		*claim;
	size_t		 i;

	must(set->n <= SCOPE_MAX);
	buf_init(&text, 1 << 20);
	for (i = 0; i < set->n; i++) {
		must(set->items[i].actions != 0);
		must(scope_set_allows(set, set->items[i].type,
		    set->items[i].name, set->items[i].actions));
		if (i > 0)
			buf_addc(&text, ' ');
		must(scope_format(&text, set->items[i].type,
		    set->items[i].name, set->items[i].actions) == 0);
	}
	must(scope_set_add_list(&back, buf_str(&text)) == 0);
	check_equal(set, &back);
	scope_set_done(&back);
	buf_done(&text);

	claim = scope_set_to_claim(set);
	must(claim != NULL);
	must(scope_set_from_claim(&back, claim, 0) == 0);
	check_equal(set, &back);
	scope_set_done(&back);
	json_decref(claim);
}

static void
check_name(const char *name)
{
	static regex_t	 regex;
	static bool	 compiled;
	bool		 want;

	if (!compiled)
		must(regcomp(&regex, "^" COMPONENT "(/" COMPONENT ")*$",
		    REG_EXTENDED | REG_NOSUB) == 0);
	compiled = true;
	want = strlen(name) <= 255 && regexec(&regex, name, 0, NULL, 0) == 0;
	must(scope_repository_name_ok(name) == want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scope_set set = { NULL, 0 };
	json_t		*claim;
	char		*text;

	if (size == 0)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	must(text != NULL);
	if (data[0] == 'l')
		(void)scope_set_add_list(&set, text);
	else if (data[0] == 'c') {
		claim = json_loads(text, JSON_DECODE_ANY, NULL);
		(void)scope_set_from_claim(&set, claim, 1000);
		json_decref(claim);
	} else
		check_name(text);
	check_set(&set);
	scope_set_done(&set);
	free(text);
	return 0;
}
