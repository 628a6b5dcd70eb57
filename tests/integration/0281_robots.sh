#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154,SC2016
# Robots: accounts that no directory has, with rights of their own, secrets
# that are replaced without a gap, and names that nobody else can have.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./tokens.sh
CONF_THROTTLE='{failures_per_source: 0, floor: 0s}'
make_users
# A user whose name is a robot's, from before there were any.
sed -n 's/^alice:/robot$imposter:/p' "$T/htpasswd" >"$T/more"
cat "$T/more" >>"$T/htpasswd"
authd_conf >"$T/authd.yml"
sed -i 's/^access:/&\n  - {network: 203.0.113.0\/24, actions: []}\n'\
'  - {user: "robot$*", repository: "secret\/ci", actions: [push]}\n'\
'  - {user: "*", repository: "secret\/**", actions: []}/' "$T/authd.yml"
{ echo 'proxies: [127.0.0.1]'; vault_lines; } >>"$T/authd.yml"
start_authd "$T/authd.yml"

robot() {
	ctl robot "$@" 2>"$T/ctl.err"
}

# ---- what it may ----

secret=$(robot new -c 'builds images' -r 'ci/**:pull,push' \
    -r 'secret/**:pull' -r 'alice/x:pull' ci)
check "a secret has its prefix" expr "$secret" : 'adr_[0-9A-Za-z]\{49\}$'
check "the name is said with quotes" grep -qF "'robot\$ci'" "$T/ctl.err"
ask "robot\$ci:$secret" 'scope=repository:ci/app:*'
expect_status 200 "a robot logs in"
expect "its sub" 'robot$ci' "$(claims .sub)"
expect_access 'repository:ci/app:pull,push' "its own rights"
expect "the audit names the secret" \
    "$(ctl robot list --json | jq -r '.[0].secrets[0].id')" \
    "$(field credential)"
ask "robot\$ci:$secret" 'scope=repository:alice/x:pull,push'
expect_access 'repository:alice/x:pull' "what no rule gives is its own"
ask "robot\$ci:$secret" 'scope=repository:public/x:pull'
expect_access '' "what rules give to others is not"
ask "robot\$ci:$secret" 'scope=repository:secret/x:pull'
expect_access '' "a rule that denies counts"
ask "robot\$ci:$secret" 'scope=repository:secret/ci:pull,push'
expect_access 'repository:secret/ci:pull' "unless another is before it"
ask "robot\$ci:$secret" 'scope=repository:ci/app:pull' \
    -H 'X-Forwarded-For: 203.0.113.7'
expect_access '' "also one about networks"
ask "robot\$ci:$secret" 'scope=registry:catalog:*'
expect_access '' "no catalog"
post grant_type=password 'username=robot$ci' "password=$secret" \
    service=registry.test scope=repository:ci/app:pull
expect_status 200 "by POST"

ask "robot\$cd:$secret" ''
expect_refused
reason 'token: of another user'
ask "alice:$secret" ''
expect_refused
ask 'robot$ci:alice-pw' ''
expect_refused
reason 'a robot has no password'
ask 'robot$imposter:alice-pw' ''
expect_refused
reason 'a robot has no password'
ask alice:alice-pw ''
expect_status 200 "the same hash under another name"

near=$(robot new -n 192.0.2.0/24 -r 'ci/**:pull' near)
from 192.0.2.7 200 "robot\$near:$near"
expect_status 200 "from its network"
from 198.51.100.7 401 "robot\$near:$near"
expect_refused

# ---- what is not made ----

refuse "a robot without rights" robot new idle
refuse "a second one of the name" robot new -r 'ci/**:pull' ci
for name in CI 'c i' '-ci' 'robot$' 'c:i' "$(printf '%065d' 0)"; do
	refuse "the name '$name'" robot new -r 'ci/**:pull' -- "$name"
done
expect "there are two" 'robot$ci robot$near' \
    "$(ctl robot list --json | jq -r '[.[].name] | join(" ")')"

# ---- secrets one after the other ----

second=$(robot rotate ci)
ask "robot\$ci:$second" ''
expect_status 200 "the new secret"
ask "robot\$ci:$secret" ''
expect_status 200 "the old one for some time"
expect "it has an end within a day" true "$(ctl robot list --json |
    jq '.[0].secrets[0].expires - now | . > 86000 and . <= 86400')"
third=$(robot rotate -o 0 ci)
ask "robot\$ci:$third" ''
expect_status 200 "a third one, without an overlap"
ask "robot\$ci:$second" ''
expect_refused
ask "robot\$ci:$secret" ''
expect_refused
last=$(robot rotate -e 2s -o 2s ci)
ask "robot\$ci:$last" ''
expect_status 200 "one of two seconds"
check "it ends" wait_until 5 answers 401 "robot\$ci:$last"
check "with the one before it" wait_until 5 answers 401 "robot\$ci:$third"
fourth=$(robot rotate ci)
ask "robot\$ci:$fourth" ''
expect_status 200 "and there is another"
refuse "none for a robot that is not there" robot rotate cd
check "and it is said" grep -qF 'robot$cd is not there' "$T/ctl.err"

# ---- on, off, away ----

check "disable" ctl robot disable ci
ask "robot\$ci:$fourth" ''
expect_refused
reason 'token: the robot is disabled'
check "enable" ctl robot enable 'robot$ci'
ask "robot\$ci:$fourth" ''
expect_status 200 "it is back at once"
check "a secret is revoked as a token is" ctl token revoke \
    "$(ctl robot list --json | jq -r '.[0].secrets[-1].id')"
ask "robot\$ci:$fourth" ''
expect_refused
fifth=$(robot rotate ci)
ask "robot\$ci:$fifth" ''
expect_status 200 "the next secret"
check "delete" ctl robot delete ci
ask "robot\$ci:$fifth" ''
expect_refused
reason 'token: unknown or revoked'
refuse "delete again" ctl robot delete ci
expect "the other one stays" 'robot$near' \
    "$(ctl robot list --json | jq -r '[.[].name] | join(" ")')"
check "the list for people" sh -c "'$BUILD/authctl' -f '$T/authd.yml' \
    robot list | grep -qF 'robot\$near: ci/**:pull; from 192.0.2.0/24'"
refuse "no secret is in the log" grep -E 'ad[prf]_[0-9A-Za-z]{20}' \
    "$AUTHD_LOG"
