#!/bin/sh
# SPDX-License-Identifier: ISC
# LDAP: Active Directory's principal names, its word for who has logged in,
# what it says of accounts, and groups of groups.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh

background "$T/ad.out" "$BUILD/tests/integration/ad_server"
PIDS="$PIDS $started"
wait_until 5 test -s "$T/ad.out" || die "ad_server"
mkdir "$T/ldap"
ldap_conf "uris: [ldap://127.0.0.1:$(cat "$T/ad.out")]" "mode: template" \
    'template: "{user}@corp.test"' 'base: "DC=corp,DC=test"' \
    'user_attr: sAMAccountName' 'filter: "(sAMAccountName={user})"' \
    'tls: none' 'allow_plaintext: true' "groups:
    mode: ad_nested
    base: \"OU=groups,DC=corp,DC=test\"
    name_attr: cn"
start_ldap_authd

ask alice:alice-pw 'scope=repository:alice/x:pull'
expect_status 200 "a principal name"
expect "is the account" alice "$(claims .sub)"
ask bob:bob-pw 'scope=repository:bob/x:pull&scope=repository:robert/x:pull'
expect_status 200 "a name that is another's account"
expect "is still who has logged in" robert "$(claims .sub)"
expect_access 'repository:robert/x:pull' "with his rights, not the other's"
ask bob:bob-pw 'scope=repository:team/x:push'
expect_access 'repository:team/x:push' "a group of groups counts"
ask BOB:bob-pw ''
expect "in any case" robert "$(claims .sub)"
ask boss:boss-pw 'scope=repository:bob/x:pull'
expect_access 'repository:bob/x:pull' "the other has his own"

for user in alice:wrong nobody:x disabled:disabled-pw expired:expired-pw \
    over:over-pw must:must-pw locked:locked-pw 'alice@corp.test:alice-pw' \
    'CORP\\alice:alice-pw'; do
	ask "$user" ''
	expect_refused
done
for reason in disabled 'password expired' 'account expired' \
    'must change password' locked; do
	check "the log says: $reason" log_has "$AUTHD_LOG" "reason=\"?$reason"
done
