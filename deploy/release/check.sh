#!/usr/bin/env bash
# Builds the release of the commit that is checked out twice, in two clones at different places, by users with different
# settings, the second with nothing compiled before, and compares the bytes. Then looks at what is in them.
#
#   deploy/release/check.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

revision=$(git rev-parse HEAD)
git clone --quiet . "$work/one"
git clone --quiet "$work/one" "$work/another/place"
(cd "$work/one" && TZ=Asia/Tokyo LC_ALL=C.UTF-8 bash -c 'umask 077; deploy/release/build.sh "$1"' - "$work/a" >/dev/null)
(cd "$work/another/place" && TZ=America/Lima HOSTNAME=other GOFLAGS=-buildvcs=false GOCACHE=$work/cache deploy/release/build.sh "$work/b" >/dev/null)
diff --recursive "$work/a" "$work/b"
echo "two builds gave the same bytes:"
(cd "$work/a" && sha256sum --check --quiet SHA256SUMS && cat SHA256SUMS)

for tarball in "$work"/a/*.tar.gz; do
    tar -xzf "$tarball" -C "$work"
    name=$(basename "$tarball" .tar.gz)
    built=$(go version -m "$work/$name/minicrm")
    for want in "vcs.revision=$revision" vcs.modified=false CGO_ENABLED=0 "GOARCH=${name##*-}"; do
        grep -q -- "$want" <<<"$built" || { echo "$name: no $want" >&2; exit 1; }
    done
    if grep -qaE "$work|$HOME/" "$work/$name/minicrm"; then
        echo "$name: has a path of the machine that built it" >&2
        exit 1
    fi
    [ "$(od -An -tx1 -j4 -N2 "$work/$name/minicrm")" = " 02 01" ] || { echo "$name: not a 64-bit ELF" >&2; exit 1; }
    if readelf --program-headers "$work/$name/minicrm" | grep -q INTERP; then
        echo "$name: is not static" >&2
        exit 1
    fi
    grep -q github.com/tidwall/wal "$work/a/$name.cdx.json" || { echo "$name: its list of components lacks one" >&2; exit 1; }
done
"$work"/minicrm-*-"$(go env GOHOSTOS)-$(go env GOHOSTARCH)"/minicrm version
