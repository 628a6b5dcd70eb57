#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What "make run" does: both daemons on the loopback addresses of this
# machine, with their state in $BUILD/run, until interrupted.  The state is
# made once; only another port writes the configs anew.
set -eu

cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
REGISTRYD_PORT=${REGISTRYD_PORT:-5000}
AUTHD_PORT=${AUTHD_PORT:-5001}
run=$PWD/$BUILD/run
case $BUILD in /*) run=$BUILD/run ;; esac
registry=localhost:$REGISTRYD_PORT
mark="# make run: ports $REGISTRYD_PORT $AUTHD_PORT"
registryd_pid='' authd_pid=''

is_root() {
	[ "$(id -u)" -eq 0 ]
}

write_authd_conf() {
	cat <<-CONF
	$mark
	listen: localhost:$AUTHD_PORT
	issuer: authd
	realm: authd
	services: ["$registry"]
	token:
	  key: $run/token.key
	  certificate: $run/token.crt
	htpasswd: $run/htpasswd
	access:
	  - {user: admin, repository: "**", actions: ["*"]}
	  - {user: admin, registry: catalog, actions: ["*"]}
	  - user: "*"
	    repository: "\${user}/**"
	    actions: [pull, push, delete]
	  - {user: "*", repository: "public/**", actions: [pull]}
	  - {user: "", repository: "public/**", actions: [pull]}
	CONF
	# Numbers need no accounts; a real installation has names.
	if is_root; then
		echo 'user: "62011:62011"'
		echo 'broker_user: "62012:62012"'
		echo 'verifier_user: "62013:62013"'
		echo 'signer_user: "62014:62014"'
	fi
}

write_registryd_conf() {
	cat <<-CONF
	$mark
	version: 0.1
	storage:
	  filesystem:
	    rootdirectory: $run/store
	  delete:
	    enabled: true
	http:
	  addr: $registry
	auth:
	  token:
	    realm: http://localhost:$AUTHD_PORT/token
	    service: "$registry"
	    issuer: authd
	    rootcertbundle: $run/token.crt
	CONF
	if is_root; then
		echo 'registryd:'
		echo '  user: "62001:62001"'
		echo '  worker_user: "62002:62002"'
	fi
}

has_conf() {
	[ "$(head -n 1 "$run/$1.yml" 2>&1)" = "$mark" ]
}

# What it prints is for people who install by hand.
quietly() {
	"$@" >"$run/setup.log" 2>&1 || {
		cat "$run/setup.log" >&2
		return 1
	}
}

make_state() {
	mkdir -p "$run/store"
	if is_root; then
		chown 62001:62001 "$run/store"
		chmod 750 "$run/store"
	fi
	[ -f "$run/token.key" ] || quietly "$BUILD/authctl" key new -o "$run"
	if ! [ -f "$run/htpasswd" ]; then
		(umask 077; od -An -N 12 -tx1 /dev/urandom | tr -d ' \n' \
		    >"$run/password"; echo >>"$run/password")
		quietly "$BUILD/authctl" passwd -p "$run/htpasswd" admin \
		    <"$run/password"
	fi
	has_conf authd || write_authd_conf >"$run/authd.yml"
	has_conf registryd || write_registryd_conf >"$run/registryd.yml"
}

is_running() {
	[ -n "$1" ] && kill -0 "$1" 2>/dev/null
}

stop() {
	trap '' INT TERM
	trap - EXIT
	for pid in $registryd_pid $authd_pid; do
		kill -TERM "$pid" 2>/dev/null || continue
		wait "$pid" || :
	done
	exit "$1"
}

# A pause that a signal ends at once.
pause() {
	sleep "$1" &
	wait $! || :
}

explain_failure() {
	sed 's/^/    /' "$run/$1.log" | tail -n 15 >&2
	if grep -q 'in use' "$run/$1.log"; then
		echo "$1: port $2 is taken; another one: make run $3=PORT" >&2
	else
		echo "$1 did not start; the log above is $run/$1.log" >&2
	fi
	stop 1
}

# Start DAEMON; wait until its whole tree is ready.  Sets $started.
start() {
	: >"$run/$1.log"
	"$BUILD/$1" -f "$run/$1.yml" >>"$run/$1.log" 2>&1 &
	started=$!
	eval "$1_pid=\$started"
	tries=0
	until grep -Eq 'msg="?ready' "$run/$1.log"; do
		tries=$((tries + 1))
		if [ $tries -gt 300 ] || ! is_running $started; then
			explain_failure "$@"
		fi
		pause 0.1
	done
}

umask 022
make_state
trap 'stop 0' INT TERM
trap 'stop 1' EXIT
start authd "$AUTHD_PORT" AUTHD_PORT
start registryd "$REGISTRYD_PORT" REGISTRYD_PORT

cat <<EOT

registryd listens on $registry, authd on localhost:$AUTHD_PORT.
Log in, then make an image of a file, push it and pull it again:

    docker login -u admin -p $(cat "$run/password") $registry
    tar -cf - README.md | docker import - $registry/demo/hello:1
    docker push $registry/demo/hello:1
    docker pull $registry/demo/hello:1

State, configs and logs are in $run; interrupt (^C) to stop.
EOT

while is_running "$registryd_pid" && is_running "$authd_pid"; do
	pause 1
done
for daemon in registryd authd; do
	eval "pid=\$${daemon}_pid"
	if ! is_running "$pid"; then
		tail -n 15 "$run/$daemon.log" >&2
		echo "$daemon has ended; stopping" >&2
	fi
done
stop 1
