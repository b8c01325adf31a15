#!/usr/bin/env bash
# Holds what is in deploy/ against the tools that will read it: the unit against systemd, the manifests against the schemas of
# Kubernetes and of the Prometheus operator, the compose file against its schema. What has no tool on this machine is skipped,
# and said so. Needs bin/minicrm. (Rules and dashboard: make check-rules; commands, queries and settings: go test ./cmd/minicrm.)
set -euo pipefail
cd "$(dirname "$0")"

readonly validate=sigs.k8s.io/kubectl-validate@v0.0.4 operator=github.com/prometheus-operator/prometheus-operator@v0.85.0
readonly compose=github.com/compose-spec/compose-go/v2/cmd@v2.16.2
readonly kubernetes=1.29 worst_exposure=20 # of 100, where systemd puts a unit without any hardening at 96
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if command -v systemd-analyze >/dev/null; then
    sed "s|/usr/local/bin/minicrm|$PWD/../bin/minicrm|" systemd/minicrm.service >"$work/minicrm.service"
    systemd-analyze verify --man=no "$work/minicrm.service"
    systemd-analyze security --offline=yes --threshold=$worst_exposure "$work/minicrm.service" | tail -1
else
    echo "skipped: there is no systemd-analyze here"
fi

if command -v kubectl >/dev/null; then
    kubectl kustomize kubernetes >"$work/kubernetes.yaml"
    crds=$(go mod download -json "$operator" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')/example/prometheus-operator-crd
    go run "$validate" "$work/kubernetes.yaml" --version "$kubernetes" --local-crds "$crds"
else
    echo "skipped: there is no kubectl here"
fi

# The paths in the file count from where it is.
(cd docker && go run "$compose" compose.yaml >"$work/compose.yaml")
for path in $(sed -n 's/^ *source: \(\/.*\)/\1/p' "$work/compose.yaml"); do
    [ -e "$path" ] || { echo "compose.yaml: there is no $path" >&2; exit 1; }
done
echo "compose.yaml is good"
