#!/bin/sh
# SPDX-License-Identifier: ISC
#
# "make run": the lines that it prints work as typed, a second run keeps the
# state, a taken port is named, and neither daemon stays without the other.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh

root=$(cd "$TESTS/.." && pwd)
mkdir "$T/b"
for program in registryd authd authctl; do
	ln -s "$BUILD/$program" "$T/b/$program"
done

# A port that nobody has now, out of the range that the system hands out.
free_port() {
	try=$(($(od -An -N 2 -tu2 /dev/urandom) % 8000 + 20000))
	while ss -Hltn "sport = :$try" | grep -q .; do
		try=$((try + 1))
	done
	echo $try
}
registryd_port=$(free_port)
authd_port=$(free_port)

# In the background a shell ignores SIGINT, and nobody can trap it then.
run() {
	background "$T/run.log" env --default-signal=INT BUILD="$T/b" \
	    REGISTRYD_PORT="$registryd_port" AUTHD_PORT="$authd_port" \
	    "$root/etc/dev/run.sh"
	run_pid=$started
	PIDS="$started $PIDS"
}
has_instructions() {
	log_has "$T/run.log" 'docker pull' || is_gone "$run_pid"
}
daemon_pid() {
	ps -o pid=,args= --ppid "$run_pid" | awk -v d="/$1" \
	    'index($0, d " ") { print $1 }'
}
printed() {
	grep -E "^ +$1 " "$T/run.log" | sed 's/^ *//'
}

run
wait_until 30 has_instructions
check "it prints what to type" grep -q 'docker pull' "$T/run.log"
REGISTRY=localhost:$registryd_port
req GET /v2/
expect_status 401 "registryd listens on that port"
realm=http://localhost:$authd_port/token
expect_header WWW-Authenticate \
    "Bearer realm=\"$realm\",service=\"$REGISTRY\"" \
    "the realm names localhost"
password=$(cat "$T/b/run/password")
check "the password is long" [ ${#password} -ge 16 ]

if is_root; then
	start_dockerd
	cd "$root" || exit 1
	for line in 'docker login' 'tar' 'docker push' 'docker pull'; do
		check "as typed: $line" sh -c "$(printed "$line")"
	done
	cd "$TESTS/integration" || exit 1
	refuse "children run as other users" sh -c \
	    "ps -o ruid= --ppid $(daemon_pid registryd) | grep -qw 0"
else
	check "the printed password" skopeo login --tls-verify=false \
	    -u admin -p "$password" "$REGISTRY"
fi

kill -INT "$run_pid"
check "an interrupt ends it" wait_until 15 is_gone "$run_pid" || exit 1
wait "$run_pid"
expect "an interrupt is a good end" 0 $?

# ---- again -----------------------------------------------------------------

before=$(cat "$T/b/run/token.key" "$T/b/run/htpasswd" | sha256sum)
run
wait_until 30 has_instructions
expect "a second run keeps key and user" "$before" \
    "$(cat "$T/b/run/token.key" "$T/b/run/htpasswd" | sha256sum)"
expect "and the password" "$password" "$(cat "$T/b/run/password")"
if is_root; then
	check "and the image" docker pull "$REGISTRY/demo/hello:1"
fi

# The same ports once more, with another state.
mkdir "$T/c"
cp -P "$T"/b/registryd "$T"/b/authd "$T"/b/authctl "$T/c"
refuse "a taken port" env BUILD="$T/c" REGISTRYD_PORT="$registryd_port" \
    AUTHD_PORT="$authd_port" "$root/etc/dev/run.sh"
says "a taken port: which, and what to do" \
    "port $authd_port is taken.*AUTHD_PORT="
refuse "another taken port" env BUILD="$T/c" \
    REGISTRYD_PORT="$registryd_port" AUTHD_PORT="$(free_port)" \
    "$root/etc/dev/run.sh"
says "another taken port: which" \
    "port $registryd_port is taken.*REGISTRYD_PORT="

# ---- one dies --------------------------------------------------------------

other=$(daemon_pid authd)
kill -KILL "$(daemon_pid registryd)"
check "it ends when registryd dies" wait_until 15 is_gone "$run_pid"
check "and authd with it" wait_until 5 is_gone "$other"
check "it says why" grep -q 'registryd has ended' "$T/run.log"
