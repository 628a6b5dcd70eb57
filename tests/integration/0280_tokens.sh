#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# Personal access tokens: who comes in with one, for what, from where, how
# long, and that a revoked one is of no use at once.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./tokens.sh
CONF_THROTTLE='{failures_per_source: 0, floor: 0s}'
CONF_AUTHD="proxies: [127.0.0.1]
$(vault_lines)"
start_authd
start_registryd
scope='scope=repository:alice/x:pull,push'

# ---- as a password ----

token=$(made -c 'a laptop' alice)
check "a token has its prefix, its length and nothing odd" \
    expr "$token" : 'adp_[0-9A-Za-z]\{49\}$'
check "it says that it is not shown again" grep -q 'not shown again' \
    "$T/ctl.err"
ask "alice:$token" "$scope"
expect_status 200 "a token in the place of the password"
expect "its sub is the owner" alice "$(claims .sub)"
expect_access 'repository:alice/x:pull,push' "all that the owner may"
id=$(id_of '.user == "alice"')
expect "the audit names the token" "$id" "$(field credential)"
post grant_type=password username=alice "password=$token" \
    service=registry.test "$scope"
expect_status 200 "by POST"
expect_access 'repository:alice/x:pull,push'
ask "alice:$token" 'offline_token=true'
expect_status 200 "who wants a refresh token where there are none"
expect_json 'has("refresh_token") | not'
check "skopeo logs in with it" skopeo login --authfile "$T/auth.json" \
    --tls-verify=false -u alice -p "$token" "$REGISTRY"
TOKEN=$(token "alice:$token" repository:alice/x:pull,push)
made=$(make_image alice/x 1)
check "and it can push" test -n "$made"
TOKEN=

ask "bob:$token" "$scope"
expect_refused
reason 'token: of another user'
ask "Alice:$token" "$scope"
expect_refused
ask ":$token" "$scope"
expect_refused
ask "alice:${token%?}" "$scope"
expect_refused
reason 'token: its checksum is wrong'
ask "alice:${token}x" "$scope"
expect_refused
reason 'token: its checksum is wrong'
# Well made, and nobody's.
ask "alice:adp_0123456789012345678901234567890123456789abc1Z9M5B" "$scope"
expect_refused
reason 'token: unknown or revoked'
ask alice:alice-pw "$scope"
expect_status 200 "the password is good as well"
post grant_type=refresh_token "refresh_token=$token" service=registry.test
expect_status 400 "refresh tokens are off"
expect_json '.error == "unsupported_grant_type"'

# ---- rights, networks, time ----

narrow=$(made -r 'alice/x:pull' -r 'repository:team/**:pull,push' alice)
ask "alice:$narrow" "$scope"
expect_access 'repository:alice/x:pull' "less than the owner may"
ask "alice:$narrow" 'scope=repository:alice/y:pull'
expect_access '' "another repository"
ask "alice:$narrow" 'scope=repository:team/app:*'
expect_access 'repository:team/app:pull,push' "all that both give"
wide=$(made -r '**:*' -r 'registry:catalog:*' bob)
ask "bob:$wide" 'scope=repository:bob/x:*&scope=repository:alice/x:pull'
expect_access 'repository:bob/x:pull,push,delete' \
    "never more than the owner may"
ask "bob:$wide" 'scope=registry:catalog:*'
expect_access '' "nor the catalog"
admin=$(made -r 'registry:catalog:*' admin)
ask "admin:$admin" 'scope=registry:catalog:*&scope=repository:a:pull'
expect_access 'registry:catalog:*' "the catalog alone"

near=$(made -n 192.0.2.0/24 -n 2001:db8::/32 alice)
from 192.0.2.7 200 "alice:$near"
expect_status 200 "from a network of the token"
from 2001:db8:1::7 200 "alice:$near"
expect_status 200 "from the other one"
from 198.51.100.7 401 "alice:$near"
expect_refused
reason 'token: not from this network'

short=$(made -e 2s alice)
ask "alice:$short" "$scope"
expect_status 200 "a token of two seconds"
check "it ends" wait_until 5 answers 401 "alice:$short" "$scope"
reason 'token: expired'
check "and is listed as expired" sh -c "'$BUILD/authctl' -f '$T/authd.yml' \
    token list alice | grep -q expired"

# ---- what is not made ----

for wrong in '-r alice/x' '-r alice/x:read' '-r x/${group}:pull' \
    '-n 192.0.2.1/24' '-n here' '-e 10000d' '-e 0'; do
	# shellcheck disable=SC2086
	refuse "token new $wrong" ctl token new $wrong alice
done
refuse "for a robot" ctl token new 'robot$ci'
refuse "for nobody" ctl token new ''
refuse "for who cannot be" ctl token new a:b
refuse "for another spelling" ctl token new ' alice'
refuse "a comment that moves the cursor" ctl token new -c "$(printf 'a\033c')" \
    alice

