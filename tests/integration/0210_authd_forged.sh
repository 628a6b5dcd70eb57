#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A process that was taken over sends what its role may not, or nonsense:
# that process alone is killed and replaced, nobody else notices, and no
# token comes of it.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./tokens.sh
is_root || skip "only root can speak for another process"

CONF_AUTHD="workers: 24
verifiers: 2
$(vault_lines)"
start_authd
FORGE=$BUILD/tests/integration/forge_client

# The inode of a process's socket, and that of its other end.
inode_of() {
	readlink "/proc/$1/fd/$2" | tr -dc 0-9
}
other_end() {
	ss -xn | awk -v own="$(inode_of "$1" "$2")" '$6 == own { print $8 }'
}
# Of a process that speaks to the broker and the parent: the one to the
# broker.
channel() {
	for fd in "/proc/$1/fd"/*; do
		n=${fd##*/}
		case $n:$(readlink "$fd") in
		3:*) ;;
		*:socket:*) [ -z "$(other_end "$1" "$n")" ] || echo "$n" ;;
		esac
	done
}
# PID PID: the first one's descriptor of that of the second.
channel_to() {
	end=$(other_end "$2" "$(channel "$2")")
	for fd in "/proc/$1/fd"/*; do
		[ "$(readlink "$fd")" != "socket:[$end]" ] ||
		    echo "${fd##*/}"
	done
}
all_but() {
	children "$AUTHD_PID" | grep -vx "$1" | sort | tr '\n' ' '
}
is_replaced() {
	is_gone "$1" && [ "$(children "$AUTHD_PID" | wc -l)" -eq "$count" ]
}
# The others are still there.
stay() {
	for pid in $1; do
		kill -0 "$pid" || return 1
	done
}
count=$(children "$AUTHD_PID" | wc -l)
broker=$(pids broker) signer=$(pids signer)

# NAME PID FD MESSAGE...
kills_sender() {
	name=$1 sender=$2
	shift
	others=$(all_but "$sender")
	check "$name: is sent" "$FORGE" "$@"
	check "$name: the sender is replaced" wait_until 5 \
	    is_replaced "$sender"
	check "$name: nobody else is" stay "$others"
	check "$name: tokens are given" answers 200 alice:alice-pw
}
# One that was not killed yet: those come back at once.
next_worker() {
	worker=${fresh%% *}
	fresh=${fresh#* }
}
fresh=$(pids worker | tr '\n' ' ')
# NAME MESSAGE...: by a worker to the broker.
by_worker() {
	next_worker
	name=$1
	shift
	kills_sender "$name" "$worker" "$(channel "$worker")" \
	    "$@"
}
request='str:192.0.2.1 str:registry.test u8:1 str:admin str:admin-pw'
request="$request u8:0 u8:0 str:"
grant='u32:1 str:repository str:alice/x u32:7'

worker=${fresh%% *}
check "the test finds the channel" test -n "$(channel "$worker")"
by_worker "half a SIGN" sign str:registry.test str:admin "$grant"
# shellcheck disable=SC2086
by_worker "a whole SIGN" sign str:registry.test str:admin $grant
by_worker "SIGNED" signed u8:1 str:a.b.c str:x u32:300 u64:1
by_worker "VERDICT" verdict u8:0 str:admin str: str: u32:0
by_worker "USERS_CHANGED" users_changed
by_worker "FIND" find u32:32 zeros:32
by_worker "FOUND" found u8:0 str:0123456789ab u8:1 str:admin zeros:25
by_worker "FORGET" forget
by_worker "VERIFY" verify str:admin str:x str:192.0.2.1
by_worker "a rule" conf_rule u8:0
by_worker "DRAIN" drain
by_worker "a type that is none" 9999
by_worker "less than a header" raw zeros:3
# shellcheck disable=SC2086
by_worker "a request with a descriptor" token_request $request u32:0 fd
# shellcheck disable=SC2086
by_worker "a request with more behind it" token_request $request u32:0 u8:0
# shellcheck disable=SC2086
by_worker "a request of too many scopes" token_request $request u32:1000000
by_worker "a request beyond the size of messages" token_request zeros:70000

next_worker
kills_sender "READY twice" "$worker" 3 ready
next_worker
kills_sender "a value to the parent" "$worker" 3 conf_value u32:1 str:x
next_worker
kills_sender "a complaint about the signer" "$worker" 3 peer_bad u32:4 u32:0

verifier=$(pids verifier | head -n 1)
kills_sender "a verifier's SIGNED" "$verifier" \
    "$(channel "$verifier")" signed u8:1 str:a str:b u32:1 u64:1
verifier=$(pids verifier | tail -n 1)
kills_sender "a verifier's SIGN" "$verifier" \
    "$(channel "$verifier")" sign str:registry.test str:admin \
    u32:0
vault=$(vault_pid)
kills_sender "a vault's SIGNED" "$vault" "$(channel "$vault")" \
    signed u8:1 str:a str:b u32:1 u64:1
vault=$(vault_pid)
kills_sender "half of a vault's FOUND" "$vault" "$(channel "$vault")" \
    found u8:0 str:0123456789ab u8:1 str:admin
expect "the broker has seen all this" "$broker" "$(pids broker)"
check "and says whom it cut off" log_has "$AUTHD_LOG" \
    'process=broker msg="cut off worker [0-9]+: .*unknown type'

# The broker's own.
kills_sender "the broker's nonsense" "$broker" \
    "$(channel_to "$broker" "$signer")" sign str:registry.test zeros:9
check "a new one serves" wait_until 5 answers 200 bob:bob-pw
expect "the signer has seen it" "$signer" "$(pids signer)"

refuse "no token came of it" log_has "$AUTHD_LOG" \
    'token issued.*auth.user.name=admin'
ask admin:admin-pw ''
check "the log would have had it" log_has "$AUTHD_LOG" \
    'token issued.*auth.user.name=admin'
