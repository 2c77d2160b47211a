.PHONY: check fmt vet lint test race fuzz simulate e2e bench generate demo build release-dry vuln

check: fmt vet lint race

fmt:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these'; exit 1; }

vet:
	go vet ./...

# The linters live in modules of their own, so that the product's go.sum stays short and they do not disagree.
lint:
	go tool -modfile=tools/go.mod golangci-lint run ./...
	go tool -modfile=tools/actionlint/go.mod actionlint .github/workflows/*.yml examples/*/workflow.yaml examples/recipes/*.yaml

test:
	go test -count=1 -shuffle=on ./...

race:
	go test -count=1 -shuffle=on -race ./...

FUZZTIME ?= 10s
# Each fuzz test in turn, for FUZZTIME.
fuzz:
	@set -e; for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for f in $$(grep -rhoE '^func Fuzz[A-Za-z0-9_]+' $$pkg/*_test.go | cut -d' ' -f2); do \
			echo "$$pkg $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

SEEDS ?= 100000
# Whole runs with faults, rivals and cancellations, in fake time; docs/reliability.md says what they prove.
simulate:
	go test ./internal/simulation -run 'TestSimulation$$' -seeds $(SEEDS) -timeout 0 -v

# Real runners and the CI systems' own parsers, against the emulator; e2e/doc.go says what that needs.
e2e:
	cd e2e && go vet ./... && go test -count=1 -v -timeout 20m ./...

BENCH ?= full
# The hot paths, in the form that benchstat reads, then the whole binary against its emulator in another process, which
# prints the tables of docs/performance.md. BENCH=brief runs everything once, to see that it works.
bench:
	go test -run '^$$' -bench . -benchmem $(if $(filter brief,$(BENCH)),-benchtime 1x,-count 6) ./...
	go run ./internal/benchmark $(if $(filter brief,$(BENCH)),-brief)

# action.yml, native/action.yml and the tables of README.md come from the option table, pages of docs from the tables of
# remedies and packages.
generate:
	go generate ./internal/config .

demo:
	go run . deploy --emulator --spicepod examples/quickstart/spicepod.yaml

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o spice-deploy .

# Everything of a release that needs no network beyond Go modules; TARGETS=host builds for this system alone.
release-dry:
	TARGETS=$(TARGETS) bash .ci/release-dry

# Known vulnerabilities in what the binary calls; asks https://vuln.go.dev.
vuln:
	go tool -modfile=tools/govulncheck/go.mod govulncheck ./...
