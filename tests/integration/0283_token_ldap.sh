#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# Owners of tokens in a directory: looked up by the service, without their
# passwords, with their groups of now; and what happens when nobody answers.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh &&
    . ./tokens.sh
CONF_THROTTLE='{failures_per_source: 0, floor: 0s}'
make_directory
start_slapd slapd

# Memberships and locks count within a second.
start_with() {
	CONF_AUTHD="$CONF_AUTHD
limits: {cache_ttl: 1s}
grace: $1
$(vault_lines 'refresh_tokens: 24h')"
	start_ldap_authd
}

ldap_usual 'groups: {mode: memberof, base: "ou=groups,dc=test"}'
start_with 0s
scope='scope=repository:team/x:pull,push'

alice=$(made alice)
ask "alice:$alice" "$scope"
expect_status 200 "the owner is in the directory"
expect "the backend" ldap "$(field auth.backend)"
expect_access 'repository:team/x:pull,push' "his groups of the directory"
carol=$(made carol)
ask "carol:$carol" "$scope"
expect_access '' "who is not in it has nothing by it"
bob=$(made Bob)
ask "Bob:$bob" 'scope=repository:bob/x:pull'
expect "the name of the entry, in lower case, is the sub" bob "$(claims .sub)"
for user in locked reset; do
	token=$(made $user)
	ask "$user:$token" ''
	expect_refused
done
check "why is in the audit" log_has "$AUTHD_LOG" \
    'reason="must change password"'
token=$(made nobody)
ask "nobody:$token" ''
expect_refused
token=$(made 'a*')
ask "a*:$token" ''
expect_refused
token=$(made twin)
ask "twin:$token" ''
expect_refused

# ---- refresh tokens ----

log_in() {
	ask "$1" 'client_id=docker&offline_token=true'
	refresh=$(jq -r '.refresh_token // ""' "$T/body")
}
used() {
	post grant_type=refresh_token "refresh_token=$2"
	last="POST /token with a refresh token"
	[ "$status" = "$1" ]
}
log_in carol:carol-pw
used 200 "$refresh"
expect_status 200 "a refresh token"
as_root >"$T/ldap.out" 2>&1 <<-LDIF
	dn: uid=carol,ou=people,dc=test
	changetype: modify
	replace: userPassword
	userPassword: another-pw

	dn: uid=carol,ou=people,dc=test
	changetype: modify
	delete: pwdReset
LDIF
check "ends with a new password" wait_until 5 used 401 "$refresh"
reason 'token: the password was changed'
ask "carol:$carol" ''
expect_status 200 "the other kind stays"

# ---- changes in the directory ----

as_root >"$T/ldap.out" 2>&1 <<-LDIF
	dn: cn=dev,ou=groups,dc=test
	changetype: modify
	replace: member
	member: uid=carol,ou=people,dc=test
LDIF
expect "the directory takes it" '' "$(grep -v '^modifying\|^$' "$T/ldap.out")"
has_access() {
	ask "$1" "$scope"
	[ "$(claims '.access | length')" = "$2" ]
}
check "who comes to a group gains" wait_until 5 has_access "carol:$carol" 1
as_root >"$T/ldap.out" 2>&1 <<-LDIF
	dn: cn=dev,ou=groups,dc=test
	changetype: modify
	replace: member
	member: uid=several,ou=people,dc=test
LDIF
check "who leaves it loses by it" wait_until 5 has_access "carol:$carol" 0
as_root >"$T/ldap.out" 2>&1 <<-LDIF
	dn: uid=alice,ou=people,dc=test
	changetype: modify
	add: pwdAccountLockedTime
	pwdAccountLockedTime: 000001010000Z
LDIF
check "a locked owner" wait_until 5 answers 401 "alice:$alice"
reason locked
as_root >"$T/ldap.out" 2>&1 <<-LDIF
	dn: uid=Bob,ou=people,dc=test
	changetype: delete
LDIF
check "a removed owner" wait_until 5 answers 401 "Bob:$bob"
reason 'token: its owner is not there any more'

# ---- nobody answers ----

robot=$(ctl robot new -r 'ci/**:pull' ci 2>/dev/null)
stop_pid "$SLAPD_PID"
check "no directory: 503, not 401" wait_until 15 answers 503 "carol:$carol"
check "Retry-After" test -n "$(header Retry-After)"
ask "robot\$ci:$robot" ''
expect_status 200 "robots need none"
used 503 "$refresh"
expect_status 503 "a refresh token"

# ---- the grace time ----

run_slapd slapd || die "slapd does not come back"
stop_authd
ldap_usual
start_with 1h
ask "carol:$carol" ''
expect_status 200 "looked up once"
sleep 1.1
stop_pid "$SLAPD_PID"
ask "carol:$carol" ''
expect_status 200 "known within the grace time"
reason 'grace: could not be checked'
second=$(made carol)
ask "carol:$second" ''
expect_status 200 "it is the owner that is known"
late=$(made several)
ask "several:$late" ''
expect_status 503 "who was not looked up before is not"

# ---- by a template ----

stop_authd
run_slapd slapd || die "slapd does not come back"
ldap_usual 'mode: template' 'template: "uid={user},ou=people,dc=test"'
start_with 0s
ask "carol:$carol" ''
expect_status 200 "found by the DN of the template"
ask "several:$late" ''
expect_status 200 "another one"
token=$(made 'carol,ou=others')
ask "carol,ou=others:$token" ''
expect_refused
