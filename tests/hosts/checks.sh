#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Run in the guest, by its /init: what each of two hosts does with one
# directory of a file server is seen by the other with its next request.
# $ONE and $TWO are processes of the hosts, $OPTIONS how they mount, each check
# is made $ROUNDS times, with $DURABILITY.
cd "$(dirname "$0")" && . ./lib.sh
PATH=/bin
place=$(echo "$OPTIONS" | tr ',=' '--')
EXPORT=/export/$place
USER=62001

on_one() {
	nsenter -t "$ONE" -m -n -u "$@"
}

on_two() {
	nsenter -t "$TWO" -m -n -u "$@"
}

# HOST COMMAND...: as a user whom the server lets in.
as_user() {
	on=on_$1
	shift
	"$on" /bin/setpriv --reuid $USER --regid $USER --clear-groups "$@"
}

# HOST COMMAND...: registryctl
ctl() {
	host=$1
	shift
	as_user "$host" registryctl -f "$T/$host.yml" "$@"
}

# Its configuration; only who is asked to collects.
host_conf() {
	cat <<-CONF
	version: 0.1
	log: {accesslog: {disabled: true}}
	storage:
	  filesystem: {rootdirectory: /mnt/$place}
	  delete: {enabled: true}
	  maintenance: {uploadpurging: {enabled: false}}
	http: {addr: "0.0.0.0:5000"}
	tags: {maxtags: 100000}
	registryd:
	  user: "$USER:$USER"
	  worker_user: "62002:62002"
	  collect: {enabled: false, grace: ${GRACE}s, delay: 0s}
	  durability: $DURABILITY
	CONF
}
GRACE=3

# HOST NUMBER PROCESS: mount, and start registryd.  Sets $started.
start_host() {
	background "$T/mount-$1.log" "on_$1" mount -t nfs4 \
	    -o "vers=4.2,$OPTIONS" "10.0.$2.1:/" /mnt
	wait "$started" || die "host $1 cannot mount: $(cat "$T/mount-$1.log")"
	host_conf >"$T/$1.yml"
	background "$T/registryd-$1.log" nsenter -t "$3" -m -n -u \
	    registryd -f "$T/$1.yml"
	PIDS="$PIDS $started"
	wait_until 60 is_ready_or_gone "$T/registryd-$1.log" "$started"
	is_gone "$started" && die "registryd does not start on host $1"
	return 0
}

on_exit() {
	for host in one two; do
		wait_until 20 "on_$host" umount /mnt 2>/dev/null ||
		    fail "$OPTIONS: umount on host $host"
	done
}

mkdir "$EXPORT" || die "no directory"
chown "$USER:$USER" "$EXPORT"
start_host one 1 "$ONE"
one_pid=$started
start_host two 2 "$TWO"
two_pid=$started
one=10.0.1.2:5000 two=10.0.2.2:5000
on_one cat /proc/mounts | sed -n 's/^10[^ ]* /# /p'

clients() {
	[ "$(sed -n 's/^name: //p' /proc/fs/nfsd/clients/*/info | sort -u |
	    wc -l)" -eq 2 ]
}
check "$OPTIONS: the server has two clients" clients

# A Location without its host.
path_of() {
	case $1 in
	http://*) echo "/${1#http://*/}" ;;
	*) echo "$1" ;;
	esac
}

# HOST METHOD PATH ...
on() {
	host=$1 method=$2 url=$(path_of "$3")
	shift 3
	req "$method" "http://$host$url" "$@"
}

# Counted, since one of several rounds may be lucky.
want_status() {
	[ "$status" = "$1" ] && return
	missed=$((missed + 1))
	last="$last is $status, not $1"
	misses="$misses$last; "
}

begin_rounds() {
	missed=0 misses="" round=0
}

next_round() {
	round=$((round + 1))
	[ "$round" -le "$ROUNDS" ]
}

end_rounds() {
	if [ "$missed" -eq 0 ]; then
		ok "$OPTIONS: $1"
	else
		fail "$OPTIONS: $1" "$missed times, $misses"
	fi
}

# One pushes and the other looks; then the other way round.
swap() {
	other=$one one=$two two=$other
}

# ---- pushes ----------------------------------------------------------------

push_on() {
	REGISTRY=$1
	shift
	make_image "$@" >/dev/null || {
		missed=$((missed + 1))
		misses="${misses}push of $1:$2: $status $(head -c 200 \
		    "$T/body" | tr -c '[:print:]' ' '); "
	}
}

begin_rounds
while next_round; do
	push_on "$one" "new/r$round" t
	on "$two" GET "/v2/new/r$round/manifests/t"
	want_status 200
	cmp -s "$T/body" "$manifest" || want_status "right bytes"
	on "$two" GET "/v2/new/r$round/blobs/$(digest "$layer")"
	want_status 200
	cmp -s "$T/body" "$layer" || want_status "right bytes"
	swap
done
end_rounds "a push is pulled from the other host"

