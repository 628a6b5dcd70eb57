#!/bin/sh
# SPDX-License-Identifier: ISC
#
# registryctl's jobs: scrub finds bad bytes and a push heals them, collect
# removes what nobody needs, usage counts; with a registryd and without.
cd "$(dirname "$0")" && . ./lib.sh && . ./registryctl.sh

path_of() {
	hex=${1#sha256:}
	rest=${hex#??}
	echo "$STORE/docker/registry/v2/blobs/sha256/${hex%"$rest"}/$hex/data"
}
# What a disk may make of a file: a bit, the end, everything.
flip() {
	printf '\377' | dd of="$1" bs=1 seek=5 conv=notrunc 2>/dev/null
}
cut_off() {
	truncate -s 100 "$1"
}
empty() {
	truncate -s 0 "$1"
}
lengthen() {
	echo more >>"$1"
}

heal() {
	file=$(make_blob 70000)
	d=$(digest "$file")
	push_blob r "$file" >/dev/null
	"$1" "$(path_of "$d")"
	check "$2: $1 is found" exits 1 scrub
	check "$2: and shown" shown "$d: wrong bytes"
	check "$2: and gone" [ ! -e "$(path_of "$d")" ]
	check "$2: but kept" [ -n "$(find "$STORE/.registryd/quarantine" \
	    -name "$d.*.note")" ]
	check "$2: then nothing is bad" exits 0 scrub
}

CONF_REGISTRYD='  collect: {enabled: false, grace: 100ms, delay: 0s}'
start_registryd
check 'nothing to do' exits 0 scrub
for damage in flip cut_off empty lengthen; do
	heal $damage socket
	req HEAD "/v2/r/blobs/$d"
	expect_status 404 'nobody gets it'
	push_blob r "$file" >/dev/null
	req GET "/v2/r/blobs/$d"
	expect_status 200 'a push heals it'
	check 'with the right bytes' cmp "$file" "$T/body"
done
flip "$(path_of "$d")"
check 'only looking' exits 1 scrub --dry-run --json
check 'counts' jq -e '.bad == 1 and .quarantined == 0' "$T/out"
check 'and leaves it' [ -e "$(path_of "$d")" ]
check 'before it goes' exits 1 scrub --rate 1MiB
began=$(date +%s%N)
push_blob r "$(make_blob 3000000)" >/dev/null
check 'slowly' exits 0 scrub --rate 2MiB
took=$((($(date +%s%N) - began) / 1000000))
check "no faster than allowed ($took ms)" [ "$took" -ge 1000 ]
check 'a rate that is none' exits 2 scrub --rate fast

# ---- a scrub that takes days ----
at_work() {
	[ "$(ctl status --json | jq -r '.job.job // "nothing"')" = "$1" ]
}
# Not ctl: the signal is for registryctl itself, not for a shell around it.
"$BUILD/registryctl" -f "$T/registryd.yml" scrub --rate 1KiB >"$T/slow" 2>&1 &
slow=$!
check 'a slow one is at work' wait_until 10 at_work scrub
check 'collection comes first' exits 0 collect --dry-run
check 'and then it goes on' wait_until 10 at_work scrub
check 'a second one is refused' exits 1 scrub
kill $slow
wait $slow 2>/dev/null
check 'it ends with who has asked' wait_until 10 at_work nothing
check 'and another can begin' exits 0 scrub

# ---- collect ----
make_image keep v1 1000 >/dev/null
make_image go v1 2000 >/dev/null
ctl repository remove go
sleep 0.3
check 'a dry run' exits 0 collect --dry-run
check 'says what it would do' shown '^(condemn|would remove): +[1-9]'
before=$(find "$STORE/docker" | sort)
check 'and does nothing' [ "$before" = "$(find "$STORE/docker" | sort)" ]
gone() {
	ctl collect --json >"$T/out" || return 1
	jq -e '[.. | .deleted? // empty] | add > 0' "$T/out"
}
check 'what nobody needs goes' wait_until 10 gone
wait_until 10 [ -z "$(ctl fsck --strict | grep blob-unreferenced)" ]
req GET /v2/keep/manifests/v1
expect_status 200 'the rest stays'
check 'status counts it' [ "$(ctl status --json |
    jq .totals.deleted)" -gt 0 ]

# ---- usage ----
make_image one v1 4000 >/dev/null
req GET /v2/one/manifests/v1
cp "$T/body" "$T/manifest"
for layer in $(jq -r '.config.digest, .layers[].digest' "$T/manifest"); do
	req POST "/v2/two/blobs/uploads/?mount=$layer&from=one"
done
push_manifest two v1 "$T/manifest" >/dev/null
push_blob two "$(make_blob 3000)" >/dev/null
check 'usage' exits 0 usage
check 'of one' exits 0 usage two --json
check 'is right' jq -e '.unique_bytes == 3000 and .shared_bytes > 4000' \
    "$T/out"
check 'what is shared is not its own' [ "$(ctl usage one --json |
    jq .unique_bytes)" = 0 ]
# Distribution leaves the directory of a link that it deletes.
two=$STORE/docker/registry/v2/repositories/two
had=$(ctl usage two --json | jq .blobs)
link=$(find "$two/_layers" -name link | head -n 1)
mv "$link" "$T/link"
check 'a link that is gone does not count' [ "$(ctl usage two --json |
    jq .blobs)" -eq $((had - 1)) ]
mv "$T/link" "$link"
check 'of nothing' exits 1 usage nowhere

# ---- on a terminal ----
if command -v script >/dev/null; then
	script -qec "'$BUILD/registryctl' -f '$T/registryd.yml' scrub" \
	    "$T/typescript" >/dev/null
	check 'a bar on a terminal' grep -q 'reading \[' "$T/typescript"
fi

stop_registryd
push_again() {
	start_registryd
	push_blob r "$file" >/dev/null
	stop_registryd
}
push_again
flip "$(path_of "$(digest "$file")")"
check 'without a registryd' exits 1 scrub
check 'it goes too' [ ! -e "$(path_of "$(digest "$file")")" ]
check 'collect' exits 0 collect
check 'as JSON' exits 0 collect --json
check 'is an object' jq -e '.outcome == "ok"' "$T/out"
ctl scrub --rate 1KiB >"$T/slow" 2>&1 &
slow=$!
sleep 0.3
check 'a slow one' kill -0 $slow
check 'read-only meanwhile' exits 0 readonly on
wait $slow
check 'ends it' [ $? -eq 1 ]
check 'which it says' grep -q 'stopped.*read-only' "$T/slow"
check 'read-only no more' exits 0 readonly off
if is_root; then
	check 'files belong to the owner' \
	    [ -z "$(find "$STORE" ! -user 62001)" ]
fi
check 'the rest is right' exits 0 fsck
