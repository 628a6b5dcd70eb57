#!/bin/sh
# SPDX-License-Identifier: ISC
#
# registryd's auth.htpasswd: who is let in, what is said to others, the file
# that changes or is not there, verifiers that die, and real clients.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh && . ./processes.sh

CONF_TOP="auth:
  htpasswd: {realm: 'Our \"own\" registry', path: $T/htpasswd}"
# One worker: the test knows what it remembers.
CONF_REGISTRYD="  workers: 1
  htpasswd: {failure_time: 1s}"
if is_root; then
	CONF_REGISTRYD="$CONF_REGISTRYD
  verifier_user: \"62003:62003\""
fi

# Status of GET /v2/ with USER:PASSWORD.
login() {
	curl -s -m 30 -o /dev/null -w '%{http_code}' -u "$1" \
	    "http://$REGISTRY/v2/"
}

answers() {
	[ "$(login "$2")" = "$1" ]
}

# ---- a file that is missing ------------------------------------------------

make_store
registryd_conf >"$T/registryd.yml"
"$BUILD/registryd" -f "$T/registryd.yml" >"$T/missing.log" 2>&1
expect "without the file it does not start" 1 $?
check "the error says how to make one" grep -q \
    "auth.htpasswd.path: .*authctl passwd -p $T/htpasswd USER" \
    "$T/missing.log"
echo "alice:{SHA}x" >"$T/htpasswd"
"$BUILD/registryd" -f "$T/registryd.yml" >"$T/bad.log" 2>&1
expect "with a bad file it does not start" 1 $?
check "the error names file and line" grep -q "$T/htpasswd:1: SHA-1" \
    "$T/bad.log"
rm "$T/htpasswd"

# ---- who is let in ---------------------------------------------------------

make_users
echo 'locked:!' >>"$T/htpasswd"
start_registryd
req GET /v2/
expect_status 401 "nobody"
expect_header WWW-Authenticate 'Basic realm="Our \"own\" registry"'
expect "one challenge" 1 "$(grep -ci '^www-authenticate:' "$T/head")"
expect_code UNAUTHORIZED
for who in alice:wrong nobody:alice-pw locked:x alice: :alice-pw \
    Alice:alice-pw "alice:alice-pw "; do
	req GET /v2/ -u "$who"
	expect_status 401 "not let in: $who"
	expect_header WWW-Authenticate 'Basic realm="Our \"own\" registry"' \
	    "the challenge for $who"
	sed '/^date:/Id; /^x-request-id:/Id' "$T/head" >"$T/answer.head"
	cat "$T/body" >>"$T/answer.head"
	[ -f "$T/first" ] || cp "$T/answer.head" "$T/first"
	check "the answer to $who tells nothing" \
	    cmp "$T/first" "$T/answer.head"
done
for why in 'wrong password' 'unknown user' locked; do
	check "the log says why: $why" grep -q "err.detail=.*$why" \
	    "$REGISTRYD_LOG"
done
refuse "the log has no password" grep -q 'alice-pw' "$REGISTRYD_LOG"
req GET /v2/ -H 'Authorization: Bearer abc'
expect_status 401 "a token is nobody"
req GET /v2/ -H 'Authorization: Basic YTpi' -H 'Authorization: Basic YTpj'
expect_status 400 "two Authorization headers"
# Every refusal takes as long as is said, and a right password not.
took() {
	curl -s -m 30 -o /dev/null -w '%{time_starttransfer}' -u "$1" \
	    "http://$REGISTRY/v2/" | awk '{ print int($1 * 1000) }'
}
for who in alice:wrong nobody:wrong locked:wrong; do
	ms=$(took "$who")
	check "$who takes $ms ms" test "$ms" -ge 1000
done
ms=$(took admin:admin-pw)
check "a right password takes $ms ms" test "$ms" -lt 1000
for user in alice bob admin; do
	expect "let in: $user" 200 "$(login "$user:$user-pw")"
done
req HEAD /v2/a/b/manifests/x -u alice:alice-pw
expect_status 404 "let in, and what is not there is not there"
check "the access log names the user" grep -q 'auth.user.name=alice' \
    "$REGISTRYD_LOG"
blob=$(make_blob 100000)
req POST "/v2/a/b/blobs/uploads/?digest=$(digest "$blob")" \
    --data-binary "@$blob"
expect_status 401 "no body is taken of nobody"
req POST "/v2/a/b/blobs/uploads/?digest=$(digest "$blob")" \
    --data-binary "@$blob" \
    -u bob:bob-pw -H 'Content-Type: application/octet-stream'
expect_status 201 "a user may push anywhere"
req POST "/v2/c/blobs/uploads/?mount=$(digest "$blob")&from=a/b" \
    -u alice:alice-pw
expect_status 201 "and mount from anywhere"
req GET /v2/_catalog -u alice:alice-pw
expect_status 200 "and list"
req DELETE "/v2/c/blobs/$(digest "$blob")" -u alice:alice-pw
expect_status 202 "and delete"

# ---- the processes ---------------------------------------------------------

