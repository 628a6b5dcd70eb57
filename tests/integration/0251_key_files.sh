#!/bin/sh
# SPDX-License-Identifier: ISC
#
# rootcertbundle and jwks together, and registryd follows them when they
# change: a key that is gone is refused at once, its cached tokens too, and
# a broken file changes nothing.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./keys.sh

start_authd
echo '{"keys":[]}' >"$T/none.jwks"
curl -sS "http://$AUTHD/jwks" -o "$T/first.jwks"
mkdir "$T/second"
"$BUILD/authctl" key new -o "$T/second" >"$T/authctl.log" 2>&1 ||
    die "authctl key new"
cp "$T/second/token.crt" "$T/bundle.crt"
cp "$T/first.jwks" "$T/trusted.jwks"
registryd_conf >"$T/registryd.yml"
sed -i "s,rootcertbundle:.*,rootcertbundle: $T/bundle.crt," "$T/registryd.yml"
sed -i "/rootcertbundle/a\\    jwks: $T/trusted.jwks" "$T/registryd.yml"
make_store
start_registryd "$T/registryd.yml"
before=$(children "$REGISTRYD_PID")

TOKEN=$(token alice:alice-pw)
opens "a key of the jwks file"
opens "and once more, from the cache"

changes() {
	[ "$(grep -c "$1" "$REGISTRYD_LOG")" -eq "$2" ]
}

head -c 300 "$T/first.jwks" >"$T/trusted.jwks"
check "a file cut short is logged" wait_until 5 changes 'keys known so far' 1
opens "and the old keys stay"
: >"$T/trusted.jwks"
check "so is an empty one" wait_until 5 changes 'keys known so far' 2
opens "with the old keys"
rm "$T/trusted.jwks"
check "and one that is gone" wait_until 5 changes 'said before stays' 1
opens "with the old keys as well"
expect "each once" 2 "$(grep -c 'keys known so far' "$REGISTRYD_LOG")"

sed "s,\"kid\":\"[^\"]*\",\"kid\":\"another\",g" "$T/first.jwks" \
    >"$T/trusted.jwks"
check "another file is taken" wait_until 5 changes 'trusted.jwks has changed' 1
opens "with the same key"

# Only the second key from now on: each worker has to have heard of it.
"$BUILD/authctl" key new -o "$T" >>"$T/authctl.log" 2>&1 ||
    die "authctl key new"
sed -i "s,$T/keys/,$T/second/," "$T/authd.yml"
openssl pkey -in "$T/token.key" -pubout -out "$T/other.pem"
cat "$T/second/token.crt" "$T/other.pem" >"$T/bundle.crt"
check "the bundle is taken, too" wait_until 5 changes 'bundle.crt has changed' 1
opens "the key of the jwks file is still good"
kill -HUP "$AUTHD_PID"
check "authd signs with the second key" wait_until 10 ready_lines 2
old=$TOKEN
TOKEN=$(token alice:alice-pw)
opens "a key of the bundle"
curl -sS "http://$AUTHD/jwks" |
    jq --arg kid "$(part_of 1 "$TOKEN" | jq -r .kid)" \
    '{keys: [.keys[] | select(.kid == $kid)]}' >"$T/next.jwks"
mv "$T/next.jwks" "$T/trusted.jwks"
check "the first key is taken away" wait_until 5 changes \
    'trusted.jwks has changed' 2
TOKEN=$old
i=0
while [ $i -lt 10 ]; do
	is_status 401 || break
	i=$((i + 1))
done
expect "no worker takes its token" 10 "$i"
TOKEN=$(token alice:alice-pw)
opens "the second key is good"
expect "nobody was restarted" "$before" "$(children "$REGISTRYD_PID")"

# A worker that dies finds the keys of now.
worker=$(children "$REGISTRYD_PID" '-P worker ' | head -n 1)
kill -KILL "$worker"
is_back() {
	[ "$(children "$REGISTRYD_PID" '-P worker ' | wc -l)" -eq 2 ] &&
	    is_status 200
}
check "another worker" wait_until 10 is_back
i=0
while [ $i -lt 10 ]; do
	is_status 200 || break
	i=$((i + 1))
done
expect "all workers take the second key" 10 "$i"
