# `just` lists the recipes; `./bootstrap RECIPE` is the same on a machine that has no just yet.

# Packages that build and test with plain Go, without libtorch.
pure := "./captioner/... ./cmd/glimpse/... ./data/... ./experiments/... ./exports/... ./inspect/... ./internal/atomicfile/... ./internal/browser/... ./internal/cli/... ./internal/crash/... ./internal/doctor/... ./internal/engine/... ./internal/faults/... ./internal/filter/... ./internal/jsonfile/... ./internal/jsonline/... ./internal/meteordata/... ./internal/private/... ./internal/safetensors/... ./internal/secret/... ./internal/sheet/... ./internal/slurm/... ./internal/store/... ./internal/synthetic/... ./internal/term/... ./internal/wheel/... ./metrics/... ./models/pth/... ./planning/... ./reports/... ./results/... ./runner/... ./server/..."

# Runs a command with cgo's flags for libtorch (fetched into the user's cache if it is missing).
torch := "scripts/libtorch run"

# Shows what a command does in one line, and its output only if it fails.
stage := "scripts/stage.py"

# As scripts/libtorch has it, so that SQLite is compiled once for all packages.
export CGO_CFLAGS := env("CGO_CFLAGS", "-O1")

_list:
    @just --list --unsorted

# bin/glimpse and bin/glimpse-engine, which start with no environment variables set
build: build-light
    @{{torch}} {{stage}} glimpse-engine compiling compiled 'about a minute the first time' \
        go build -o bin/glimpse-engine ./cmd/glimpse-engine

# bin/glimpse alone, in a minute and without libtorch: all but what needs a model, for a login node or whoever reads results
build-light:
    @{{stage}} 'Go modules' getting ready '40 MB the first time' go list -deps ./cmd/glimpse
    @{{stage}} glimpse compiling compiled 'about a minute the first time' go build -o bin/glimpse ./cmd/glimpse

# lint and every test
test: lint test-scripts
    {{torch}} go test -timeout 20m ./...

# the tests of the packages without libtorch, in seconds
test-pure *FLAGS:
    go vet {{pure}} .
    go test {{FLAGS}} {{pure}} .

# the tests of the set-up scripts
test-scripts:
    python3 -B -m unittest discover --start-directory scripts --pattern '*_test.py'

# gofmt, go vet, staticcheck
lint:
    #!/bin/sh
    set -eu
    unformatted=$(gofmt -l .)
    if [ -n "$unformatted" ]; then
        printf 'gofmt -w is needed on:\n%s\n' "$unformatted" >&2
        exit 1
    fi
    {{torch}} go vet ./...
    {{torch}} "$(GOWORK=off go tool -modfile=scripts/tools.mod -n staticcheck)" ./...

# a small study on drawn shapes: trains, scores, and leaves demo-report/index.html; FLAGS go to glimpse run
demo *FLAGS: build
    @bin/glimpse run experiments/demo.yaml --db demo.db --report demo-report --jobs 2 --quiet {{FLAGS}}

# glimpse and the yardstick in PyTorch alternating, as ratios; FLAGS as `scripts/bench.py --help` tells, above all --python
bench *FLAGS: build
    scripts/bench.py {{FLAGS}}

# the speed benchmarks of the Go packages
bench-go PATTERN=".":
    {{torch}} go test -run '^$' -bench '{{PATTERN}}' -benchmem ./...

# lets the writes to files fail, N in each test or, in hours, all of them in every way
faults N="all":
    GLIMPSE_FAULTS={{N}} go test -count=1 -timeout 2h -run 'FailedWrites$' -v ./data ./reports ./runner
    GLIMPSE_FAULTS={{N}} {{torch}} go test -count=1 -timeout 12h -run 'FailedWrites$' -v ./cmd/glimpse

# fuzz each fuzz target for SECONDS
fuzz SECONDS="20":
    #!/bin/sh
    set -eu
    for package in $(go list {{pure}}) ./models; do
        for target in $({{torch}} go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
            {{torch}} go test -run '^$' -fuzz "^$target\$" -fuzztime {{SECONDS}}s -fuzzminimizetime 1s "$package"
        done
    done

# runners and trials are killed KILLS times at random moments; nothing may be lost, doubled or changed
chaos KILLS="200" SEED="1":
    {{torch}} go test ./cmd/glimpse -run '^TestChaos$' -count 1 -v -timeout 60m -chaos {{KILLS}} -chaos-seed {{SEED}}

# a study of TRIALS (a multiple of three) on a Slurm of two nodes on this machine, while FAULTS of all kinds happen; needs root, and
# --install once for Debian's packages
test-slurm FAULTS="10" TRIALS="6" SEED="1" *FLAGS:
    scripts/slurm.py {{FLAGS}} {{torch}} go test ./cmd/glimpse -run '^TestSlurm$' -count 1 -v -timeout 60m \
        -slurm-faults {{FAULTS}} -slurm-trials {{TRIALS}} -slurm-seed {{SEED}}

# axe-core and html-validate, as scripts/pages pins them, over every live page and the report in a real Chromium; needs npm and Chromium
check-pages:
    #!/bin/sh
    set -eu
    (cd scripts/pages && npm ci --ignore-scripts --no-audit --no-fund)
    pages=$(mktemp -d)
    trap 'rm -rf "$pages"' EXIT
    go test -count 1 ./server ./reports -run '^(TestPagesInBrowser|TestReportInBrowser)$' -args \
        -axe "$PWD/scripts/pages/node_modules/axe-core/axe.min.js" -pages "$pages"
    scripts/pages/node_modules/.bin/html-validate --config scripts/pages/htmlvalidate.json "$pages"/*.html

# reports/charts/d3.js, the parts of D3 that the live charts use, as scripts/charts pins them; needs npm
charts:
    cd scripts/charts && npm ci --ignore-scripts && npm run build

# removes what build and demo made; the user's cache stays
clean:
    rm -rf bin demo-report demo.db demo.db-wal demo.db-shm
