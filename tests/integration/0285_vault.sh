#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# The vault: killed while tokens are used, started with a database that is
# damaged or not its own, and what processes remember of tokens.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./tokens.sh &&
    . ./memory.sh
CONF_THROTTLE='{failures_per_source: 0, floor: 0s}'
CONF_AUTHD=$(vault_lines 'refresh_tokens: 24h' 'cache: 0s')
start_authd
token=$(made alice)
robot=$(ctl robot new -r 'ci/**:pull' ci 2>/dev/null)
ask alice:alice-pw 'offline_token=true'
refresh=$(jq -r .refresh_token "$T/body")
post grant_type=refresh_token "refresh_token=$refresh"
expect_status 200 "a refresh token"

# ---- what it has ----

if is_root; then
	pid=$(vault_pid)
	expect "it has its own user" '62016 62016 62016' "$(awk \
	    '$1 == "Uid:" { print $2, $3, $4 }' "/proc/$pid/status")"
	expect "and its files" \
	    'credentials.db credentials.db-shm credentials.db-wal'\
' credentials.db.lock' "$(readlink "/proc/$pid/fd/"* |
	    sed -n "s,^$VAULT/,,p" | sort -u | tr '\n' ' ' | sed 's/ $//')"
	expect "nobody's else" '' "$(readlink "/proc/$pid/fd/"* |
	    grep "^/" | grep -v -e "^$VAULT/" -e '^/dev/null' \
	    -e "^$T/authd.log")"
	for other in worker broker verifier signer; do
		refuse "no $other has them" sh -c "readlink /proc/$(pids \
		    $other | head -n 1)/fd/* | grep -q credentials"
	done
fi

# ---- killed ----

load() {
	requests 4000 "$1" "$2" - | ask_many 8 >"$T/load.$1" &
	loads="$loads $!"
}
loads=
load token "alice:$token"
load robot "robot\$ci:$robot"
load password bob:bob-pw
has_vault() {
	pid=$(vault_pid)
	[ -n "$pid" ] && answers 200 "alice:$token"
}
for _ in 1 2 3; do
	wait_until 10 has_vault || fail "a vault comes back"
	kill -KILL "$pid"
done
for pid in $loads; do
	wait "$pid"
done
check "the vault comes back" wait_until 10 has_vault
for what in token robot; do
	expect "$what: each is answered" 4000 "$(wc -l <"$T/load.$what")"
	expect "$what: 200 or 503, nothing else" '' \
	    "$(grep -v "^$what \(200\|503\) " "$T/load.$what" | head -n 3)"
	check "$what: some while it was there" grep -q " 200 " "$T/load.$what"
	check "$what: some while it was not" grep -q " 503 " "$T/load.$what"
	refuse "$what: each 503 says when to come again" \
	    grep -Eq ' 503 [0-9.]+ -' "$T/load.$what"
done
expect "passwords are good meanwhile" 4000 \
    "$(grep -c '^password 200 ' "$T/load.password")"
later=$(made bob)
ask "bob:$later" ''
expect_status 200 "new ones can be made"
ctl token revoke -u bob >"$T/ctl.out" 2>&1
ask "bob:$later" ''
expect_refused

# ---- what is remembered ----

if is_root; then
	for _ in 1 2 3 4; do
		ask "alice:$token" 'scope=repository:alice/x:pull'
		post grant_type=password username=alice "password=$token"
		ask "robot\$ci:$robot" ''
		post grant_type=refresh_token "refresh_token=$refresh"
		ask alice:alice-pw 'offline_token=true'
		new=$(jq -r .refresh_token "$T/body")
	done
	for role in worker broker verifier vault signer; do
		for pid in $(pids $role); do
			for secret in "$token" "$robot" "$refresh" "$new"; do
				refuse "$role: no $(expr "$secret" : \
				    '\(....\)') token" \
				    memory_has "$pid" "${secret#????}"
			done
			refuse "$role: no header with a token" memory_has \
			    "$pid" "$(printf '%s' "alice:$token" | base64 \
			    -w 0 | cut -c 9-48)"
		done
	done
	check "the vault has its database" memory_has "$(vault_pid)" \
	    "$VAULT/credentials.db"
	hash=$(printf %s "$token" | sha256sum | cut -d ' ' -f 1)
	check "and the hash of a token" memory_has "$(vault_pid)" "hex:$hash"
fi

# ---- revoked while its owner is looked up ----

slow=$(made admin)
for pid in $(pids verifier); do
	kill -STOP "$pid"
done
curl -sS -o /dev/null -w '%{http_code}' -u "admin:$slow" \
    "http://$AUTHD/token" >"$T/late" &
late=$!
sleep 0.5
ctl token revoke -u admin >"$T/ctl.out" 2>&1
for pid in $(pids verifier); do
	kill -CONT "$pid"
done
wait "$late"
expect "a token that was revoked meanwhile" 401 "$(cat "$T/late")"

# ---- a file that is moved away ----

db=$VAULT/credentials.db
ask "bob:$(made bob)" ''
expect_status 200 "before"
late=$(made bob)
mv "$db" "$db.away"
ask "bob:$late" ''
expect_status 503 "without its file the vault finds nothing"
not_made() {
	made bob 2>/dev/null || grep -q 'replaced or removed' "$T/ctl.err"
}
expect "and makes nothing that would be lost" '' "$(not_made)"
check "which is said" not_made
mv "$db.away" "$db"
ask "bob:$late" ''
expect_status 200 "the file is back"

# ---- files that cannot be used ----

stop_authd
does_not_start() {
	timeout 20 "$BUILD/authd" -f "$T/authd.yml" >"$T/start.out" 2>&1 &&
	    return 1
	grep -qE "$1" "$T/start.out" || {
		cat "$T/start.out"
		return 1
	}
}
cp "$db" "$T/good.db"
printf 'alice:$2y$05$' | dd of="$db" conv=notrunc 2>/dev/null
check "a file that is none: why is said" does_not_start \
    'credentials.database: .*file is not a database'
cp "$T/good.db" "$db"
truncate -s 5000 "$db"
check "a file that was cut off" does_not_start \
    'credentials.database: .*malformed'
cp "$T/good.db" "$db"
if is_root; then
	mkdir "$T/other"
	cp "$T/authd.yml" "$T/usual.yml"
	sed "s,$VAULT/credentials.db,$T/other/c.db,
	    s,cache: 0s,control: $VAULT/control.sock," "$T/usual.yml" \
	    >"$T/authd.yml"
	check "a directory of somebody else" does_not_start \
	    "credentials.database: $T/other/c.db.lock: Permission denied"
	mv "$T/usual.yml" "$T/authd.yml"
fi
start_authd
ask "alice:$token" ''
expect_status 200 "the good file again"

# ---- authctl beside a running vault ----

kill -STOP "$(vault_pid)"
blame() {
	ctl token list 2>"$T/blame"
}
refuse "a vault that does not answer" blame
check "and where to look is said" grep -q 'see the log of authd' "$T/blame"
rm -f "$VAULT/control.sock"
refuse "a vault that is not asked keeps the file" blame
check "and who is to blame is said" grep -q 'another process works on' \
    "$T/blame"
kill -CONT "$(vault_pid)"
