# `just` lists the recipes. `./bootstrap RECIPE` does the same where just is not installed.

# Packages that build and test with Go alone, without libtorch.
pure := "./captioner/... ./cmd/glimpse/... ./data/... ./experiments/... ./exports/... ./inspect/... ./internal/atomicfile/... ./internal/browser/... ./internal/cli/... ./internal/crash/... ./internal/doctor/... ./internal/engine/... ./internal/faults/... ./internal/filter/... ./internal/jsonfile/... ./internal/jsonline/... ./internal/meteordata/... ./internal/private/... ./internal/safetensors/... ./internal/secret/... ./internal/sheet/... ./internal/slurm/... ./internal/store/... ./internal/synthetic/... ./internal/term/... ./internal/wheel/... ./metrics/... ./models/pth/... ./planning/... ./reports/... ./results/... ./runner/... ./server/..."

# Runs a command with cgo's flags for libtorch, which is downloaded to the user's cache if missing.
torch := "scripts/libtorch run"

# Shows the progress of a command in one line, and its output only if it fails.
stage := "scripts/stage.py"

# The same as in scripts/libtorch, so that SQLite is compiled only once.
export CGO_CFLAGS := env("CGO_CFLAGS", "-O1")

_list:
    @just --list --unsorted

# build bin/glimpse and bin/glimpse-engine, which need no environment variables
build: build-light
    @{{torch}} {{stage}} glimpse-engine compiling compiled 'about a minute the first time' \
        go build -o bin/glimpse-engine ./cmd/glimpse-engine

# build only bin/glimpse, in a minute and without libtorch: everything but models
build-light:
    @{{stage}} 'Go modules' getting ready '40 MB the first time' go list -deps ./cmd/glimpse
    @{{stage}} glimpse compiling compiled 'about a minute the first time' go build -o bin/glimpse ./cmd/glimpse

# lint, and run every test
test: lint test-scripts
    {{torch}} go test -timeout 20m ./...

# test the packages that need no libtorch; FLAGS go to go test
test-pure *FLAGS:
    go vet {{pure}} .
    go test {{FLAGS}} {{pure}} .

# test the scripts
test-scripts:
    python3 -B -m unittest discover --start-directory scripts --pattern '*_test.py'

# run gofmt, go vet and staticcheck
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

# train a small study on drawn shapes and write demo-report/index.html; FLAGS go to glimpse run
demo *FLAGS: build
    @bin/glimpse run experiments/demo.yaml --db demo.db --report demo-report --jobs 2 --quiet {{FLAGS}}

# compare the speed with PyTorch; FLAGS go to scripts/bench.py, which needs --python and --data
bench *FLAGS: build
    scripts/bench.py {{FLAGS}}

# run the Go benchmarks
bench-go PATTERN=".":
    {{torch}} go test -run '^$' -bench '{{PATTERN}}' -benchmem ./...

# make file writes fail: N in each test, or (for hours) all of them in every way
faults N="all":
    GLIMPSE_FAULTS={{N}} go test -count=1 -timeout 2h -run 'FailedWrites$' -v ./data ./reports ./runner
    GLIMPSE_FAULTS={{N}} {{torch}} go test -count=1 -timeout 12h -run 'FailedWrites$' -v ./cmd/glimpse

# run each fuzz target for SECONDS
fuzz SECONDS="20":
    #!/bin/sh
    set -eu
    for package in $(go list {{pure}}) ./models; do
        for target in $({{torch}} go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
            {{torch}} go test -run '^$' -fuzz "^$target\$" -fuzztime {{SECONDS}}s -fuzzminimizetime 1s "$package"
        done
    done

# kill runners and trials KILLS times at random; nothing may be lost, duplicated or changed
chaos KILLS="200" SEED="1":
    {{torch}} go test ./cmd/glimpse -run '^TestChaos$' -count 1 -v -timeout 60m -chaos {{KILLS}} -chaos-seed {{SEED}}

# A Slurm of two nodes runs on this machine. TRIALS is a multiple of three. Needs root and Debian's
# packages, which --install in FLAGS installs.
# run a study of TRIALS trials on a local Slurm while FAULTS faults happen; needs root
test-slurm FAULTS="10" TRIALS="6" SEED="1" *FLAGS:
    scripts/slurm.py {{FLAGS}} {{torch}} go test ./cmd/glimpse -run '^TestSlurm$' -count 1 -v -timeout 60m \
        -slurm-faults {{FAULTS}} -slurm-trials {{TRIALS}} -slurm-seed {{SEED}}

# The versions are pinned in scripts/pages.
# check live pages and the report with axe-core and html-validate; needs npm and Chromium
check-pages:
    #!/bin/sh
    set -eu
    (cd scripts/pages && npm ci --ignore-scripts --no-audit --no-fund)
    pages=$(mktemp -d)
    trap 'rm -rf "$pages"' EXIT
    go test -count 1 ./server ./reports -run '^(TestPagesInBrowser|TestReportInBrowser)$' -args \
        -axe "$PWD/scripts/pages/node_modules/axe-core/axe.min.js" -pages "$pages"
    scripts/pages/node_modules/.bin/html-validate --config scripts/pages/htmlvalidate.json "$pages"/*.html

# The versions are pinned in scripts/charts.
# build reports/charts/d3.js, the parts of D3 that the live charts use; needs npm
charts:
    cd scripts/charts && npm ci --ignore-scripts && npm run build

# remove what build and demo made; the user's cache is kept
clean:
    rm -rf bin demo-report demo.db demo.db-wal demo.db-shm
