#!/bin/sh
# SPDX-License-Identifier: ISC
# authctl import: what it makes of a configuration of docker_auth is taken by
# authd, with its users, and grants what that granted.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
make_token_key
echo alice-pw | "$BUILD/authctl" passwd -c 8 -p "$T/old" alice >"$T/log"
hash=$(cut -d : -f 2- "$T/old")
cat >"$T/docker_auth.yml" <<-CONF
	server: {addr: "127.0.0.1:0", hsts: true}
	token:
	  issuer: authd
	  expiration: 600
	  certificate: $T/keys/token.crt
	  key: $T/keys/token.key
	users:
	  alice: {password: "$hash"}
	  "": {}
	github_auth: {organization: acme}
	acl:
	  - {match: {account: "/^(x|y)$/", name: "alice/*"}, actions: ["*"]}
	  - {match: {account: "alice", name: "/^alice/.+$/"}, actions: ["*"]}
	  - {match: {name: "public/*"}, actions: [pull]}
CONF
"$BUILD/authctl" import -s registry.test -p "$T/htpasswd" \
    "$T/docker_auth.yml" >"$T/authd.yml" 2>"$T/report"
expect "status" 0 $?
expect "what is left out is named, by line" "1 10 12" "$(sed -n \
    's/^.*docker_auth.yml:\([0-9]*\): .*not carried over: .*/\1/p' \
    "$T/report" | sort -n | tr '\n' ' ' | sed 's/ $//')"
check "and counted" grep -q ': 3 not carried over$' "$T/report"
check "authd -n takes it" "$BUILD/authd" -n -f "$T/authd.yml"
expect "the users' file is for one user only" 600 \
    "$(stat -c %a "$T/htpasswd")"
refuse "it is never overwritten" "$BUILD/authctl" import -p "$T/htpasswd" \
    "$T/docker_auth.yml"
check "users can be printed as comments" sh -c "'$BUILD/authctl' import \
    '$T/docker_auth.yml' 2>'$T/log' | grep -q '^# alice:\\\$2y'"
if is_root; then
	cat >>"$T/authd.yml" <<-CONF
	user: "62011:62011"
	broker_user: "62012:62012"
	verifier_user: "62013:62013"
	signer_user: "62014:62014"
	CONF
fi
start_authd "$T/authd.yml"
ask alice:alice-pw 'scope=repository:alice/a/b:pull,push'
expect_access 'repository:alice/a/b:pull,push'
ask alice:alice-pw 'scope=repository:public/a:pull,push'
expect_access 'repository:public/a:pull'
ask - 'scope=repository:public/a:pull,push'
expect_access 'repository:public/a:pull'
ask - 'scope=repository:public/a/b:pull'
expect_access ''
expect "the lifetime" 600 "$(jq .expires_in "$T/body")"

echo 'a: [' >"$T/broken.yml"
refuse "what is no YAML" "$BUILD/authctl" import "$T/broken.yml"