# ---- revoking ----

revoke_nothing() {
	ctl token revoke 000000000000 2>"$T/ctl.err"
}
n=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	one=$(made -c again bob)
	answers 200 "bob:$one" || fail "a new token is good at once"
	answers 200 "bob:$one" || fail "and again"
	ctl token revoke "$(id_of '.comment == "again"')" >"$T/ctl.out" 2>&1 ||
	    fail "revoke" "$(cat "$T/ctl.out")"
	answers 401 "bob:$one" && n=$((n + 1))
done
expect "a revoked token is of no use at once, ten times" 10 "$n"
refuse "revoke what is not there" revoke_nothing
check "and it is said" grep -q '000000000000 is not there' "$T/ctl.err"
made Alice >/dev/null
revoke_alice() {
	ctl token revoke -u alice >/dev/null 2>"$T/ctl.err"
}
check "revoke all of a user" revoke_alice
check "another case of the name stays, and is named" grep -q \
    '1 more stay, of names that differ from alice in case only' "$T/ctl.err"
ctl token revoke -u Alice >/dev/null 2>"$T/ctl.err"
expect "when there is none nothing more is said" 'revoked: 1' \
    "$(cat "$T/ctl.err")"
ask "alice:$token" ''
expect_refused
ask "alice:$narrow" ''
expect_refused
ask "bob:$wide" ''
expect_status 200 "not those of others"
expect "what is left" 'admin bob' \
    "$(ctl token list --json | jq -r '[.[].user] | join(" ")')"

# ---- the owner ----

lock_bob() {
	sed -i 's/^bob:/bob:!/' "$T/htpasswd"
}
lock_bob
check "the token of a locked user ends" wait_until 5 answers 401 "bob:$wide"
reason 'locked'
sed -i 's/^bob:!/bob:/' "$T/htpasswd"
check "and is good again with him" wait_until 5 answers 200 "bob:$wide"
sed -i '/^bob:/d' "$T/htpasswd"
check "the token of a removed user ends" wait_until 5 answers 401 "bob:$wide"
reason 'token: its owner is not there any more'
ghost=$(made nobody-yet)
ask "nobody-yet:$ghost" ''
expect_refused

# ---- a reload ----

ready=$(grep -c 'msg=ready' "$AUTHD_LOG")
kill -HUP "$AUTHD_PID"
is_reloaded() {
	[ "$(grep -c 'msg=ready' "$AUTHD_LOG")" -gt "$ready" ] &&
	    [ "$(vault_pid | wc -l)" -eq 1 ]
}
check "a reload" wait_until 15 is_reloaded
sed -i 's/credentials[.]db/other.db/' "$T/authd.yml"
kill -HUP "$AUTHD_PID"
check "none to another database on the same socket" wait_until 15 grep -q \
    'credentials.database: a change needs a restart' "$AUTHD_LOG"
sed -i 's/other[.]db/credentials.db/' "$T/authd.yml"
ask "admin:$admin" ''
expect_status 200 "tokens are good behind a reload"
ctl token revoke -u admin >/dev/null 2>&1
ask "admin:$admin" ''
expect_refused

# ---- what is written where ----

stop_authd
refuse "no token is in the log" grep -E 'ad[prf]_[0-9A-Za-z]{20}' "$AUTHD_LOG"
refuse "nor in the database" grep -rqE 'ad[prf]_[0-9A-Za-z]{20}' "$VAULT"
expect "only its user may read it" 600 \
    "$(stat -c %a "$VAULT/credentials.db")"

# ---- without authd ----

off=$(made -c 'made without authd' admin)
check "authctl has the database itself when authd does not run" \
    test -n "$off"
expect "lists it" 'made without authd' \
    "$(ctl token list --json admin | jq -r '.[0].comment')"
CONF_THROTTLE='{failures_per_source: 3, penalty: 1m, floor: 0s}'
start_authd
ask "admin:$off" ''
expect_status 200 "and authd takes it"

# ---- guessing ----

for n in 1 2 3; do
	ask "alice:adp_guess-$n" ''
	expect_status 401 "a text that is no token"
done
ask 'alice:adp_guess-4' ''
expect_status 429 "too many of them"
ask alice:alice-pw ''
expect_status 429 "they count as wrong passwords do"
ask "admin:$off" ''
expect_status 200 "a good token is let in all the same"
ask "alice:$off" ''
expect_status 429 "not for another user"
from 192.0.2.1 200 alice:alice-pw
expect_status 200 "other addresses do not wait"
if is_root; then
	refuse "others may not ask the vault" setpriv --reuid=65534 \
	    --regid=65534 --clear-groups "$BUILD/authctl" \
	    -f "$T/authd.yml" token list
fi
