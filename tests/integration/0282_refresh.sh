#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# Refresh tokens: given to who asks and shows a password, good for the one
# service, again and again, as long as their user and his password stay.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./tokens.sh
CONF_THROTTLE='{failures_per_source: 0, floor: 0s}'
CONF_AUTHD=$(vault_lines 'refresh_tokens: 24h')
make_token_key
make_users
authd_conf | sed 's/^services:.*/services: [registry.test, other.test]/' \
    >"$T/authd.yml"
start_authd "$T/authd.yml"
scope=scope=repository:alice/x:pull

# Ask for one by GET, as docker login does; sets $refresh.
log_in() {
	ask "$1" 'service=registry.test&client_id=docker&offline_token=true'
	refresh=$(jq -r '.refresh_token // ""' "$T/body")
}

use() {
	post grant_type=refresh_token "refresh_token=$1" \
	    "service=${2:-registry.test}" client_id=docker "$scope"
	last="POST /token with a refresh token"
}

used() {
	use "$2"
	[ "$status" = "$1" ]
}

# ---- who gets one ----

ask alice:alice-pw 'service=registry.test'
expect_json 'has("refresh_token") | not' "none for who does not ask"
log_in alice:alice-pw
check "one for who asks" expr "$refresh" : 'adf_[0-9A-Za-z]\{49\}$'
first=$refresh
expect "the audit names the new one" "$(id_of '.kind == "refresh"')" \
    "$(field credential.issued)"
post grant_type=password username=bob password=bob-pw service=registry.test \
    client_id=containerd-client
expect_json 'has("refresh_token") | not' "nor by POST"
post grant_type=password username=bob password=bob-pw service=registry.test \
    client_id=containerd-client access_type=offline
bobs=$(jq -r '.refresh_token // ""' "$T/body")
check "by POST for who asks" test -n "$bobs"
ask - "service=registry.test&offline_token=true&scope=repository:public/a:pull"
expect_json 'has("refresh_token") | not' "none for nobody"
pat=$(made -r 'alice/x:pull' alice)
log_in "alice:$pat"
expect_status 200 "a token in the place of the password"
expect "makes no token with more rights" '' "$refresh"

# ---- what it is good for ----

use "$first"
expect_status 200 "it is used"
expect "its sub" alice "$(claims .sub)"
expect_access repository:alice/x:pull
expect_json '.token_type == "Bearer" and (has("refresh_token") | not)' \
    "and it is not replaced"
expect "the audit names it" \
    "$(id_of '.kind == "refresh" and .user == "alice"')" \
    "$(field credential)"
ask ":$first" "service=registry.test&$scope"
expect_status 200 "by GET, without a user, as clients fall back"
expect_access repository:alice/x:pull
many() {
	curl -sS -Z --parallel-max 50 -o /dev/null -w '%{http_code}\n' \
	    -d grant_type=refresh_token -d "refresh_token=$first" \
	    -d service=registry.test "http://$AUTHD/token?n=[1-50]" 2>/dev/null
}
expect "fifty at once" 50 "$(many | grep -c 200)"
use "$first" other.test
expect_refused
reason 'token: for another service'
use "$pat"
expect_refused
reason 'token: not a refresh token'
ask "alice:$first" "service=registry.test&$scope"
expect_refused
reason 'token: a refresh token is no password'
use "${first%?}"
expect_refused
use ''
expect_refused
post grant_type=refresh_token service=registry.test
expect_refused
post grant_type=refresh_token "refresh_token=$first" \
    "refresh_token=$first" service=registry.test
expect_status 400 "two of them"

# ---- how it ends ----

check "revoked" ctl token revoke "$(id_of \
    '.kind == "refresh" and .user == "alice"')"
use "$first"
expect_refused
use "$bobs"
expect_status 200 "that of another user stays"
log_in alice:alice-pw
first=$refresh
log_in alice:alice-pw
use "$first"
expect_status 200 "a second login leaves the first token"
expect "they are listed with their client" 'docker docker' \
    "$(ctl token list --json alice | jq -r \
    '[.[] | select(.kind == "refresh").client] | join(" ")')"
echo new-pw | "$BUILD/authctl" passwd -p "$T/htpasswd" alice >/dev/null
check "a new password ends them" wait_until 5 used 401 "$first"
reason 'token: the password was changed'
use "$refresh"
expect_refused
ask "alice:$pat" service=registry.test
expect_status 200 "not the token that was made for her"
log_in alice:new-pw
use "$refresh"
expect_status 200 "the new password gives a new one"
check "all of a kind" ctl token revoke -k refresh -u alice
use "$refresh"
expect_refused
ask "alice:$pat" service=registry.test
expect_status 200 "leaves the other kinds"
sed -i 's/^bob:/bob:!/' "$T/htpasswd"
check "a locked user's ends" wait_until 5 used 401 "$bobs"
sed -i '/^bob:/d' "$T/htpasswd"
gone() {
	used 401 "$bobs" && has_reason 'token: its owner is not there any more'
}
check "a removed user's stays refused" wait_until 5 gone

# ---- who asks all the time ----

curl -sS -o /dev/null -u alice:new-pw \
    "http://$AUTHD/token?service=registry.test&offline_token=true&n=[1-70]"
log_in alice:new-pw
expect "there are not more than 64 of a user" 64 \
    "$(ctl token list --json alice | jq '[.[] |
    select(.kind == "refresh")] | length')"
use "$refresh"
expect_status 200 "the last one is among them"
stop_authd
refuse "none is in the log" grep -E 'ad[prf]_[0-9A-Za-z]{20}' "$AUTHD_LOG"

# ---- off again ----

sed -i 's/refresh_tokens: 24h/refresh_tokens: 0s/' "$T/authd.yml"
start_authd "$T/authd.yml"
use "$refresh"
expect_status 400 "where they are off"
expect_json '.error == "unsupported_grant_type"'
ask ":$refresh" 'service=registry.test'
expect_refused
log_in alice:new-pw
expect "none is given" '' "$refresh"
