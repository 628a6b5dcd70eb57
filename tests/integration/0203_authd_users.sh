#!/bin/sh
# SPDX-License-Identifier: ISC
# The htpasswd file changes while authd runs, in all the ways in which files
# do; what is wrong with it never takes the users away.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
start_authd

set_password() {
	echo "$2" | "$BUILD/authctl" passwd -p "$T/htpasswd" "$1"
}

check "alice has her password" answers 200 alice:alice-pw
check "authctl passwd replaces the file" set_password alice new-pw
check "the new one is seen in 2 s" wait_until 2 answers 200 alice:new-pw
check "the cached one is forgotten" answers 401 alice:alice-pw

cp "$T/htpasswd" "$T/all"
check "bob is there" answers 200 bob:bob-pw
grep -v '^bob:' "$T/all" >"$T/htpasswd"
check "rewritten in place: bob is out" wait_until 2 answers 401 bob:bob-pw
check "alice is not" answers 200 alice:new-pw

mkdir "$T/one" "$T/two"
mv "$T/htpasswd" "$T/one/htpasswd"
cp "$T/all" "$T/two/htpasswd"
ln -s one "$T/data"
ln -s data/htpasswd "$T/htpasswd"
check "through a link" answers 200 alice:new-pw
wait_until 3 answers 401 bob:bob-pw
ln -sfn two "$T/data"
check "the link is swapped: bob is back" wait_until 2 answers 200 bob:bob-pw

changes() {
	grep -c 'has changed' "$AUTHD_LOG"
}
before=$(changes)
more_changes() {
	[ "$(changes)" -gt "$before" ]
}
half=$(($(wc -c <"$T/all") / 2))
{
	head -c $half "$T/all"
	sleep 0.3
	tail -c +$((half + 1)) "$T/all"
} >"$T/two/htpasswd"
check "a file that is written slowly is taken" wait_until 3 more_changes
refuse "and no half was taken" log_has "$AUTHD_LOG" 'is refused'
for who in alice:new-pw bob:bob-pw admin:admin-pw; do
	check "with ${who%%:*}" answers 200 "$who"
done

echo 'carol:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=' >>"$T/two/htpasswd"
check "a wrong line is named" wait_log "$AUTHD_LOG" 'htpasswd:4: SHA-1' 3
check "the old users stay" answers 200 bob:bob-pw
# A moment without descriptors: the file is taken as soon as there are some.
limit_descriptors() {
	limit=0 free=0
	while [ "$free" -lt 2 ]; do
		[ -e "/proc/$AUTHD_PID/fd/$limit" ] || free=$((free + 1))
		limit=$((limit + 1))
	done
	prlimit --pid "$AUTHD_PID" "--nofile=$((limit - 1)):"
}
if is_root; then
	usual=$(prlimit --pid "$AUTHD_PID" --nofile --noheadings --output SOFT)
	limit_descriptors
	before=$(changes)
	cp "$T/all" "$T/two/htpasswd"
	check "what stands in the way is told" wait_log "$AUTHD_LOG" \
	    'Too many open files: the users known so far stay' 3
	refuse "and the file is not taken" more_changes
	prlimit --pid "$AUTHD_PID" "--nofile=$(echo "$usual" | tr -d ' '):"
	check "once it is gone the file is taken" wait_until 3 more_changes
	expect "it was told once" 1 \
	    "$(grep -c 'Too many open files' "$AUTHD_LOG")"
fi

# Verifiers that die before they can say that their users have changed.
check "bob is known" answers 200 bob:bob-pw
grep -v '^carol:' "$T/two/htpasswd" >"$T/without"
mv "$T/without" "$T/two/htpasswd"
check "the good file again" wait_until 3 more_changes
cp "$T/two/htpasswd" "$T/all"
check "bob is remembered" answers 200 bob:bob-pw
victims=$(pids verifier)
# shellcheck disable=SC2086
kill -STOP $victims
before=$(changes)
grep -v '^bob:' "$T/all" >"$T/without"
mv "$T/without" "$T/two/htpasswd"
check "a file without bob" wait_until 3 more_changes
# shellcheck disable=SC2086
kill -KILL $victims
check "their successors make bob forgotten" \
    wait_until 3 answers 401 bob:bob-pw

rm "$T/htpasswd"
mkdir "$T/htpasswd"
check "what cannot be read is named" wait_log "$AUTHD_LOG" \
    'htpasswd: .*(not a regular file|Is a directory)' 3
check "the old users stay here, too" answers 200 alice:new-pw
rmdir "$T/htpasswd"
check "absence is logged" wait_log "$AUTHD_LOG" 'No such file' 3
check "the old users stay again" answers 200 alice:new-pw
for pid in $(pids verifier); do
	kill -9 "$pid"
done
check "also for new verifiers" wait_until 3 answers 200 admin:admin-pw
expect "each trouble is logged once" "1 1" \
    "$(grep -c 'what it said before stays: No such' "$AUTHD_LOG") $(
    grep -c 'is refused' "$AUTHD_LOG")"
sed '/^admin:/d' "$T/all" >"$T/htpasswd.new"
mv "$T/htpasswd.new" "$T/htpasswd"
check "the file is back" wait_until 2 answers 401 admin:admin-pw
