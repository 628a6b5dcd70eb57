#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
#
# What the conformance tests of the distribution spec ask of referrers, of
# manifests by sha512 and with tag parameters, and of wrong digests.
cd "$(dirname "$0")" && . ./lib.sh
. ./manifests.sh

start_registryd
missing=$(printf 'gone' | sha256sum | cut -d ' ' -f 1)
notes='"annotations":{"org.opencontainers.conformance":"hello","u":"%s"}'
image subject '' $tar+gzip $configtype
take subject image
subject="\"subject\":$(desc $oci "$F")"
image ref0 "$subject" $tar+gzip $configtype && take 'image with subject'
for n in 1 2; do
	# shellcheck disable=SC2059
	image ref$n "$subject,\"artifactType\":\"$own.v$n\",$(printf \
	    "$notes" $n)" $own $empty
	take "artifact $n with subject" tagged-artifact$n
done
list ref3 "$subject,\"artifactType\":\"$own.list\",\"annotations\":{}" \
    "$T/ref1.manifest" && take 'index with subject' tagged-index
list ref4 "\"subject\":$(desc $index "$F"),$artifact" "$T/ref2.manifest"
take 'index whose subject is an index'
found 'with subject' "$T/ref0.manifest" "$T/ref1.manifest" \
    "$T/ref2.manifest" "$T/ref3.manifest" "$T/ref4.manifest"
clean 'with subject'
req GET "/v2/r/referrers/$(jq -r .subject.digest "$T/ref1.manifest")"
expect_json '.manifests == []' 'deleted referrers are gone'

# shellcheck disable=SC2059
image lost "\"subject\":{\"mediaType\":\"$oci\",\"size\":123,\"digest\":\"$(
    )sha256:$missing\"},$artifact,$(printf "$notes" 9)" $own $empty
take 'missing subject' tagged-artifact
found 'missing subject' "$F"
clean 'missing subject'

for alg in sha512 sha256; do
	image $alg '' $tar+gzip $configtype
	F1=$F
	take "$alg"
	list $alg.index '' "$F1"
	take "$alg index"
	D=$(dig "$F1") F=$F1 type=$oci
	put "$alg with tags" "$D?tag=p1-$alg&tag=p2-$alg"
	cp "$T/head" "$T/tagged"
	for tag in p1-$alg p2-$alg; do
		check "$alg: OCI-Tag $tag" grep -qi "^oci-tag:.*$tag" \
		    "$T/tagged"
		req GET "/v2/r/manifests/$tag"
		is_whole "$alg: GET $tag"
		echo "$tag" >>"$T/tags"
	done
	clean "$alg"
	image bad$alg '' $tar+gzip $configtype
	D=$(dig "$F")
	printf '  ' >>"$F"
	for ref in "$D" "$alg:baddigeststring"; do
		req PUT "/v2/r/manifests/$ref" --data-binary "@$F" \
		    -H "Content-Type: $oci" -H 'Transfer-Encoding: chunked'
		expect_status 400 "$alg: PUT as ${ref%%[0-9a-f]*}"
		expect_code DIGEST_INVALID
		req GET "/v2/r/manifests/$ref"
		case $status in
		400|404) ok "$alg: and nothing is there" ;;
		*) fail "$alg: GET after a refused PUT" "$status" ;;
		esac
	done
done
