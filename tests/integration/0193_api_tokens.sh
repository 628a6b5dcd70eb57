#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Tokens at registryd's door: what the challenge says, tokens that name files
# and servers, rights on sessions and mounts, and a token that ends while an
# upload runs.
cd "$(dirname "$0")" && . ./lib.sh

CONF_REGISTRYD='  token: {leeway: 0s}'
start_authd
start_registryd

# ---- the challenge ---------------------------------------------------------

# Anonymous users may pull by authd's rules: that opens no door here.
req GET /v2/
expect_status 401 "nobody"
expect_header Docker-Distribution-Api-Version registry/2.0
expect_header WWW-Authenticate \
    "Bearer realm=\"http://$AUTHD/token\",service=\"registry.test\""
expect "one challenge" 1 "$(grep -ci '^www-authenticate:' "$T/head")"
expect_code UNAUTHORIZED
TOKEN=$(token -)
req GET /v2/
expect_status 401 "a token that authd does not give"
TOKEN=$(token - repository:public/a:pull)
req GET /v2/
expect_status 200 "an anonymous token"

# ---- tokens of our own making ----------------------------------------------

base64url() {
	base64 -w 0 | tr '+/' '-_' | tr -d =
}
# HEADER SECONDS [KEY]: alice's, for repository alice/x, that long from now.
forge() {
	now=$(date +%s)
	text=$(printf %s "$1" | base64url).$(printf '{"iss":"authd",%s%s}' \
	    "\"aud\":\"registry.test\",\"sub\":\"alice\",\"iat\":$now," \
	    "\"exp\":$((now + $2)),\"access\":[{\"type\":\"repository\",
	    \"name\":\"alice/x\",\"actions\":[\"pull\",\"push\"]}]" |
	    base64url)
	printf %s "$text" | openssl dgst -sha256 -sign \
	    "${3:-$T/keys/token.key}" | base64url >"$T/signature"
	echo "$text.$(cat "$T/signature")"
}
openssl genrsa -out "$T/evil.key" 2048 2>/dev/null
good='{"alg":"RS256","typ":"JWT"}'
TOKEN=$(forge "$good" 300)
req GET /v2/
expect_status 200 "the test can make tokens"

# What a token names is not fetched, and not opened; root can see that.
background "$T/bait.log" "$BUILD/tests/integration/hang_server" silent
PIDS="$PIDS $started"
wait_until 5 test -s "$T/bait.log" || die "hang_server"
bait=http://127.0.0.1:$(cat "$T/bait.log")/keys
workers=$(children "$REGISTRYD_PID" '-P worker ')
for pid in $workers; do
	set -- "$@" -p "$pid"
done
attached() {
	[ "$(grep -c attached "$T/strace.log")" -eq "$(echo "$workers" |
	    wc -l)" ]
}
tracer=
if is_root; then
	command -v strace >/dev/null || die "there is no strace"
	background "$T/strace.log" strace -f "$@" -o "$T/strace.out" \
	    -e trace=%file,connect,socket,accept4
	tracer=$started
	wait_until 10 attached || die "strace: $(cat "$T/strace.log")"
fi
jwk=$(curl -sS "http://$AUTHD/jwks" | jq -c '.keys[0]')
long=$(head -c 6000 /dev/zero | tr '\0' k)
for header in "\"kid\":\"../../../../etc/passwd\"" \
    '"kid":"/etc/passwd\u0000x"' "\"kid\":\"'; drop table keys --\"" \
    "\"kid\":\"$long\"" '"kid":7' '"kid":["a"]' "\"jku\":\"$bait\"" \
    "\"x5u\":\"$bait\"" "\"jwk\":$jwk"; do
	for key in "$T/keys/token.key" "$T/evil.key"; do
		case $header$key in
		*j[kw]*token.key|*x5u*token.key) continue ;;
		esac
		TOKEN=$(forge "{\"alg\":\"RS256\",$header}" 300 "$key")
		req GET /v2/
		expect_status 401 "$(echo "$header" | cut -c -30)"
	done
done
TOKEN=
if [ -n "$tracer" ]; then
	kill -INT "$tracer"
	wait "$tracer"
	check "the tracer saw the requests" grep -q accept "$T/strace.out"
	expect "no file was opened, nobody was called" '' \
	    "$(grep -E 'open|stat|connect|socket' "$T/strace.out" |
	    grep -v '"/dev/urandom"')"
