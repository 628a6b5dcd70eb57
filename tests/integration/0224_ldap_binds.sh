#!/bin/sh
# SPDX-License-Identifier: ISC
# LDAP: what the directory sees of a login, and connections that come to
# their end.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh
make_directory
start_slapd second
second=$LDAP second_log=$SLAPD_LOG
SLAPD_GLOBAL='idletimeout 2'
start_slapd slapd
LDAP_URIS="ldap://$LDAP, ldap://$second"
ldap_usual 'verifiers: 1'
start_ldap_authd
# A part of the directory that is elsewhere: nobody goes there.
as_root -a >/dev/null <<LDIF
dn: ou=remote,dc=test
objectClass: referral
objectClass: extensibleObject
ou: remote
ref: ldap://$second/ou=people,dc=test
LDIF
accepted=$(grep -c ACCEPT "$second_log")

user=uid=alice,ou=people,dc=test
ask alice:wrong ''
expect_refused
expect "a wrong password is one bind" 1 "$(binds $user)"
expect "and none at the other server" "$accepted" \
    "$(grep -c ACCEPT "$second_log")"
ask alice: ''
ask nobody:x ''
ask '*:x' ''
expect "no bind without a password" 1 "$(binds $user)"
ask alice:alice-pw ''
expect_status 200 "the right one"
expect "is another" 2 "$(binds $user)"
expect "the service bound once" 1 "$(binds cn=service,dc=test)"

# The server closes what is idle.
idle_closed() {
	grep -c 'closed (idletimeout)' "$SLAPD_LOG" | grep -qv '^0$'
}
check "the server closes the connection" wait_until 20 idle_closed
ask Bob:Bob-pw ''
expect_status 200 "who comes then does not notice"
expect "the service bound again" 2 "$(binds cn=service,dc=test)"
refuse "that is nobody's failure" grep 'does not serve' "$AUTHD_LOG"

# Restarted: connection refused for a while, then back.
stop_pid "$SLAPD_PID"
ask carol:carol-pw ''
expect_status 200 "the second serves"
check "it is told" log_has "$AUTHD_LOG" 'does not serve'
run_slapd slapd

# Five wrong ones lock; the right one is refused then.
for i in 1 2 3 4 5; do
	ask several:wrong$i ''
done
ask several:several-pw ''
expect_refused
check "why is in the log" wait_log "$AUTHD_LOG" 'reason="?locked'

# The service is refused: that is nobody's bad password.
stop_authd
LDAP_URIS=ldap://$LDAP
echo wrong >"$T/ldap/secret"
ldap_usual 'verifiers: 1'
start_ldap_authd
tried=$(binds cn=service,dc=test)
ask alice:alice-pw ''
expect_status 503 "the service is refused"
ask alice:alice-pw ''
ask alice:alice-pw ''
expect "and does not try again at once" $((tried + 1)) \
    "$(binds cn=service,dc=test)"
echo 'service secret' >"$T/ldap/secret"
kill -HUP "$AUTHD_PID"
check "a new password of the service, and a reload" wait_until 15 \
    answers 200 alice:alice-pw
