# Tools are pinned here and run by `go run path@version`, so that they stay out of the service's go.mod.
GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
OPENAPI  := go run github.com/getkin/kin-openapi/cmd/validate@v0.153.0
GOVULN   := go run golang.org/x/vuln/cmd/govulncheck@v1.9.0
REDOCLY  := @redocly/cli@2.77.0
BUF      := go run github.com/bufbuild/buf/cmd/buf@v1.75.0
TYPES    := go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config generate/config.yaml

DATA   ?= ./data
LISTEN ?= 127.0.0.1:8080

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: build ## build and start the service on 127.0.0.1:8080 with its data in ./data
	./bin/minicrm serve --listen $(LISTEN) --data $(DATA)

.PHONY: build
build: ## build bin/minicrm
	CGO_ENABLED=0 go build -trimpath -buildvcs=auto -o bin/minicrm ./cmd/minicrm

.PHONY: test
test: ## run all tests with the race detector
	go test -race -timeout 10m ./...

.PHONY: simulate
simulate: ## run 20,000 random histories through the simulation
	go test ./actors -run TestSimulation -count=1 -timeout 60m -sim.runs=20000

.PHONY: torture
torture: ## 200 kills of the real binary under load, and 100,000 simulated crashes of the disk, twice (about 20 minutes)
	go test ./cmd/minicrm -run TestTorture -count=1 -timeout 60m -v \
		-torture.plain -torture.rounds=200 -torture.serve='--snapshot-every=1000'
	go test ./persistence -run 'TestCrashes|TestArchiveCrashes' -count=1 -timeout 60m -v -crash.points=100000

BENCH ?= .
COUNT ?= 6

.PHONY: bench
bench: ## run the micro-benchmarks, for benchstat; BENCH=pattern COUNT=runs
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 120m ./...

.PHONY: bench-http
bench-http: build ## measure against a handler that does nothing and against PostgreSQL, in turn (about 3 minutes)
	go build -o bin/bench ./cmd/bench
	./bin/bench http --out bin/bench-http.md

.PHONY: bench-check
bench-check: build ## compare ratios with those of cmd/bench/baseline.json (about 2 minutes)
	go build -o bin/bench ./cmd/bench
	./bin/bench check --rounds 3 --duration 2s

.PHONY: lint
lint: ## check formatting, vet, linters, the contract of the API, and that its types are made of it
	go vet ./...
	$(GOLANGCI) config verify
	$(GOLANGCI) run ./...
	$(GOLANGCI) fmt --diff ./...
	$(OPENAPI) -multi transport/httpapi/openapi.yaml
	cd transport/httpapi && $(TYPES) openapi.yaml | diff -u types.gen.go - || { echo "types.gen.go is old: run make generate"; exit 1; }

.PHONY: lint-api
lint-api: ## check the contract with Redocly's linter; skipped where there is no npm, or its registry is out of reach
	@npm view $(REDOCLY) version >/dev/null 2>&1 || { echo "skipped: there is no npm here, or $(REDOCLY) cannot be fetched"; exit 0; }; \
	REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --yes $(REDOCLY) lint transport/httpapi/openapi.yaml \
		--skip-rule operation-4xx-response --skip-rule no-required-schema-properties-undefined

.PHONY: check-rules
check-rules: ## check Prometheus' configuration, rules and their tests; skipped where promtool is missing
	@tool=$$(command -v promtool || ls bin/prometheus/usr/bin/promtool 2>/dev/null) || \
		{ echo "skipped: there is no promtool here; make e2e-prometheus gets Debian's"; exit 0; }; \
	cd deploy/prometheus && tool=$$(cd - >/dev/null && realpath $$tool) && \
	$$tool check config prometheus.yml && $$tool test rules *_test.yml

.PHONY: e2e-prometheus
e2e-prometheus: ## check rules, alerts and dashboard with a real Prometheus, Debian's where none is installed (about a minute)
	@tools=$$(.ci/prometheus) && $(MAKE) --no-print-directory check-rules && \
	go test ./cmd/minicrm -run '^TestPrometheus$$' -count=1 -timeout 5m -v -prometheus=$$tools/prometheus

.PHONY: check-deploy
check-deploy: build ## check the systemd unit, the Kubernetes manifests and the compose file with their own tools
	deploy/check.sh

.PHONY: release
release: ## build the tarballs, checksums and lists of components (SBOM) of the commit into dist
	deploy/release/build.sh dist

.PHONY: release-check
release-check: ## build the release twice, in different places, and compare the bytes (about 10 minutes)
	deploy/release/check.sh

.PHONY: vuln
vuln: ## look for known vulnerabilities in what the service uses; skipped where their database is out of reach
	@out=$$($(GOVULN) ./... 2>&1) && { echo "$$out"; exit 0; }; echo "$$out"; \
	case "$$out" in *"govulncheck: fetching vulnerabilities:"*) echo "skipped: the database of vulnerabilities cannot be reached from here";; *) exit 1;; esac

.PHONY: fuzz
fuzz: ## fuzz every decoder of the edge for a minute each
	for target in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\)(.*/\1/p' transport/httpapi/*_test.go); do \
		go test ./transport/httpapi -run '^$$' -fuzz="^$$target\$$" -fuzztime=60s || exit 1; done

.PHONY: e2e-client
e2e-client: ## drive the built binary with a client that another generator makes from openapi.yaml; needs Node 20 and npm
	transport/httpapi/testdata/client/run

.PHONY: contract
contract: ## send 200,000 random requests made of openapi.yaml (about 6 minutes)
	go test ./transport/httpapi -run TestRandomRequests -count=1 -timeout 60m -v -contract.requests=206000

.PHONY: generate
generate: ## generate the types of events and snapshots from their .proto files, those of the API from openapi.yaml, and the README's table of options
	for dir in journalpb snapshotpb; do (cd persistence/$$dir && $(BUF) lint && $(BUF) generate) || exit 1; done
	cd transport/httpapi && $(TYPES) -o types.gen.go openapi.yaml
	go test ./cmd/minicrm -run TestReadmeHasTheOptions -count=1 -readme.update
