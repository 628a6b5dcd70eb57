#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC1091,SC2034,SC2119,SC2154
#
# usage: strace.sh [STEP [REQUEST...]]
#
# A real registryd, whose keeper is killed by strace at its first, second,
# ... (every STEP-th) system call on files, for requests of each kind.  The
# parent puts another in its place; nothing half-made may be there, and the
# client's second try must succeed.
cd "$(dirname "$0")/../integration" && . ./lib.sh && . ./processes.sh

STEP=${1:-1}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- push patch put untag delete unblob mount
CALLS=openat2,openat,close,pread64,pwrite64,fsync,fdatasync,syncfs,ftruncate
CALLS=$CALLS,sync_file_range,renameat,renameat2,linkat,unlinkat,mkdirat
CALLS=$CALLS,newfstatat,fstat,getdents64,flock,utimensat
MAX_CALLS=2000		# of one request: more are a mistake of this script
CONF_REGISTRYD='  keepers: 1'
points=0 bad=0
TRACER=

on_exit() {
	[ -z "$TRACER" ] || kill "$TRACER" 2>/dev/null
}

keeper_pid() {
	for child in $(children "$REGISTRYD_PID"); do
		case $(role_of "$child") in keeper*) echo "$child" ;; esac
	done
}

# ---- requests: each prepares, asks, and looks whether it is done -----------

push() {
	req POST "/v2/a/b/blobs/uploads/?digest=$(digest "$1")" \
	    --data-binary "@$1" -H 'Content-Type: application/octet-stream'
}

put() {
	req PUT "/v2/a/b/manifests/$1" --data-binary "@$T/manifest" \
	    -H 'Content-Type: application/vnd.oci.image.manifest.v1+json'
}

prepare_push() { :; }
ask_push() { push "$LAYER"; }
done_push() {
	req GET "/v2/a/b/blobs/$(digest "$LAYER")"
	[ "$status" = 200 ] && cmp -s "$T/body" "$LAYER"
}

prepare_patch() {
	req POST /v2/a/b/blobs/uploads/
	location=$(header Location)
}
ask_patch() {
	req GET "$location"
	[ "$status" = 204 ] || prepare_patch
	location=$(header Location)
	range=$(header Range)
	from=$((${range#0-} + 0))
	[ "$from" -eq 0 ] || from=$((from + 1))
	tail -c "+$((from + 1))" "$LAYER" >"$T/rest"
	req PATCH "$location" --data-binary "@$T/rest" \
	    -H 'Content-Type: application/octet-stream'
	[ "$status" = 202 ] || return 0
	req PUT "$(location_with "digest=$(digest "$LAYER")")"
}
done_patch() { done_push; }

prepare_put() { push "$CONFIG" && push "$LAYER"; }
ask_put() { put t; }
done_put() {
	req GET /v2/a/b/manifests/t
	[ "$status" = 200 ] && cmp -s "$T/body" "$T/manifest"
}

prepare_untag() { prepare_put && put t; }
ask_untag() { req DELETE /v2/a/b/manifests/t; }
done_untag() {
	req GET /v2/a/b/manifests/t
	[ "$status" = 404 ]
}

prepare_delete() { prepare_untag && put u; }
ask_delete() { req DELETE "/v2/a/b/manifests/$(digest "$T/manifest")"; }
done_delete() {
	done_untag || return 1
	req GET "/v2/a/b/manifests/$(digest "$T/manifest")"
	[ "$status" = 404 ]
}

prepare_unblob() { push "$LAYER"; }
ask_unblob() { req DELETE "/v2/a/b/blobs/$(digest "$LAYER")"; }
done_unblob() {
	req GET "/v2/a/b/blobs/$(digest "$LAYER")"
	[ "$status" = 404 ]
}

prepare_mount() { push "$LAYER"; }
ask_mount() {
	req POST "/v2/c/blobs/uploads/?mount=$(digest "$LAYER")&from=a/b"
}
done_mount() {
	req GET "/v2/c/blobs/$(digest "$LAYER")"
	[ "$status" = 200 ] && cmp -s "$T/body" "$LAYER"
}

# ---- one kill --------------------------------------------------------------

wrong() {
	bad=$((bad + 1))
	echo "FAIL $request, call $n: $1"
}

fsck() {
	"$BUILD/registryctl" -f "$T/registryd.yml" fsck --strict \
	    >"$T/fsck.out" 2>&1 ||
	    ! grep -q broken "$T/fsck.out" ||
	    wrong "fsck: $(grep -m 1 broken "$T/fsck.out")"
}

answered_well() {
	case $request:$status in
	put:201|push:201|patch:201|mount:201|un*:202|delete:202) return 0 ;;
	# Done before its answer was lost.
	un*:404|delete:404) return 0 ;;
	esac
	return 1
}

try_again() {
	"ask_$request"
	answered_well
}

# False: the request makes no such call.
kill_at() {
	rm -rf "$STORE"
	start_registryd
	"prepare_$request"
	keeper=$(keeper_pid)
	background "$T/strace.log" strace -qq -p "$keeper" -o /dev/null \
	    -e "trace=$CALLS" -e "inject=$CALLS:signal=KILL:when=$n"
	TRACER=$started
	wait_until 10 is_traced "$keeper" ||
	    die "strace: $(cat "$T/strace.log")"
	"ask_$request"
	first=$status
	hit=1
	is_dead "$keeper" || hit=0
	[ "$hit" -eq 1 ] || kill "$TRACER"
	wait "$TRACER" 2>/dev/null
	TRACER=
	if answered_well; then
		"done_$request" || wrong "$first, but it is not done"
	fi
	fsck
	wait_until 15 try_again || wrong "second try: $status"
	"done_$request" || wrong "not done by the second try"
	fsck
	stop_registryd
	return $((1 - hit))
}

is_traced() {
	grep -q '^TracerPid:.*[1-9]' "/proc/$1/status"
}

is_dead() {
	! [ -e "/proc/$1/status" ] || grep -q '^State:.*Z' "/proc/$1/status"
}

CONFIG=$(make_blob 20)
LAYER=$(make_blob 5000)
jq -n --arg c "$(digest "$CONFIG")" --arg l "$(digest "$LAYER")" '{
	schemaVersion: 2,
	mediaType: "application/vnd.oci.image.manifest.v1+json",
	config: {mediaType: "application/x-config", digest: $c, size: 20},
	layers: [{mediaType: "application/x-layer", digest: $l, size: 5000}]
    }' >"$T/manifest"

begin=1
for request; do
	n=$begin
	while kill_at; do
		points=$((points + 1))
		n=$((n + STEP))
		[ "$n" -le "$MAX_CALLS" ] || die "no end of calls"
	done
	# Not the same places of each request, with a step.
	begin=$((begin % STEP + 1))
done
[ "$points" -gt 0 ] || die "no keeper was killed"
FAILURES=$bad
echo "$points kills of a keeper, $bad failed"