. ./checks_collect.sh

# The other has just been told that there is none.
begin_rounds
while next_round; do
	for repo in asked "asked/r$round"; do
		on "$two" GET "/v2/$repo/manifests/r$round"
		want_status 404
		on "$two" GET "/v2/$repo/tags/list"
		push_on "$one" $repo "r$round"
		on "$two" GET "/v2/$repo/manifests/r$round"
		want_status 200
		on "$two" GET "/v2/$repo/tags/list"
		want_status 200
		grep -q "\"r$round\"" "$T/body" || want_status "with r$round"
	done
	swap
done
end_rounds "a tag that was asked for in vain"

begin_rounds
while next_round; do
	blob=$(make_blob 3000)
	on "$two" HEAD "/v2/asked/blobs/$(digest "$blob")"
	want_status 404
	on "$two" GET "/v2/asked/blobs/$(digest "$blob")"
	want_status 404
	REGISTRY=$one push_blob asked "$blob" || want_status 201
	on "$two" HEAD "/v2/asked/blobs/$(digest "$blob")"
	want_status 200
	on "$two" GET "/v2/asked/blobs/$(digest "$blob")"
	want_status 200
	swap
done
end_rounds "a blob that was asked for in vain"

begin_rounds
while next_round; do
	push_on "$one" "catalog/r$round" t
	on "$two" GET "/v2/_catalog?n=1000"
	want_status 200
	grep -q "\"catalog/r$round\"" "$T/body" || want_status "with it"
	swap
done
end_rounds "a new repository is listed"

# ---- changes and deletions -------------------------------------------------

begin_rounds
push_on "$one" moves t
while next_round; do
	on "$one" GET /v2/moves/manifests/t
	on "$two" GET /v2/moves/manifests/t
	want_status 200
	push_on "$one" moves t
	on "$two" GET /v2/moves/manifests/t
	want_status 200
	cmp -s "$T/body" "$manifest" || want_status "the new one"
	on "$two" HEAD /v2/moves/manifests/t
	[ "$(header Docker-Content-Digest)" = "$(digest "$manifest")" ] ||
	    want_status "the new one"
	swap
done
end_rounds "a tag that has moved"

begin_rounds
while next_round; do
	push_on "$one" deleted "t$round"
	on "$two" GET "/v2/deleted/manifests/t$round"
	want_status 200
	on "$one" DELETE "/v2/deleted/manifests/t$round"
	want_status 202
	on "$two" GET "/v2/deleted/manifests/t$round"
	want_status 404
	on "$two" GET /v2/deleted/tags/list
	! grep -q "\"t$round\"" "$T/body" || want_status "without it"
	# And it comes back, of the same manifest.
	REGISTRY=$one push_manifest deleted "t$round" "$manifest" ||
	    want_status 201
	on "$two" GET "/v2/deleted/manifests/t$round"
	want_status 200
	swap
done
end_rounds "a tag that was deleted, and put again"

begin_rounds
while next_round; do
	push_on "$one" deleted "d$round"
	path=/v2/deleted/manifests/$(digest "$manifest")
	on "$two" GET "$path"
	want_status 200
	on "$one" DELETE "$path"
	want_status 202
	on "$two" GET "$path"
	want_status 404
	on "$two" GET "/v2/deleted/manifests/d$round"
	want_status 404
	path=/v2/deleted/blobs/$(digest "$layer")
	on "$two" GET "$path"
	want_status 200
	on "$one" DELETE "$path"
	want_status 202
	on "$two" GET "$path"
	want_status 404
	on "$two" HEAD "$path"
	want_status 404
	REGISTRY=$one push_blob deleted "$layer" || want_status 201
	on "$two" HEAD "$path"
	want_status 200
	swap
done
end_rounds "a manifest and a blob that were deleted"

# It is renamed, and emptied some time later.
begin_rounds
while next_round; do
	push_on "$one" "removed/r$round" t
	path=/v2/removed/r$round/blobs/$(digest "$layer")
	on "$two" GET "/v2/removed/r$round/manifests/t"
	want_status 200
	on "$two" GET "$path"
	want_status 200
	ctl one repository remove "removed/r$round" >"$T/remove.log" 2>&1 ||
	    want_status "removed: $(cat "$T/remove.log")"
	on "$two" GET "/v2/removed/r$round/manifests/t"
	want_status 404
	on "$two" GET "$path"
	want_status 404
	REGISTRY=$one push_blob "removed/r$round" "$layer" || want_status 201
	on "$two" GET "$path"
	want_status 200
	swap
done
end_rounds "a repository that was removed"

. ./checks_upload.sh
check_both_collect

# ---- the end ---------------------------------------------------------------

for host in one two; do
	ctl $host fsck --strict >"$T/fsck-$host.log" 2>&1
	check "$OPTIONS: fsck on host $host finds nothing" [ $? -eq 0 ]
done
stop_pid "$one_pid" 30
stop_pid "$two_pid" 30
PIDS=
