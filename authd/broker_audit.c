/* SPDX-License-Identifier: ISC */
/*
 * Writes the audit records of the broker.  They hold names, addresses and
 * the ids of tokens, never a credential or a token.
 */
#include "broker_audit.h"

#include "log.h"

#define MAX_AUDIT	24576		/* bytes of a list of scopes */

static void
format_scopes(struct buf *text, const struct scope_set *set)
{
	size_t	 i;

	buf_init(text, MAX_AUDIT);
	for (i = 0; i < set->n; i++) {
		if (i > 0)
			buf_addc(text, ' ');
		scope_format(text, set->items[i].type, set->items[i].name,
		    set->items[i].actions);
	}
}

/*
 * Rules as people count them, from 1, and where they are in the
 * configuration; "-" where none matched.
 */
static void
format_rules(struct buf *numbers, struct buf *lines, const struct acl *acl,
    const struct audit_record *record)
{
	const struct acl_rule	*rule;
	size_t			 i;

	buf_init(numbers, MAX_AUDIT);
	buf_init(lines, MAX_AUDIT);
	for (i = 0; i < record->nrules; i++) {
		rule = record->rules[i] == -1 ? NULL :
		    acl_rule_at(acl, (size_t)record->rules[i]);
		if (i > 0) {
			buf_addc(numbers, ',');
			buf_addc(lines, ',');
		}
		if (rule == NULL) {
			buf_addc(numbers, '-');
			buf_addc(lines, '-');
		} else {
			buf_addf(numbers, "%d", record->rules[i] + 1);
			buf_addf(lines, "%u", rule->line);
		}
	}
}

static void
write_record(int fd, enum token_result result, const struct log_field *fields,
    size_t n)
{
	enum log_level	 level = result == TOKEN_UNAVAILABLE ?
			    LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
	const char	*message = result == TOKEN_GRANTED ? "token issued" :
			    "token refused";

	if (fd != -1 && log_event_to(fd, level, message, fields, n) == 0)
		return;
	if (fd != -1)
		log_warn("audit file");
	log_event(level, message, fields, n);
}

void
broker_audit(int fd, const struct acl *acl, const struct audit_record *record)
{
	static const char *const	 results[] = {
		[TOKEN_GRANTED] = "granted",
		[TOKEN_BAD_CREDENTIALS] = "bad credentials",
		[TOKEN_ANONYMOUS_REFUSED] = "no credentials",
		[TOKEN_UNKNOWN_SERVICE] = "unknown service",
		[TOKEN_THROTTLED] = "throttled",
		[TOKEN_UNAVAILABLE] = "unavailable"
	};
	struct buf			 asked, granted, rules, lines;

	format_scopes(&asked, record->asked);
	format_scopes(&granted, record->granted);
	format_rules(&rules, &lines, acl, record);
	/* Before it is authenticated a name is only what somebody claims. */
	const struct log_field fields[] = {
		{ "auth.user.name", *record->user != '\0' ? record->user :
		    record->claimed },
		{ "auth.backend", record->backend },
		{ "credential", record->credential },
		{ "credential.issued", record->refresh },
		{ "peer", record->peer },
		{ "service", record->service },
		{ "asked", buf_str(&asked) },
		{ "granted", buf_str(&granted) },
		{ "rule", buf_str(&rules) },
		{ "rule.line", buf_str(&lines) },
		{ "result", results[record->result] },
		{ "reason", *record->reason != '\0' ? record->reason : NULL },
		{ "auth.jti", record->jti }
	};
	write_record(fd, record->result, fields,
	    sizeof(fields) / sizeof(fields[0]));
	buf_done(&asked);
	buf_done(&granted);
	buf_done(&rules);
	buf_done(&lines);
}
