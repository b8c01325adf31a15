#!/usr/bin/env bash
# Builds the release of the commit that is checked out: for each platform a tarball with the static binary and what belongs
# to it, a list of what the binary is made of (CycloneDX), and the checksums of all. Nothing of the machine, the user or the
# time goes in, so that two builds of a commit give the same bytes; check.sh holds this against a second build.
#
#   deploy/release/build.sh DIRECTORY      (it must be empty or not there)
#
# Needs Go, git, GNU tar, gzip and, once for the tool that makes the lists, the Go module proxy.
set -euo pipefail

readonly sbom_tool=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
readonly platforms="linux/amd64 linux/arm64"

out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/../.."
if [ -n "$(ls -A "$out")" ]; then
    echo "$out is not empty" >&2
    exit 1
fi
if [ -n "$(git status --porcelain)" ]; then
    echo "there are changes that are not committed; a release is made of a commit" >&2
    exit 1
fi

# What could make the bytes differ.
umask 022
export TZ=UTC LC_ALL=C CGO_ENABLED=0 GOFLAGS= GOAMD64=v1 GOARM64=v8.0 GOEXPERIMENT=
epoch=$(git log -1 --format=%ct)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # PLATFORM FILE
    GOOS=${1%/*} GOARCH=${1#*/} go build -trimpath -buildvcs=true -ldflags='-s -w' -o "$2" ./cmd/minicrm
}

# pack puts everything for a platform into the directory $1 and makes a tarball of it.
pack() { # NAME
    mkdir -p "$work/$1/completion" "$work/$1/systemd"
    cp README.md LICENSE deploy/RUNBOOK.md "$work/$1/"
    cp deploy/systemd/* "$work/$1/systemd/"
    "$work/here" man >"$work/$1/minicrm.1"
    for shell in bash zsh fish; do "$work/here" completion "$shell" >"$work/$1/completion/minicrm.$shell"; done
    tar --create --directory="$work" --format=gnu --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner \
        --mode='u=rwX,go=rX' "$1" | gzip -n -9 >"$out/$1.tar.gz"
}

GOBIN=$work go install "$sbom_tool"
build "$(go env GOHOSTOS)/$(go env GOHOSTARCH)" "$work/here"
version=$(go version -m "$work/here" | awk '$1 == "mod" { print $3 }')
for platform in $platforms; do
    name=minicrm-$version-${platform//\//-}
    mkdir "$work/$name"
    build "$platform" "$work/$name/minicrm"
    "$work/cyclonedx-gomod" bin -json -std -noserial -notimestamp -version "$version" -output "$out/$name.cdx.json" "$work/$name/minicrm"
    pack "$name"
done
(cd "$out" && sha256sum -- *.tar.gz *.cdx.json >SHA256SUMS && cat SHA256SUMS)