expect "two verifiers" 2 "$(children "$REGISTRYD_PID" verifier | wc -l)"
for pid in $(children "$REGISTRYD_PID" verifier); do
	for fd in /proc/"$pid"/fd/*; do
		readlink "$fd"
	done | grep -v '^/dev/null$\|^socket:\|^pipe:\|^anon_inode:' |
	    grep -v 'registryd.log$' >"$T/held"
	expect "verifier $pid holds no file" '' "$(cat "$T/held")"
	if is_root; then
		expect "verifier $pid has its user" 62003 \
		    "$(stat -c %u "/proc/$pid")"
	fi
done

# A slow hash and a stranger who asks for it: users who are known go on.
{
	cat "$T/htpasswd"
	htpasswd -B -C 13 -bn slow slow-pw
} >"$T/htpasswd.new"
mv "$T/htpasswd.new" "$T/htpasswd"
check "a replaced file is seen" wait_until 5 answers 200 slow:slow-pw
expect "alice is known to the worker" 200 "$(login alice:alice-pw)"
i=0
while [ $i -lt 12 ]; do
	login "slow:wrong$i" >"$T/slow.$i" &
	i=$((i + 1))
done
for _ in 1 2 3 4; do
	expect "a known user meanwhile" 200 "$(login alice:alice-pw)"
done
check "while others wait" test "$(cat "$T"/slow.* | wc -c)" -lt 36
for pid in $(children "$REGISTRYD_PID" verifier); do
	kill -9 "$pid"
done
check "verifiers that are killed come back" wait_until 3 \
    answers 200 bob:bob-pw
expect "a wrong password is still wrong" 401 "$(login bob:wrong)"
check "the parent is the same" kill -0 "$REGISTRYD_PID"

# ---- the file changes ------------------------------------------------------

expect "alice is known" 200 "$(login alice:alice-pw)"
echo new-pw | "$BUILD/authctl" passwd -p "$T/htpasswd" alice \
    >/dev/null 2>&1
check "the new password" wait_until 5 answers 200 alice:new-pw
expect "the old one is forgotten" 401 "$(login alice:alice-pw)"
grep -v '^bob:' "$T/htpasswd" >"$T/rewritten"
cat "$T/rewritten" >"$T/htpasswd"
check "a rewritten file is seen" wait_until 5 answers 401 bob:bob-pw
echo 'broken' >>"$T/htpasswd"
check "a bad file is refused" wait_log "$REGISTRYD_LOG" 'is refused' 5
expect "and the users stay" 200 "$(login alice:new-pw)"
mv "$T/htpasswd" "$T/away"
check "a lost file is told" wait_log "$REGISTRYD_LOG" \
    'what it said before stays' 5
for pid in $(children "$REGISTRYD_PID" verifier); do
	kill -9 "$pid"
done
check "new verifiers know the users" wait_until 3 answers 200 admin:admin-pw
mkdir "$T/one" "$T/two"
cp "$T/rewritten" "$T/one/users"
grep '^admin:' "$T/rewritten" >"$T/two/users"
ln -s one "$T/link"
ln -s link/users "$T/htpasswd"
check "a link is followed" wait_log "$REGISTRYD_LOG" 'has changed: 4' 5
ln -s two "$T/link.new"
mv -T "$T/link.new" "$T/link"
check "a link that turns is seen" wait_until 5 answers 401 alice:new-pw
expect "and what it points at" 200 "$(login admin:admin-pw)"

# ---- reload, and one kind only ---------------------------------------------

reload 'reloaded' 1
expect "after a reload" 200 "$(login admin:admin-pw)"
expect "still two verifiers" 2 \
    "$(children "$REGISTRYD_PID" verifier | wc -l)"
echo bob-pw | "$BUILD/authctl" passwd -p "$T/htpasswd" bob >/dev/null 2>&1
check "changes are seen after a reload" wait_until 5 answers 200 bob:bob-pw
grep -v htpasswd "$T/registryd.yml" | grep -v '^auth:' >"$T/open.yml"
cp "$T/registryd.yml" "$T/kept.yml"
cat "$T/open.yml" >"$T/registryd.yml"
reload 'reloaded' 2
req GET /v2/
expect_status 200 "without auth everybody is let in"
expect "and there are no verifiers" 0 \
    "$(children "$REGISTRYD_PID" verifier | wc -l)"
cat "$T/kept.yml" >"$T/registryd.yml"
reload 'reloaded' 3
req GET /v2/
expect_status 401 "and with it nobody again"

# ---- real clients ----------------------------------------------------------

if is_root; then
	start_dockerd
	make_rootfs
	app=$REGISTRY/any/app
	check "docker import" docker import "$T/rootfs.tar" "$app:1"
	refuse "docker push before login" docker push "$app:1"
	says "the reason" 'no basic auth credentials|denied|unauthorized'
	refuse "docker login with a wrong password" \
	    docker login -u admin -p wrong "$REGISTRY"
	says "the reason for that" 'unauthorized|incorrect'
	check "docker login" docker login -u admin -p admin-pw "$REGISTRY"
	check "docker push" docker push "$app:1"
	docker rmi -f "$app:1" >/dev/null 2>&1
	check "docker pull" docker pull "$app:1"
fi
refuse "skopeo with a wrong password" skopeo login --tls-verify=false \
    -u bob -p wrong "$REGISTRY"
says "skopeo says why" 'invalid username/password|unauthorized'
check "skopeo login" skopeo login --tls-verify=false -u bob -p bob-pw \
    "$REGISTRY"
if is_root; then
	check "skopeo pull" skopeo copy -q --src-tls-verify=false \
	    "docker://$REGISTRY/any/app:1" "oci:$T/layout:1"
	check "skopeo push" skopeo copy -q --dest-tls-verify=false \
	    "oci:$T/layout:1" "docker://$REGISTRY/any/copy:1"
fi
