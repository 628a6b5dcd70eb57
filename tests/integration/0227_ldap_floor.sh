#!/bin/sh
# SPDX-License-Identifier: ISC
# LDAP: whether there is a user, and whether he is locked, is not to be told
# from the answer nor from its time, though an unknown name costs no bind.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh
make_directory
start_slapd slapd
# Wrong passwords stay wrong ones here, and lock nobody.
as_root >"$T/modify.out" <<LDIF || die "$(cat "$T/modify.out")"
dn: cn=default,ou=policies,dc=test
changetype: modify
replace: pwdMaxFailure
pwdMaxFailure: 0
LDIF
CONF_THROTTLE='{failures_per_source: 0, failures_per_user: 0}'
ldap_usual 'verifiers: 2'
start_ldap_authd
SAMPLES=200

for who in alice:x nobody:x locked:locked-pw reset:reset-pw \
    expired:expired-pw 'x)(uid=*:x'; do
	ask "$who" ''
	expect_refused
	tr -d '\r' <"$T/head" | grep -v '^Date:' | cat - "$T/body" \
	    >"$T/answer"
	[ -f "$T/first" ] || cp "$T/answer" "$T/first"
	check "$who gets the answer of all" cmp "$T/first" "$T/answer"
done

for n in $(seq "$SAMPLES"); do
	requests 1 known "alice:wrong$n"
	requests 1 unknown "nobody$n:x"
	requests 1 expired expired:expired-pw
done >"$T/requests"
sample() {
	ask_many 20 <"$T/requests" >"$T/times"
	alike known unknown && alike known expired
}
check "times of $SAMPLES refusals of each kind tell nothing" \
    eval 'sample || sample || sample'
expect "all of them are refusals" $((SAMPLES * 3)) \
    "$(grep -c ' 401 ' "$T/times")"
check "each wrong password was asked for at the directory" \
    [ "$(binds uid=alice,ou=people,dc=test)" -ge "$SAMPLES" ]
requests 50 good alice:alice-pw | ask_many 1 >"$T/good"
check "a right password does not wait" \
    awk '$2 != 200 || $3 > 0.25 { n++ } END { exit n > 2 }' "$T/good"
cat "$T/good" >>"$T/times"
refuse "which is to be seen" alike known good
