#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A new key by a private token CA: registryd, which trusts the CA, takes its
# tokens without a change, and those of the old key until they expire.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./keys.sh

make_token_ca
start_authd
registryd_conf >"$T/registryd.yml"
sed -i 's,token.crt,token-ca.crt,' "$T/registryd.yml"
make_store
start_registryd "$T/registryd.yml"
before=$(children "$REGISTRYD_PID")

old=$(token alice:alice-pw)
TOKEN=$old
opens "a token of the first key"
req GET "http://$AUTHD/jwks"
expect_header Content-Type application/jwk-set+json
expect_json '.keys | length == 2' "one key under two names"
expect_json 'all(.keys[]; .use == "sig" and .alg == "RS256" and .x5c)'
first=$(jq -r '.keys[0].kid' "$T/body")

rotate
new=$(token alice:alice-pw)
TOKEN=$new
opens "a token of the second key"
refuse "it has another key" [ "$(part_of 1 "$old" | jq -r .kid)" = \
    "$(part_of 1 "$new" | jq -r .kid)" ]
TOKEN=$old
opens "a token of the first key still"
req GET "http://$AUTHD/jwks"
expect_json '.keys | length == 4' "both keys are published"
expect_json "any(.keys[]; .kid == \"$first\")" "the first is there"

# The same after a restart in between.
stop_authd
start_authd
req GET "http://$AUTHD/jwks"
expect_json "any(.keys[]; .kid == \"$first\")" "and after a restart"
touch -d '-10 minutes' "$T/keys/token.crt.old"
stop_authd
start_authd
req GET "http://$AUTHD/jwks"
expect_json '.keys | length == 2' "past its time it is gone"

rotations=1
rotate -a es256
TOKEN=$(token alice:alice-pw)
expect "ES256" ES256 "$(part_of 1 "$TOKEN" | jq -r .alg)"
opens "a token of an ES256 key"
rotate
TOKEN=$(token alice:alice-pw)
expect "the algorithm stays" ES256 "$(part_of 1 "$TOKEN" | jq -r .alg)"
rotate -a eddsa
TOKEN=$(token alice:alice-pw)
expect "EdDSA" EdDSA "$(part_of 1 "$TOKEN" | jq -r .alg)"
opens "a token of an EdDSA key"
expect "registryd's processes are the same" "$before" \
    "$(children "$REGISTRYD_PID")"

rotate -d 10
check "a certificate that ends soon is told" wait_log "$AUTHD_LOG" \
    'its certificate ends in (9|10) days' 5
TOKEN=$(token alice:alice-pw)
opens "and is good until then"

# Interrupted between the certificate and the key: authd starts and signs with
# the new key, and the next rotation finishes that one.
cp "$T/keys/token.key" "$T/old.key"
"$BUILD/authctl" key rotate -o "$T/keys" >>"$T/authctl.log" 2>&1
mv "$T/keys/token.key" "$T/keys/token.key.new"
cp "$T/old.key" "$T/keys/token.key"
stop_authd
start_authd
check "an interrupted rotation is told" log_has "$AUTHD_LOG" \
    'the rotation of this key was interrupted'
TOKEN=$(token alice:alice-pw)
kid=$(part_of 1 "$TOKEN" | jq -r .kid)
opens "and its key is good"
check "the next rotation finishes it" "$BUILD/authctl" key rotate \
    -o "$T/keys"
check "no file is left of it" [ ! -e "$T/keys/token.key.new" ]
stop_authd
start_authd
refuse "then nothing is told" log_has "$AUTHD_LOG" interrupted
TOKEN=$(token alice:alice-pw)
expect "the key is the same" "$kid" "$(part_of 1 "$TOKEN" | jq -r .kid)"
opens "and good"
cp "$T/old.key" "$T/keys/token.key.new"
check "what an attempt has left goes with the next" "$BUILD/authctl" \
    key rotate -o "$T/keys"
check "and counts for nothing" [ ! -e "$T/keys/token.key.new" ]

refuse "no rotation without a CA" "$BUILD/authctl" key rotate -o "$T"
mkdir "$T/plain"
check "a key of no CA" "$BUILD/authctl" key new -o "$T/plain"
refuse "which is never overwritten" "$BUILD/authctl" key new -o "$T/plain"
cp "$T/plain/token.key" "$T/plain/token-ca.key"
cp "$T/plain/token.crt" "$T/plain/token-ca.crt"
refuse "and is no CA" "$BUILD/authctl" key rotate -o "$T/plain"
