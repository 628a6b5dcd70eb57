/* SPDX-License-Identifier: ISC */
/*
 * Reads from an entry what a bind would have told: OpenLDAP's password
 * policy, Active Directory's account control, and 389 Directory Server's
 * lock.  What the service may not read, or a directory does not have, tells
 * nothing.  Runs in the verifiers for LDAP.
 */
#include "ldap_state.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "str.h"

#define AD_DISABLED	0x2u		/* of userAccountControl */
#define AD_LOCKED	0x10u		/* computed: for the moment */
#define AD_NEVER	INT64_MAX
/* From 1601, in units of 100 ns, to 1970. */
#define AD_EPOCH	UINT64_C(11644473600)
#define AD_SECOND	UINT64_C(10000000)

static bool
is_true(const char *value)
{
	return strcasecmp(value, "TRUE") == 0;
}

static uint64_t
number(const char *value)
{
	uint64_t	 n;

	return str_parse_u64(value, strlen(value), UINT64_MAX, &n) == 0 ? n :
	    0;
}

static const char *
check_locked(const char *value, time_t now)
{
	(void)now;
	return *value != '\0' ? "locked" : NULL;
}

static const char *
check_reset(const char *value, time_t now)
{
	(void)now;
	return is_true(value) ? "must change password" : NULL;
}

static const char *
check_inactive(const char *value, time_t now)
{
	(void)now;
	return is_true(value) ? "disabled" : NULL;
}

static const char *
check_control(const char *value, time_t now)
{
	(void)now;
	return (number(value) & AD_DISABLED) != 0 ? "disabled" : NULL;
}

static const char *
check_computed(const char *value, time_t now)
{
	(void)now;
	return (number(value) & AD_LOCKED) != 0 ? "locked" : NULL;
}

static const char *
check_expires(const char *value, time_t now)
{
	uint64_t	 when = number(value);

	if (when == 0 || when >= AD_NEVER || now < 0)
		return NULL;
	return when / AD_SECOND <= (uint64_t)now + AD_EPOCH ?
	    "account expired" : NULL;
}

/* Attributes that tell of a lock, and those (check NULL) of the password. */
static const struct {
	const char	*name;
	const char	*(*check)(const char *value, time_t now);
} attributes[] = {
	{ "pwdAccountLockedTime", check_locked },
	{ "pwdReset", check_reset },
	{ "nsAccountLock", check_inactive },
	{ "userAccountControl", check_control },
	{ "msDS-User-Account-Control-Computed", check_computed },
	{ "accountExpires", check_expires },
	{ "pwdChangedTime", NULL },
	{ "pwdLastSet", NULL }
};
#define NATTRIBUTES	(sizeof(attributes) / sizeof(attributes[0]))

_Static_assert(NATTRIBUTES == LDAP_STATE_ATTRS, "as many as there are");

void
ldap_state_attrs(char **attrs)
{
	static char	 names[NATTRIBUTES][40];
	size_t		 i;

	/* The library's type is not const. */
	for (i = 0; i < NATTRIBUTES; i++) {
		str_copy(names[i], sizeof(names[i]), attributes[i].name);
		attrs[i] = names[i];
	}
}

void
ldap_state_take(struct ldap_state *state, const char *attr, const char *value,
    size_t len, time_t now)
{
	const char	*locked;
	char		 text[LDAP_STATE_SINCE_SIZE];
	size_t		 i;

	if (len >= sizeof(text))
		return;
	memcpy(text, value, len);
	text[len] = '\0';
	for (i = 0; i < NATTRIBUTES; i++) {
		if (strcasecmp(attributes[i].name, attr) != 0)
			continue;
		if (attributes[i].check == NULL)
			memcpy(state->since, text, sizeof(text));
		else if ((locked = attributes[i].check(text, now)) != NULL)
			state->locked = locked;
	}
}

void
ldap_state_read(struct ldap_state *state, LDAP *ld, LDAPMessage *entry)
{
	struct berval	**values;
	time_t		  now = clock_wall();
	size_t		  i;

	memset(state, 0, sizeof(*state));
	for (i = 0; i < NATTRIBUTES; i++) {
		values = ldap_get_values_len(ld, entry, attributes[i].name);
		if (values != NULL && values[0] != NULL)
			ldap_state_take(state, attributes[i].name,
			    values[0]->bv_val, values[0]->bv_len, now);
		ldap_value_free_len(values);
	}
}
