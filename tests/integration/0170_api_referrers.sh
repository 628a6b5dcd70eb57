#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Referrers (end-12a), filtered (end-12b) and in pages; subjects that are not
# there yet; what old clients listed under a tag.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
oci=application/vnd.oci.image.manifest.v1+json
index=application/vnd.oci.image.index.v1+json
printf '{}' >"$T/empty"
check 'the empty config' push_blob a "$T/empty"
E=$(digest "$T/empty")

# entry TYPE DIGEST: a descriptor of two bytes
entry() {
	printf '{"mediaType":"%s","digest":"%s","size":2}' "$1" "$2"
}

# list MEMBERS [DESCRIPTOR...]: an index
list() {
	printf '{"schemaVersion":2,"mediaType":"%s"%s,"manifests":[' $index \
	    "$1"
	shift
	(IFS=,; printf '%s]}' "$*")
}

# refer NAME SUBJECT MEMBERS [CONFIG-TYPE]: push one to a, sets $R
refer() {
	cat >"$T/$1" <<-END
	{"schemaVersion": 2, "layers": [], "annotations": {"name": "$1"},
	    "config": $(entry "${4:-application/vnd.oci.empty.v1+json}" "$E"),
	    "subject": $(entry $oci "$2")$3}
	END
	R=$(digest "$T/$1")
	push_manifest a "$R" "$T/$1"
}
S=sha256:$(printf '5%.0s' $(seq 64))
req GET "/v2/a/referrers/$S"
expect_status 200 'end-12a: none'
expect_header Content-Type $index
expect_json '.schemaVersion == 2 and .manifests == []'
req GET "/v2/none/referrers/$S"
expect_status 200 'end-12a: no such repository'
req GET /v2/a/referrers/sha256:xyz
expect_status 400
expect_code DIGEST_INVALID
req GET /v2/a/referrers/latest
expect_status 400

refer sbom "$S" ',"artifactType":"application/vnd.sbom"'
expect_status 201 'a subject that is not there'
expect_header OCI-Subject "$S"
sbom=$R
refer config "$S" '' application/vnd.config.type
config=$R
list ",\"subject\":$(entry $oci "$S")" >"$T/bare"
bare=$(digest "$T/bare")
check 'an index with a subject' push_manifest a "$bare" "$T/bare" $index
expect_header OCI-Subject "$S"

req GET "/v2/a/referrers/$S"
expect_json '.manifests | length == 3' 'end-12a: three'
expect_no_header OCI-Filters-Applied
expect_json ".manifests | map(.digest) == (map(.digest) | sort)"
expect_json ".manifests[] | select(.digest == \"$sbom\") | . == {
    mediaType: \"$oci\", digest: \"$sbom\",
    size: $(wc -c <"$T/sbom"), artifactType: \"application/vnd.sbom\",
    annotations: {name: \"sbom\"}}" 'a descriptor'
expect_json ".manifests[] | select(.digest == \"$config\") |
    .artifactType == \"application/vnd.config.type\"" 'the type of the config'
expect_json ".manifests[] | select(.digest == \"$bare\") |
    has(\"artifactType\") or has(\"annotations\") | not" 'an index without'

req GET "/v2/a/referrers/$S?artifactType=application/vnd.sbom"
expect_header OCI-Filters-Applied artifactType
expect_json ".manifests | map(.digest) == [\"$sbom\"]" 'end-12b: one'
req GET "/v2/a/referrers/$S?artifactType=application/none"
expect_header OCI-Filters-Applied artifactType
expect_json '.manifests == []' 'end-12b: none'


# A plus sent as it is has the same meaning as one that is encoded.
U=sha256:$(printf '7%.0s' $(seq 64))
refer plus "$U" ',"artifactType":"application/vnd.sbom+json"'
for type in 'vnd.sbom+json' 'vnd.sbom%2Bjson'; do
	req GET "/v2/a/referrers/$U?artifactType=application/$type"
	expect_json ".manifests | map(.digest) == [\"$R\"]" "filter $type"
done

for n in 1 2 3 5; do
	got='' next="/v2/a/referrers/$S?n=$n"
	while [ -n "$next" ]; do
		req GET "$next"
		got="$got $(jq -r '.manifests[].digest' "$T/body")"
		next=$(header Link | sed -n 's/^<\(.*\)>; rel="next"$/\1/p')
	done
	expect "pages of $n" "$(printf '%s\n' "$sbom" "$config" "$bare" |
	    sort)" "$(printf '%s' "$got" | tr -d ' ' |
	    sed 's/sha256:/\nsha256:/g' | sed '/^$/d')"
done
req GET "/v2/a/referrers/$S?artifactType=application/vnd.sbom&n=1"
expect_no_header Link

req DELETE "/v2/a/manifests/$sbom"
expect_status 202
req GET "/v2/a/referrers/$S"
expect_json ".manifests | map(.digest) == ([\"$config\", \"$bare\"] | sort)" \
    'a deleted one is gone'
req GET "/v2/b/referrers/$S"
expect_json '.manifests == []' 'not in another repository'

# What was pushed when there was no such API: known by its tag alone.
refer old "$S" ',"artifactType":"application/vnd.old"'
old=$R
rm -r "$STORE/.registryd"
req GET "/v2/a/referrers/$S"
expect_json '.manifests == []' 'our entries are lost'
list '' "$(entry $oci "$old" | sed 's/}/,"artifactType":"a\/lie"}/')" \
    "$(entry $oci "$old")" >"$T/tagged"
check 'the tag of the referrers' push_manifest a \
    "sha256-${S#sha256:}" "$T/tagged" $index
req GET "/v2/a/referrers/$S"
expect_json ".manifests | map([.digest, .artifactType]) ==
    [[\"$old\", \"application/vnd.old\"]]" 'listed by the tag, once, as it is'
check 'another subject' refer other "sha256:$(printf '6%.0s' $(seq 64))" ''
list '' "$(entry $oci "$R")" >"$T/tagged"
push_manifest a "sha256-${S#sha256:}" "$T/tagged" $index
req GET "/v2/a/referrers/$S"
expect_json '.manifests == []' 'not what has another subject'
