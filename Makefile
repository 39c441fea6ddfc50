# Bare `make` prints this help; each target has one line.
.DEFAULT_GOAL := help
.PHONY: help run build test race cover lint gen bench bench-full bench-adversarial soak-mixed fuzz property test-grpcurl clean

BUF := go tool -modfile=tools/go.mod buf
STATICCHECK := go tool -modfile=tools/go.mod staticcheck
GRPCURL := tools/grpcurl
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build, start Usher on a new database with the media library loaded, print commands to try
	bin/usher serve --db "$$(mktemp -d)/usher.db" --example media-library

build: ## build bin/usher
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/usher ./cmd/usher

test: ## run all tests
	go test ./...

race: ## run all tests under the race detector
	go test -race ./...

cover: ## check statement coverage of check, model and tuples (90 % or more)
	./.ci/coverage 90 ./check ./model ./tuples ./tuples/bolt

lint: ## buf lint, format and breaking; gofmt, go vet, staticcheck
	$(BUF) lint
	$(BUF) format --diff --exit-code
	./.ci/breaking "$(BUF)"
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	go vet ./...
	$(STATICCHECK) ./...

gen: ## generate gen/ from proto/
	$(BUF) generate

bench: build ## measure every operation with 100,000 tuples, about two minutes; docs/performance.md
	go run ./bench -sizes S

bench-full: build ## the same with 100 thousand, 1 million and 10 million tuples, and how cost grows
	go run ./bench -sizes S,M,L

bench-adversarial: ## worlds that are made to hurt, in full size; docs/performance.md
	mkdir -p docs/performance
	go test ./bench/adversarial -run '^$$' -bench . -benchtime 20x -timeout 0 > docs/performance/adversarial.txt || { cat docs/performance/adversarial.txt; exit 1; }
	go run ./bench report

soak-mixed: build ## everything at once for DURATION (default 30m); docs/performance.md
	go run ./bench mixed -sizes M -duration $(or $(DURATION),30m)

fuzz: ## run every fuzz target for FUZZTIME (default 1m) each
	./.ci/fuzz $(or $(FUZZTIME),1m)

property: ## hold the engine to the reference on many more random questions (PROPERTY_CHECKS, default 20000 cases)
	go test ./check -run TestEngineAgreesWithReference -rapid.checks=$(or $(PROPERTY_CHECKS),20000) -timeout 0 -v

test-grpcurl: build ## run the grpcurl commands of the README with the real grpcurl
	cd $(GRPCURL) && go build -o ../../bin/grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl
	go test -tags grpcurl -run README -count=1 .

clean: ## remove what was built
	rm -rf bin coverage.out
