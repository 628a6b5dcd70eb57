#!/bin/sh
# SPDX-License-Identifier: ISC
# The audit log: a record for each token and each refusal, tied to the
# registry's access log by jti, and never a secret in any log.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
make_token_key
make_users
authd_conf >"$T/authd.yml"
printf 'log:\n  level: debug\n  audit: %s\n' "$T/audit.log" >>"$T/authd.yml"
start_authd "$T/authd.yml"
start_registryd

last_record() {
	tail -n 1 "$T/audit.log" | jq -r "$1"
}

ask alice:alice-pw 'scope=repository:alice/x:pull&scope=repository:bob/x:pull'
JWT=$(jq -r .token "$T/body")
JTI=$(claims .jti)
expect "who, how, from where, for what" \
    "alice htpasswd 127.0.0.1 registry.test" "$(last_record \
    '[."auth.user.name", ."auth.backend", .peer, .service] | join(" ")' |
    sed 's/::1/127.0.0.1/')"
expect "what was asked and granted" \
    "repository:alice/x:pull repository:bob/x:pull = repository:alice/x:pull" \
    "$(last_record '"\(.asked) = \(.granted)"')"
expect "the token's id" "$JTI" "$(last_record '."auth.jti"')"
expect "the result" "token issued: granted" \
    "$(last_record '"\(.msg): \(.result)"')"
line=$(last_record '."rule.line"' | cut -d , -f 1)
check "the rule's line" sh -c "sed -n '${line},+1p' '$T/authd.yml' |
    grep -q 'user}'"

TOKEN=$JWT
req GET "/v2/alice/x/tags/list"
check "the registry's access log has the same id" wait_log \
    "$REGISTRYD_LOG" "auth.jti=$JTI" 3
TOKEN=

ask alice:canary-wrong-password 'scope=repository:alice/x:pull'
expect "a wrong password" "token refused: bad credentials, no token" \
    "$(last_record '"\(.msg): \(.result), \(."auth.jti" // "no token")"')"
ask nobody-there:canary-other-password ''
expect "an unknown user is told apart here" "unknown user" \
    "$(last_record .reason)"
ask - ''
expect "without credentials" "no credentials" "$(last_record .result)"
ask alice:alice-pw 'service=other'
expect "a service that is not there" "unknown service other" \
    "$(last_record '"\(.result) \(.service)"')"
post grant_type=password username=alice password=canary-form-password \
    client_id=c
many=$(seq 1 60 | sed "s,.*,repository:alice/$(printf '%080d' 1)&:pull," |
    tr '\n' '+')
ask alice:alice-pw "scope=${many%+}"
expect "nothing is cut" 60 "$(last_record '.granted | split(" ") | length')"
check "each line is JSON" jq -e . "$T/audit.log"

mv "$T/audit.log" "$T/audit.old"
kill -HUP "$AUTHD_PID"
reopened() {
	ask alice:alice-pw '' && [ -s "$T/audit.log" ]
}
check "SIGHUP opens it anew" wait_until 10 reopened
expect "its mode" 640 "$(stat -c %a "$T/audit.log")"

for user in alice bob admin; do
	grep "^$user:" "$T/htpasswd" | cut -d : -f 2-
done >"$T/secrets"
cat >>"$T/secrets" <<-EOF
	alice-pw
	canary-wrong-password
	canary-other-password
	canary-form-password
	$(printf %s alice:alice-pw | base64)
	$(printf %s alice:canary-wrong-password | base64)
	$(echo "$JWT" | cut -d . -f 2)
	$(echo "$JWT" | cut -d . -f 3)
	$(sed -n 2p "$T/keys/token.key")
EOF
expect "there are secrets to look for" 12 "$(grep -c . "$T/secrets")"
refuse "none of them is in any log" grep -F -l -f "$T/secrets" \
    "$T/audit.old" "$T/audit.log" "$AUTHD_LOG" "$REGISTRYD_LOG"
check "but the name is" grep -q alice "$T/audit.old"
