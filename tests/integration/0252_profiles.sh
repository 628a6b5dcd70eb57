#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Several keys, and a profile for each service.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./keys.sh

make_token_key
for algorithm in es256 eddsa; do
	mkdir "$T/$algorithm"
	"$BUILD/authctl" key new -a "$algorithm" -o "$T/$algorithm" \
	    >"$T/authctl.log" 2>&1 || die "authctl key new -a $algorithm"
done
CONF_AUTHD="keys:
  - {name: ec, key: $T/es256/token.key, certificate: $T/es256/token.crt}
  - name: ed
    key: $T/eddsa/token.key
    certificate: $T/eddsa/token.crt"
make_users
authd_conf >"$T/authd.yml"
cat >"$T/services" <<'CONF'
services:
  - registry.test
  - {name: gitlab, kid: libtrust, x5c: false}
  - {name: fast, algorithm: ES256, lifetime: 2m, backdate: 0s}
  - {name: modern, algorithm: EdDSA, x5c: false}
  - {name: named, kid: our/own:key, x5c: false, lifetime: 1h}
CONF
sed -i -e "/^services:/{r $T/services" -e 'd;}' "$T/authd.yml"
start_authd "$T/authd.yml"

req GET "http://$AUTHD/jwks"
cp "$T/body" "$T/jwks"
expect_json '.keys | length == 7' "three keys, two names each, and a third"
expect_json '[.keys[].alg] | unique == ["ES256","EdDSA","RS256"]'
expect_json '[.keys[] | select(.kid == "our/own:key").alg] == ["RS256"]'
expect_json 'all(.keys[]; has("d") | not)' "no private key"

# SERVICE FILTER-OF-HEADER FILTER-OF-CLAIMS
profile() {
	TOKEN=$(service_token "$1")
	part_of 1 "$TOKEN" >"$T/body"
	expect_json "$2" "$1: $2"
	part_of 2 "$TOKEN" >"$T/body"
	expect_json ".aud == \"$1\" and ($3)" "$1: $3"
	TOKEN=
}
profile registry.test '.alg == "RS256" and (.x5c | length) == 1' \
    '.exp - .nbf == 310'
profile gitlab '(has("x5c") | not) and
    (.kid | test("^([A-Z2-7]{4}:){11}[A-Z2-7]{4}$"))' '.exp - .nbf == 310'
profile fast '.alg == "ES256" and .x5c' '.exp - .nbf == 120'
profile modern '.alg == "EdDSA" and (has("x5c") | not)' '.exp - .nbf == 310'
profile named '.kid == "our/own:key"' '.exp - .nbf == 3610'

# registryd with nothing but the JWKS takes each of them.
for service in registry.test gitlab fast modern named; do
	registryd_conf >"$T/registryd.yml"
	sed -i "s,rootcertbundle:.*,jwks: $T/jwks,
	    s,service:.*,service: $service," "$T/registryd.yml"
	[ "$service" != registry.test ] || make_store
	start_registryd "$T/registryd.yml"
	TOKEN=$(service_token $service)
	opens "registryd takes the token for $service"
	TOKEN=$(service_token gitlab)
	[ "$service" = gitlab ] || closed "and none for another service"
	TOKEN=
	stop_registryd
done

check "-n takes it" "$BUILD/authd" -n -f "$T/authd.yml"
check "-nv prints it" sh -c \
    "'$BUILD/authd' -nv -f '$T/authd.yml' >'$T/printed.yml'"
"$BUILD/authd" -nv -f "$T/printed.yml" >"$T/again.yml"
check "and what it prints is the same again" cmp "$T/printed.yml" \
    "$T/again.yml"
sed -i 's/algorithm: EdDSA/algorithm: ES256/; /name: ec/d' "$T/authd.yml"
"$BUILD/authd" -n -f "$T/authd.yml" 2>"$T/told" &&
    fail "no key for an algorithm" "taken"
check "no key for an algorithm is told" grep -q \
    'fast: there is no key that signs with ES256' "$T/told"

# A key that is only published, and one that was taken away.
sed -i '/{name: fast/d; /{name: modern/d' "$T/authd.yml"
cat >"$T/public" <<CONF
  - {name: ec, certificate: $T/es256/token.crt, use: verify}
CONF
sed -i "/^keys:/r $T/public" "$T/authd.yml"
kill -HUP "$AUTHD_PID"
check "reloaded" wait_until 10 ready_lines 2
req GET "http://$AUTHD/jwks"
expect_json '[.keys[] | select(.alg == "ES256")] | length == 2' \
    "a key that only verifies is published"
