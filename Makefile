# make help says what there is. Everything sets up what it needs; nothing is needed beforehand but Go.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
TESTS    ?= ./...
SOURCES  := $(wildcard cmd internal migrations docs)
LINT     := .tools/golangci-lint
# The race detector needs cgo, and cgo a C compiler; a machine without one still runs every test.
RACE     := $(shell command -v $${CC:-cc} >/dev/null 2>&1 && echo -race)

.DEFAULT_GOAL := help
.PHONY: help run build test check fmt format-check vet lint generated-check generate bench chaos simulate simulate-mutants cover clean go postgres

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: go ## Set everything up and serve the demo: PostgreSQL, schema, demo store, sandbox PSP
	@go build -o bin/paysvc ./cmd/paysvc
	@exec bin/paysvc dev

build: go ## Build the static binary bin/paysvc
	CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)" -o bin/paysvc ./cmd/paysvc

test: go postgres ## Run every test, with the race detector (TESTS=./internal/store for one package)
	go test $(RACE) -shuffle=on -count=1 $(TESTS)

check: format-check vet build lint generated-check test ## Run what CI runs

fmt: go ## Format the code
	gofmt -w $(SOURCES)

lint: $(LINT) ## Run the linters of .golangci.yml (the first time builds them: two minutes)
	$(LINT) run

bench: go postgres ## Measure the service against the floor that its database sets
	go run ./cmd/bench

chaos: go postgres ## Break everything around the service while shoppers buy, and compare the books with the PSP's
	go run ./cmd/chaos

simulate: go postgres ## Simulate the service in virtual time, with faults, and check the books (N=2000 SEED=1)
	go test -count=1 -timeout 60m -run '^TestHistories$$' -v ./internal/simulation -args -histories=$(or $(N),2000) -seed=$(or $(SEED),1)

simulate-mutants: go postgres ## Plant bugs in money code, one by one, and see that the simulation catches each
	go test -count=1 -timeout 60m -run '^TestPlantedBugsAreCaught$$' -v ./internal/simulation -args -plant

cover: go postgres ## Run every test and show what they reach
	go test -shuffle=on -count=1 -coverpkg=./internal/...,./cmd/... -coverprofile=coverage.out ./...
	go tool cover -func=coverage.out | tail -n 1

generate: go ## Write the generated files again
	go generate ./...

clean: ## Remove what was built, the development database and the test server's data
	rm -rf bin .dev .tools coverage.out "$${TMPDIR:-/tmp}"/paysvc-test-$$(id -u)-pg*

go:
	@command -v go >/dev/null 2>&1 || { echo "Go is missing: install Go 1.26 or newer from https://go.dev/dl/" >&2; exit 1; }

postgres: go
	@go run ./internal/postgres/setup

format-check: go
	@unformatted=$$(gofmt -l $(SOURCES)); \
	if [ -n "$$unformatted" ]; then echo "run make fmt:" >&2; echo "$$unformatted" >&2; exit 1; fi

vet: go
	go vet ./...

# Generated files that differ from what their generator writes now fail the check.
generated-check: go
	@sum() { find $(SOURCES) -type f -exec cksum {} + | sort | cksum; }; \
	before=$$(sum); go generate ./... || exit 1; \
	if [ "$$before" != "$$(sum)" ]; then echo "generated files were out of date: commit what make generate wrote" >&2; exit 1; fi

# The linters have a module of their own, so that theirs are not dependencies of the service.
$(LINT): tools/go.mod tools/go.sum | go
	@mkdir -p $(@D)
	go build -modfile=tools/go.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