fi

# ---- bounds ----------------------------------------------------------------

head -c 1000000 /dev/zero | tr '\0' a >"$T/long"
before=$(for pid in $workers; do rss "$pid"; done | sort -n | tail -n 1)
for size in 8193 1000000; do
	printf 'Authorization: Bearer %s\n' "$(head -c $size "$T/long")" \
	    >"$T/header"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		req GET /v2/ -H "@$T/header"
		case $size in
		8193) expect_status 401 "a token of $size bytes" ;;
		*) expect_status 431 "a token of $size bytes" ;;
		esac
	done
done
after=$(for pid in $workers; do rss "$pid"; done | sort -n | tail -n 1)
check "no worker grows ($before to $after KiB)" \
    [ "$after" -lt $((before + 2048)) ]

# ---- rights ----------------------------------------------------------------

blob=$(make_blob 1000)
D=$(digest "$blob")
PUSH=$(token alice:alice-pw repository:alice/x:push)
PULL=$(token alice:alice-pw repository:alice/x:pull)
OTHER=$(token alice:alice-pw repository:alice/y:pull,push)
TOKEN=$PUSH
check "push alone pushes" push_blob alice/x "$blob"
req HEAD "/v2/alice/x/blobs/$D"
expect_status 401 "and does not see what is there"
TOKEN=$PULL
req HEAD "/v2/alice/x/blobs/$D"
expect_status 200 "pull does"
TOKEN=$PUSH
req POST /v2/alice/x/blobs/uploads/
session=$(header Location)
TOKEN=$PULL
req GET "$session"
expect_status 401 "pull does not see a session"
TOKEN=$OTHER
req GET "$session"
expect_status 401 "nor does another repository's token"
req GET "/v2/alice/y/blobs/uploads/${session##*/}"
expect_status 404 "to which it is not there"
req DELETE "/v2/alice/y/blobs/uploads/${session##*/}"
expect_status 404 "and cannot be ended"
TOKEN=$PUSH
req DELETE "$session"
expect_status 204 "push ends it"

# Mounts: "from" is a name in the query, or nothing.
TOKEN=$(token admin:admin-pw repository:alice/y:pull,push \
    repository:alice/x:pull)
for from in "alice/x:pull" "../alice/x" "$(printf 'a%.0s' $(seq 300))" \
    "alice/x%00"; do
	req POST "/v2/alice/y/blobs/uploads/?mount=$D&from=$from"
	case $status in
	202|400) ok "from $(echo "$from" | cut -c -20): $status" ;;
	*) fail "from $from" "$status" ;;
	esac
	req HEAD "/v2/alice/y/blobs/$D"
	expect_status 404 "and nothing is mounted"
done
req POST "/v2/alice/y/blobs/uploads/?mount=$D" -d from=alice/x
req HEAD "/v2/alice/y/blobs/$D"
expect_status 404 "from in a body mounts nothing"
req POST "/v2/alice/y/blobs/uploads/?mount=$D&from=alice/x"
expect_status 201 "from in the query does"

# ---- a token that ends meanwhile -------------------------------------------

TOKEN=$(forge "$good" 3)
ends=$(($(date +%s) + 3))
req POST /v2/alice/x/blobs/uploads/
expect_status 202 "a token of three seconds"
big=$(make_blob 400000)
req PATCH "$(header Location)" -T "$big" --limit-rate 100k -H 'Expect:'
expect_status 202 "an upload that began in time"
check "ended when the token had" [ "$(date +%s)" -ge "$ends" ]
session=$(header Location)
[ "$(date +%s)" -gt "$ends" ] || sleep 1
{
	printf 'PATCH %s HTTP/1.1\r\nHost: x\r\n' "$session"
	printf 'Content-Length: 100\r\nExpect: 100-continue\r\n'
	printf 'Authorization: Bearer %s\r\n\r\n' "$TOKEN"
} >"$T/request"
curl -s -m 2 "telnet://$REGISTRY" <"$T/request" >"$T/answer"
check "the next part is refused" grep -q '^HTTP/1.1 401' "$T/answer"
check "and told to come with a new token" grep -q 'error="invalid_token"' \
    "$T/answer"
refuse "before its body" grep -q '^HTTP/1.1 100' "$T/answer"
TOKEN=$(forge "$good" 300)
req PATCH "$session" -T "$blob"
expect_status 202 "a new token goes on"
