#!/bin/sh
# SPDX-License-Identifier: ISC
# SIGHUP: the new configuration for new requests, the old one while the new
# one is wrong, and a new key with its public part.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
start_authd

reload() {
	kill -HUP "$AUTHD_PID"
}

ready_lines() {
	[ "$(grep -c 'msg=ready' "$AUTHD_LOG")" -eq "$1" ]
}

realm_is() {
	ask - ''
	[ "$(header WWW-Authenticate)" = "Basic realm=\"$1\"" ]
}

old=$(children "$AUTHD_PID")
sed -i 's/^realm: .*/realm: another/; s/\[registry.test\]/[new.test]/' \
    "$T/authd.yml"
reload
check "the new children are ready" wait_until 5 ready_lines 2
check "the new realm" wait_until 2 realm_is another
ask alice:alice-pw service=new.test
expect_status 200 "the new service"
ask alice:alice-pw service=registry.test
expect_status 400 "the old service"
for pid in $old; do
	check "old child $pid has gone" wait_until 5 is_gone "$pid"
done

cp "$T/authd.yml" "$T/good.yml"
echo 'bogus: 1' >>"$T/authd.yml"
reload
check "what is wrong is logged" wait_log "$AUTHD_LOG" 'bogus: unknown key' 5
check "and that the old one stays" wait_log "$AUTHD_LOG" \
    'the old configuration stays' 5
sed 's/^realm: .*/realm: third/; s,^htpasswd:.*,htpasswd: /nowhere,' \
    "$T/good.yml" >"$T/authd.yml"
reload
check "a file that is absent" wait_log "$AUTHD_LOG" \
    'htpasswd: /nowhere: there is no such file' 5
check "the realm is still the second" realm_is another
check "users still log in" answers 200 alice:alice-pw service=new.test

req GET "http://$AUTHD/jwks"
kids=$(jq -r '.keys[].kid' "$T/body" | sort | tr '\n' ' ')
cp "$T/good.yml" "$T/authd.yml"
rm -r "$T/keys"
make_token_key
reload
check "the new key is in force" wait_until 5 ready_lines 3
new_keys() {
	req GET "http://$AUTHD/jwks"
	[ "$(jq -r '.keys[].kid' "$T/body" | sort | tr '\n' ' ')" != "$kids" ]
}
check "its public part is there" wait_until 3 new_keys
ask alice:alice-pw service=new.test
kid=$(token_part 1 | jq -r .kid)
req GET "http://$AUTHD/jwks"
expect_json ".keys | any(.kid == \"$kid\")" "tokens name it"
