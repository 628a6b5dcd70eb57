#!/bin/sh
# SPDX-License-Identifier: ISC
# LDAP over TLS: no password goes to a server that is not who it should be,
# nor over the wire in the clear.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh
make_directory

# WANT NAME LINE...: what alice gets from authd with those lines.
try() {
	want=$1 name=$2
	shift 2
	stop_authd
	ldap_conf "bind_dn: cn=service,dc=test" "base: dc=test" \
	    "bind_password_file: $T/ldap/secret" "$@"
	start_ldap_authd
	ask alice:alice-pw ''
	expect_status "$want" "$name"
}

# Binds with a password that slapd has seen.
passwords() {
	grep -c 'BIND dn="[^"]' "$SLAPD_LOG"
}

sends_no_password() {
	seen=$(passwords) what=$2
	try "$@"
	check "$what: the server was asked" test \
	    "$(grep -c ACCEPT "$SLAPD_LOG")" -gt "$accepted"
	accepted=$(grep -c ACCEPT "$SLAPD_LOG")
	expect "$what: no password was sent" "$seen" "$(passwords)"
}

ca="ca: $T/ldap/ca.crt"
start_slapd good
try 200 "StartTLS" "uris: [ldap://$LDAP]" "$ca"
try 200 "ldaps" "uris: [ldaps://$LDAPS]" "$ca"
check "both with TLS" sh -c "[ \$(grep -c 'TLS established' \
    $SLAPD_LOG) -ge 4 ]"
cat "$T/ldap/otherca.crt" "$T/ldap/ca.crt" >"$T/ldap/bundle.crt"
try 200 "a bundle of several" "uris: [ldaps://$LDAPS]" \
    "ca: $T/ldap/bundle.crt"

accepted=$(grep -c ACCEPT "$SLAPD_LOG")
for uri in "ldap://$LDAP" "ldaps://$LDAPS"; do
	sends_no_password 503 "another CA, ${uri%%:*}" "uris: [$uri]" \
	    "ca: $T/ldap/otherca.crt"
	check "Retry-After" test -n "$(header Retry-After)"
	check "the log says so" wait_log "$AUTHD_LOG" 'does not serve: TLS'
done
for cert in othername cnonly expired; do
	start_slapd $cert $cert
	accepted=$(grep -c ACCEPT "$SLAPD_LOG")
	for uri in "ldap://$LDAP" "ldaps://$LDAPS"; do
		sends_no_password 503 "$cert, ${uri%%:*}" "uris: [$uri]" \
		    "$ca"
	done
done

# Somebody on the way takes StartTLS away.
start_slapd stripped none
accepted=$(grep -c ACCEPT "$SLAPD_LOG")
sends_no_password 503 "StartTLS refused" "uris: [ldap://$LDAP]" "$ca"
try 200 "plain where that is said" "uris: [ldap://$LDAP]" "tls: none" \
    "allow_plaintext: true"

ldap_conf "uris: [ldap://$LDAP]" "base: dc=test" "tls: none"
authd_conf >"$T/plain.yml"
make_users
"$BUILD/authd" -n -f "$T/plain.yml" 2>"$T/plain.out"
expect "plain where it is not" 1 $?
check "and why" grep -q 'passwords go in the clear' "$T/plain.out"
