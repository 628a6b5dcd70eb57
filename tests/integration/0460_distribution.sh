#!/bin/sh
# SPDX-License-Identifier: ISC
#
# One directory, two registries: what Debian's docker-registry wrote is
# served in place with its own config.yml, and what registryd wrote is served
# by docker-registry, garbage collection included.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh

# Both as one plain user, so that the same config.yml does for both.
as_user() {
	if is_root; then
		setpriv --reuid 62001 --regid 62001 --clear-groups "$@"
	else
		"$@"
	fi
}
make_store
cat >"$T/config.yml" <<CONF
version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: $STORE
  delete:
    enabled: true
http:
  addr: 127.0.0.1:0
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
CONF
if is_root; then
	AS_USER="setpriv --reuid 62001 --regid 62001 --clear-groups"
fi
# That user may not get to where the clone lies.
cp "$BUILD/registryd" "$T/registryd" || die "no registryd in $BUILD"

serve_distribution() {
	start_distribution "$T/config.yml"
	REGISTRY=$DISTRIBUTION
}
serve_registryd() {
	background "$T/registryd.log" ${AS_USER:-} "$T/registryd" \
	    -f "$T/config.yml"
	REGISTRYD_PID=$started
	wait_until 20 is_ready_or_gone "$T/registryd.log" "$started"
	is_gone "$started" && die "registryd does not take the config.yml"
	REGISTRY=localhost:$(log_port "$T/registryd.log")
}

# WHO: everything that was pushed is there, byte for byte.
compare() {
	while read -r repo ref want; do
		req GET "/v2/$repo/manifests/$ref" -H 'Accept: */*' \
		    -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		    -H 'Accept: application/vnd.oci.image.index.v1+json'
		expect "$1 serves $repo:$ref" "$want" "$(digest "$T/body")"
		for blob in $(jq -r '.layers[]?.digest, .config.digest?' \
		    "$T/body" | grep sha256); do
			req GET "/v2/$repo/blobs/$blob"
			expect "$1 serves a blob of $repo" "$blob" \
			    "$(digest "$T/body")"
		done
	done <"$T/pushed"
}
record() {
	made=$(make_image "$1" "$2" "$3") || die "push $1:$2"
	echo "$1 $2 $made" >>"$T/pushed"
	echo "$1 $made $made" >>"$T/pushed"
}

# ---- from docker-registry to registryd -------------------------------------

serve_distribution
record one v1 1000
record one v2 300000
record one/nested/deep latest 10
record two v1 1000
compare docker-registry
stop_pid "$DISTRIBUTION_PID"

serve_registryd
compare registryd
req GET /v2/one/tags/list
expect_json '.tags == ["v1", "v2"]' "registryd lists its tags"
req GET /v2/_catalog
expect_json '.repositories == ["one", "one/nested/deep", "two"]' \
    "registryd lists its repositories"
expect_header X-Content-Type-Options nosniff
check "what registryd does not have is named in a warning" \
    grep -q 'health.*not supported' "$T/registryd.log"

# ---- and back --------------------------------------------------------------

record three v1 70000
record one v3 500
req GET /v2/two/manifests/v1
gone=$(digest "$T/body")
req DELETE "/v2/two/manifests/$gone"
expect_status 202 "registryd deletes what docker-registry wrote"
grep -v '^two ' "$T/pushed" >"$T/left"
mv "$T/left" "$T/pushed"
stop_registryd

serve_distribution
compare docker-registry
req GET /v2/two/manifests/v1
expect_status 404 "docker-registry does not serve what was deleted"
req GET /v2/one/tags/list
expect_json '.tags | sort == ["v1", "v2", "v3"]' \
    "docker-registry lists the tags"
stop_pid "$DISTRIBUTION_PID"
check "its garbage collection runs" as_user docker-registry \
    garbage-collect "$T/config.yml"
serve_registryd
compare registryd
