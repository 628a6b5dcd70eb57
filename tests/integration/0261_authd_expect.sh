#!/bin/sh
# SPDX-License-Identifier: ISC
# Cases in the configuration that say what the rules should come to, and
# rules that can never decide.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
make_token_key
make_users

conf() {
	cat <<-CONF
	services: [prod, test]
	token: {key: $T/keys/token.key, certificate: $T/keys/token.crt}
	htpasswd: $T/htpasswd
	groups: {dev: [alice]}
	access:
	  - {repository: "secret/**", actions: []}
	  - {group: dev, network: 10.0.0.0/8, repository: "a/**",
	     actions: [pull, push]}
	  - {user: admin, registry: catalog, actions: ["*"]}
	  - {service: test, repository: "\${service}/*", actions: [pull]}
	CONF
}

conf >"$T/good.yml"
cat >>"$T/good.yml" <<-CONF
	expect:
	  - {user: alice, network: 10.1.2.3, service: prod,
	     scope: "repository:a/b:pull,push,delete", grants: "pull,push"}
	  - {user: alice, network: 192.0.2.1, service: prod,
	     scope: "repository:a/b:pull", grants: ""}
	  - {user: bob, groups: [dev], network: 10.1.2.3, service: prod,
	     scope: "repository:a/b:*", grants: "pull,push"}
	  - {user: admin, service: prod, scope: "registry:catalog:*",
	     grants: "*"}
	  - {service: test, scope: "repository:test/x:pull", grants: pull}
	  - {service: prod, scope: "repository:prod/x:pull", grants: ""}
	  - {user: admin, service: prod, scope: "repository:secret/x:pull",
	     grants: ""}
CONF
check "authd -n takes what holds" "$BUILD/authd" -n -f "$T/good.yml"
"$BUILD/authctl" test -f "$T/good.yml" >"$T/out"
expect "authctl test: status" 0 $?
expect "authctl test: all is ok" 7 "$(grep -c '^ok ' "$T/out")"
expect "authctl test: the sum" "7 passed, 0 failed" "$(tail -n 1 "$T/out")"
"$BUILD/authd" -nv -f "$T/good.yml" >"$T/again.yml"
check "what -nv prints has the cases" "$BUILD/authctl" test -f "$T/again.yml"

conf >"$T/bad.yml"
cat >>"$T/bad.yml" <<-CONF
	expect:
	  - {user: bob, service: prod, scope: "repository:b:pull", grants: pull}
	  - {user: bob, service: prod, scope: "repository:secret/x:pull",
	     grants: pull}
CONF
"$BUILD/authd" -n -f "$T/bad.yml" >"$T/out" 2>&1
expect "authd -n refuses what does not hold" 1 $?
check "with line, what was granted and by which rule" grep -q \
    'bad.yml:13: expect\[1\]: bob .*granted is nothing by rule 1 (line 6)' \
    "$T/out"
check "or that there is none" grep -q \
    'bad.yml:12: expect\[0\]: bob .*granted is nothing: no rule' "$T/out"
"$BUILD/authctl" test -f "$T/bad.yml" >"$T/out"
expect "authctl test fails, too" 1 $?
expect "for each case" 2 "$(grep -c '^FAIL ' "$T/out")"
"$BUILD/authd" -f "$T/bad.yml" >"$T/out" 2>&1
expect "authd does not start with it" 1 $?

check "authctl lint has nothing to say" "$BUILD/authctl" lint -f "$T/good.yml"
conf >"$T/lint.yml"
cat >>"$T/lint.yml" <<-CONF
	  - {user: carol, repository: "secret/x", actions: [pull]}
	  - {group: dev, network: 10.1.0.0/16, repository: "a/b*",
	     actions: [pull]}
	  - {user: "", repository: "\${user}/x", actions: [pull]}
	  - {service: other, repository: "x", actions: [pull]}
	  - {repository: "Upper/*", actions: [pull]}
	  - {user: "*", repository: "a/**", actions: [pull]}
	  - {actions: []}
	  - {user: dave, registry: catalog, actions: ["*"]}
CONF
"$BUILD/authctl" lint -f "$T/lint.yml" >"$T/out"
expect "authctl lint finds rules that never match" 1 $?
expect "these" "11 12 14 15 16 19" "$(sed -n \
    's/^.*lint.yml:\([0-9]*\): .*/\1/p' "$T/out" | tr '\n' ' ' |
    sed 's/ $//')"
check "and names the one that hides it" grep -q 'hidden by rule 2 (line 7)' \
    "$T/out"
