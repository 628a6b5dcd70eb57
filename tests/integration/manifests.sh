# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC1007,SC1091,SC2034,SC2154
#
# For tests that follow content through the whole API: make manifests, push
# them to the repository r by digest and by tag, pull them in every way, look
# for them among referrers, delete all of it.  Read after lib.sh.

oci=application/vnd.oci.image.manifest.v1+json
index=application/vnd.oci.image.index.v1+json
tar=application/vnd.oci.image.layer.v1.tar
nondist=application/vnd.oci.image.layer.nondistributable.v1.tar
configtype=application/vnd.oci.image.config.v1+json
empty=application/vnd.oci.empty.v1+json
own=application/vnd.example.oci.conformance
alg=sha256
artifact="\"artifactType\":\"$own\""

dig() {
	echo "$alg:$("${alg}sum" "$1" | cut -d ' ' -f 1)"
}

# desc TYPE FILE [MEMBERS]
desc() {
	printf '{"mediaType":"%s","digest":"%s","size":%d%s}' "$1" \
	    "$(dig "$2")" "$(wc -c <"$2")" "${3:-}"
}

# blob FILE: push it
blob() {
	req POST "/v2/r/blobs/uploads/?digest=$(dig "$1")" \
	    --data-binary "@$1" -H 'Content-Type: application/octet-stream'
	[ "$status" = 201 ] || fail "blob: $status" "$(cat "$T/body")"
	dig "$1" >>"$T/blobs"
}

# image NAME MEMBERS LAYERTYPE CONFTYPE [DATA]: two layers and a config;
# sets $F, and writes nothing of the manifest to the registry.
image() {
	for layer in 1 2; do
		head -c 2000 /dev/urandom >"$T/$1.layer$layer"
		blob "$T/$1.layer$layer"
	done
	if [ "$4" = $empty ]; then
		printf '{}' >"$T/$1.config"
	else
		printf '{"os":"linux","n":"%s"%s}' "$1" "${6:-}" \
		    >"$T/$1.config"
	fi
	blob "$T/$1.config"
	F=$T/$1.manifest
	l1= l2= c=
	if [ -n "${5:-}" ]; then
		l1=",\"data\":\"$(base64 -w 0 "$T/$1.layer1")\""
		l2=",\"data\":\"$(base64 -w 0 "$T/$1.layer2")\""
		c=",\"data\":\"$(base64 -w 0 "$T/$1.config")\""
	fi
	printf '{"schemaVersion":2,"mediaType":"%s","config":%s,%s%s}' $oci \
	    "$(desc "$4" "$T/$1.config" "$c")" "\"layers\":[$(desc "$3" \
	    "$T/$1.layer1" "$l1"),$(desc "$3" "$T/$1.layer2" "$l2")]" \
	    "${2:+,$2}" >"$F"
}

# list NAME MEMBERS FILE...: an index of these manifests; sets $F
list() {
	F=$T/$1.manifest members=$2 entries=
	shift 2
	for child; do
		type=$(jq -r .mediaType "$child")
		entries="$entries${entries:+,}$(desc "$type" "$child" \
		    ',"platform":{"os":"linux","architecture":"amd64"}')"
	done
	printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s]%s}' \
	    $index "$entries" "${members:+,$members}" >"$F"
}

# The answer to a GET or HEAD of $F.
is_whole() {
	expect_status 200 "$1"
	expect_header Content-Type "$type" "$1: type"
	expect_header Content-Length "$(wc -c <"$F")" "$1: length"
	expect_header Docker-Content-Digest "$D" "$1: digest"
	case $1 in
	*GET*|*Location*) check "$1: bytes" cmp "$F" "$T/body" ;;
	esac
}

# put NAME REFERENCE: as Go's client sends it, without a length
put() {
	req PUT "/v2/r/manifests/$2" --data-binary "@$F" \
	    -H "Content-Type: $type" -H 'Transfer-Encoding: chunked'
	expect_status 201 "$1: PUT"
	expect_header Docker-Content-Digest "$D" "$1: PUT: digest"
	expect_header OCI-Subject "$(jq -r '.subject.digest // ""' "$F")" \
	    "$1: PUT: OCI-Subject"
	location=$(header Location)
}

# take NAME [TAG...]: push $F by digest, then by each tag, and pull it
take() {
	what=$1
	shift
	D=$(dig "$F") type=$(jq -r .mediaType "$F")
	echo "$D" >>"$T/manifests"
	put "$what by digest" "$D"
	req GET "$location" -H "Accept: $index" -H "Accept: $oci"
	is_whole "$what: Location"
	for tag; do
		put "$what by tag" "$tag"
		echo "$tag" >>"$T/tags"
	done
	for ref in "$D" "$@"; do
		for method in HEAD GET; do
			req $method "/v2/r/manifests/$ref" \
			    -H "Accept: $index" -H "Accept: $oci"
			is_whole "$what: $method ${ref%%:*}"
		done
	done
	[ $# -gt 0 ] || return 0
	req GET /v2/r/tags/list
	expect_json "[\"$1\"] - .tags == []" "$what: listed"
}

# found NAME FILE...: each is among the referrers of its subject, with its
# type, size, artifact type and annotations, and alone under its own type
found() {
	what=$1
	shift
	for file; do
		S=$(jq -r .subject.digest "$file")
		D=$(dig "$file") size=$(wc -c <"$file")
		A=$(jq -r 'if (.artifactType // "") != "" then .artifactType
		    else .config.mediaType // "" end' "$file")
		for query in '' "?artifactType=$(echo "$A" |
		    sed 's/+/%2B/g')"; do
			[ "$query" != '?artifactType=' ] || continue
			req GET "/v2/r/referrers/$S$query"
			expect_header Content-Type $index
			expect_json ".schemaVersion == 2 and
			    .mediaType == \"$index\" and (.manifests |
			    map(select(.digest == \"$D\" and .size == $size))
			    | length == 1)" "$what: a referrer $query"
			jq --arg d "$D" '.manifests[] | select(.digest == $d)' \
			    "$T/body" >"$T/entry"
			check "$what: entry $query" jq -e -n \
			    --slurpfile e "$T/entry" --slurpfile m "$file" \
			    --arg a "$A" '$e[0].mediaType == $m[0].mediaType
			    and ($e[0].artifactType // "") == $a and
			    ($e[0].annotations // {}) ==
			    ($m[0].annotations // {})'
		done
		expect_header OCI-Filters-Applied artifactType
		expect_json ".manifests | all(.artifactType == \"$A\")" \
		    "$what: filtered"
	done
}

# Tags first, then manifests from the last to the first, then blobs.
clean() {
	for tag in $(cat "$T/tags" 2>/dev/null); do
		req DELETE "/v2/r/manifests/$tag"
		expect_status 202 "$1: DELETE tag $tag"
		req HEAD "/v2/r/manifests/$tag"
		expect_status 404 "$1: tag $tag is gone"
	done
	for D in $(tac "$T/manifests"); do
		req DELETE "/v2/r/manifests/$D"
		expect_status 202 "$1: DELETE a manifest"
		req HEAD "/v2/r/manifests/$D"
		expect_status 404 "$1: the manifest is gone"
	done
	for D in $(sort -u "$T/blobs" 2>/dev/null); do
		req DELETE "/v2/r/blobs/$D"
		expect_status 202 "$1: DELETE a blob"
		req HEAD "/v2/r/blobs/$D"
		expect_status 404 "$1: the blob is gone"
	done
	rm -f "$T/tags" "$T/manifests" "$T/blobs"
}
