#!/bin/sh
# SPDX-License-Identifier: ISC
# LDAP: a DN made of the name, without a service account and with one.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh
make_directory
start_slapd slapd

template() {
	stop_authd
	ldap_conf "uris: [ldap://$LDAP]" "ca: $T/ldap/ca.crt" \
	    "mode: template" "$@"
	start_ldap_authd
}

template 'template: "uid={user},ou=people,dc=test"' \
    'groups: {mode: memberof, base: "ou=groups,dc=test"}'
for user in alice ALICE; do
	ask "$user:alice-pw" 'scope=repository:team/x:pull,push'
	expect_status 200 "$user"
	expect "sub of $user" alice "$(claims .sub)"
	expect_access 'repository:team/x:pull,push' "$user is in dev"
done
ask 'x,ou=admins:x,ou=admins-pw' ''
expect_status 200 "a comma within a name"
expect "its sub" 'x,ou=admins' "$(claims .sub)"
for user in 'alice,ou=people,dc=test' 'alice+cn=alice' 'x,ou=admins,' \
    nobody '*' '\61lice' 'alice ' '#616c696365'; do
	ask "$user:alice-pw" ''
	expect_refused
done
check "each is one bind of one literal name" grep -q \
    'BIND dn="uid=alice[\\]2Cou[\\]3Dpeople[\\]2C' \
    "$SLAPD_LOG"
ask alice:wrong ''
expect_refused

template 'template: "uid={user},ou=people,dc=test"' \
    'bind_dn: "cn=service,dc=test"' "bind_password_file: $T/ldap/secret" \
    'groups: {mode: member, base: "ou=groups,dc=test"}'
ask alice:alice-pw 'scope=repository:team/x:pull,push'
expect_status 200 "looked up by the service"
expect_access 'repository:team/x:pull,push'
check "the service was asked" test "$(binds cn=service,dc=test)" -ge 1
