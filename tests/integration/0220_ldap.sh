#!/bin/sh
# SPDX-License-Identifier: ISC
# LDAP: who gets in, under which name, and who does not.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh
make_directory
start_slapd slapd
ldap_usual
start_ldap_authd

ask alice:alice-pw 'scope=repository:alice/x:pull,push'
expect_status 200 "a user of the directory"
expect "its sub" alice "$(claims .sub)"
expect_access 'repository:alice/x:pull,push'
for user in Bob bob BOB; do
	ask "$user:Bob-pw" 'scope=repository:bob/x:pull'
	expect_status 200 "$user logs in"
	expect "sub of $user is the entry's, in lower case" bob \
	    "$(claims .sub)"
	expect_access 'repository:bob/x:pull'
done
ask 'jürgen:jürgen-pw' ''
expect_status 200 "a name beyond ASCII"
ask 'x,ou=admins:x,ou=admins-pw' ''
expect_status 200 "a name with a comma"
expect "its sub" 'x,ou=admins' "$(claims .sub)"

ask alice:wrong ''
expect_refused
ask nobody:alice-pw ''
expect_refused
ask alice: ''
expect_refused
for user in '*' 'a*' '*)(uid=*' 'admin)(|(uid=*' 'alice)(objectClass=*' \
    '\2a' 'a\00' '(' ')' ',ou=people' ' alice' 'alice ' '\61lice' \
    'alice,ou=people,dc=test'; do
	ask "$user:alice-pw" ''
	expect_refused
done
ask 'alice%00:alice-pw' ''
expect_refused
ask twin:twin-pw ''
expect_refused
check "two entries are told" wait_log "$AUTHD_LOG" 'more than one entry'
ask several:several-pw ''
expect_status 200 "several values of uid"
expect "the one of the DN is the name" several "$(claims .sub)"
ask other:several-pw ''
expect "also when the other was typed" several "$(claims .sub)"

refuse "no password is in the log" grep -E 'alice-pw|service secret' \
    "$AUTHD_LOG"

# It forgets how many wrong passwords came from here.
stop_authd
start_ldap_authd
ask locked:locked-pw ''
expect_refused
ask reset:reset-pw ''
expect_refused
ask expired:expired-pw ''
expect_refused
ask grace:grace-pw ''
expect_status 200 "an expired password with a grace login"
check "why is in the log" wait_log "$AUTHD_LOG" \
    'reason="must change password"'
