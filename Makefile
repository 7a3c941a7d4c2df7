# The entry points for developers. `make help` lists the targets.

PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then command -v $$p; break; fi; done)
VENV := .venv
RIVALS := .rivals
BIN := $(VENV)/bin
PACKAGES := packages/runforge-contracts packages/runforge-engine packages/runforge-cli packages/runforge-web conformance
MANIFESTS := pyproject.toml $(addsuffix /pyproject.toml,$(PACKAGES))
# The command comes with everything that it can make use of.
EXTRAS := [archive,browse,excel,web]
EDITABLE := $(foreach package,$(PACKAGES),-e $(patsubst %/runforge-cli,'%/runforge-cli$(EXTRAS)',$(package)))
# The tools of the environment come first, so that everybody runs the same ones.
TOOLS := PATH="$(CURDIR)/$(BIN):$$PATH"
TYPESCRIPT := packages/runforge-contracts/typescript
CLIENT := conformance/clients/typescript
GO_CLIENT := conformance/clients/go
EDITOR := clients/vscode
# In the real VS Code that the target test-vscode installs, with its own Node.js.
E2E := PATH="$(CURDIR)/$(EDITOR)/e2e/.venv/bin:$$PATH" npm --prefix $(EDITOR)/e2e --loglevel=error run --silent
NPM := $(TOOLS) npm --prefix $(TYPESCRIPT) --loglevel=error
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
# Two installers at once would spoil the environment.
.NOTPARALLEL:
.PHONY: help setup demo test test-slow test-interop test-exports test-web test-lowest changelog pictures check format generate check-generated check-typescript conformance mutation dist test-dist docs test-docs vsix test-vscode pictures-vscode bench-vscode bench bench-rivals clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Make .venv with the packages in it

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed." >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { echo "Python cannot make a virtual environment;" \
		"on Debian install python3-venv." >&2; rm -rf $(VENV); exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.python $(MANIFESTS)
	@echo "Installing the packages into $(VENV) (once; about a minute)"
	@$(PIP) $(EDITABLE)
	@touch $@

$(VENV)/.tox: $(VENV)/.python pyproject.toml
	@echo "Installing tox into $(VENV)"
	@$(PIP) --upgrade 'pip>=25.1'
	@$(PIP) --group tox
	@touch $@

$(VENV)/.tools: $(VENV)/.installed $(VENV)/.tox
	@echo "Installing the developers' tools into $(VENV)"
	@$(PIP) --group dev
	@touch $@

demo: $(VENV)/.installed ## Train on the penguins and show the run
	$(BIN)/runforge train examples/penguins.csv --label species \
		--exclude island --exclude sex --exclude year --name penguins
	$(BIN)/runforge show latest

test: $(VENV)/.tox ## Pass the tests, in a clean environment made by tox
	$(TOOLS) tox run -qq -e py

test-slow: $(VENV)/.tox ## Pass the tests that take long: storms, scale, other programs
	$(TOOLS) tox run -qq -e py -- -m "slow or storm or scale"

test-interop: $(VENV)/.tox ## Pass the tests in which other people's programs read what ours write
	$(TOOLS) tox run -qq -e interop,exports,dask

test-exports: $(VENV)/.tox ## Pass the tests in which other people's programs read exported runs
	$(TOOLS) tox run -qq -e exports

test-web: $(VENV)/.tox ## Pass the tests of the pages, in a real browser (needs Chromium)
	$(TOOLS) tox run -qq -e web

test-lowest: $(VENV)/.tox ## Pass the tests with the oldest releases that the packages allow
	$(TOOLS) tox run -qq -e lowest

check: $(VENV)/.tools check-generated check-typescript ## Lint, types, generated files, schema changes
	$(BIN)/pre-commit run --all-files
	$(BIN)/mypy --platform linux --cache-dir .mypy_cache/linux
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin
	$(BIN)/python scripts/check_evolution.py
	$(BIN)/python scripts/clients_page.py --check
	@$(BIN)/towncrier build --draft --version next >/dev/null
	$(TOOLS) pytest -q scripts/tests/test_generate.py scripts/tests/test_release.py

changelog: $(VENV)/.tools ## Show what the changelog fragments give
	@$(BIN)/towncrier build --draft --version next

pictures: $(VENV)/.tools ## Renew the pictures of README and guides (needs Chromium)
	$(BIN)/python scripts/pictures.py

format: $(VENV)/.tools $(TYPESCRIPT)/node_modules ## Format the code
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format --quiet
	$(NPM) run --silent format

generate: $(VENV)/.tools $(TYPESCRIPT)/node_modules ## Write types, reference and derived vectors
	$(TOOLS) python scripts/version.py
	$(TOOLS) python scripts/specification.py
	$(TOOLS) python scripts/generate.py
	$(TOOLS) python scripts/make_vectors.py
	$(NPM) run --silent generate

check-generated: $(VENV)/.tools $(TYPESCRIPT)/node_modules ## Compare the generated files with the schemas
	$(TOOLS) python scripts/version.py --check
	$(TOOLS) python scripts/specification.py --check
	$(TOOLS) python scripts/generate.py --check
	$(TOOLS) python scripts/make_vectors.py --check
	$(NPM) run --silent check

check-typescript: $(VENV)/.tools $(TYPESCRIPT)/node_modules $(CLIENT)/build $(EDITOR)/node_modules ## Lint, compile and test the TypeScript
	$(NPM) run --silent test
	$(TOOLS) npm --prefix $(CLIENT) --loglevel=error run --silent test
	$(TOOLS) npm --prefix $(EDITOR) --loglevel=error run --silent test

conformance: $(VENV)/.tools $(CLIENT)/build $(GO_CLIENT)/build/client $(EDITOR)/dist ## Test our own clients, write docs/conformance-report.md and docs/clients.md
	$(TOOLS) python scripts/conformance_report.py

mutation: $(VENV)/.tools ## Run wrong clients against the cases, compare with docs/mutation-report.md
	$(TOOLS) python conformance/mutation/run_mutants.py

$(TYPESCRIPT)/client/dist: $(TYPESCRIPT)/node_modules $(wildcard $(TYPESCRIPT)/client/src/*.ts \
		$(TYPESCRIPT)/client/src/generated/*.ts $(TYPESCRIPT)/contracts/*.d.ts schemas/*.json schemas/tfc/*.json)
	$(NPM) run --silent build
	@touch $@

$(CLIENT)/build: $(CLIENT)/node_modules $(TYPESCRIPT)/client/dist $(wildcard $(CLIENT)/*.ts)
	$(TOOLS) npm --prefix $(CLIENT) --loglevel=error run --silent build
	@touch $@

$(GO_CLIENT)/build/client: $(wildcard $(GO_CLIENT)/*.go) $(GO_CLIENT)/go.mod
	@command -v go >/dev/null || { echo "The client in Go needs Go 1.19 or later (Debian: golang-go)."; exit 1; }
	@cd $(GO_CLIENT) && go build -o build/client .

$(CLIENT)/node_modules: $(VENV)/.tools $(CLIENT)/package-lock.json
	@echo "Installing the TypeScript client"
	@$(TOOLS) npm --prefix $(CLIENT) --loglevel=error ci
	@touch $@

# What is packed: the bundle that the editor loads.
$(EDITOR)/dist: $(EDITOR)/node_modules $(TYPESCRIPT)/client/dist $(shell find $(EDITOR)/src -name '*.ts')
	@$(TOOLS) npm --prefix $(EDITOR) --loglevel=error run --silent build
	@touch $@

dist: $(TYPESCRIPT)/node_modules $(EDITOR)/node_modules ## Build everything that is published, into dist/
	$(TOOLS) python scripts/dist.py

test-dist: $(TYPESCRIPT)/node_modules $(EDITOR)/node_modules ## Build it twice, and use it in fresh environments
	$(TOOLS) tox run -qq -e dist

docs: $(VENV)/.tools ## Build the documentation site into build/site, and check its links
	$(BIN)/python scripts/build_site.py

test-docs: $(VENV)/.tox ## Build it twice, and look at it in a real browser (needs Chromium)
	$(TOOLS) tox run -qq -e docs

vsix: $(EDITOR)/node_modules $(TYPESCRIPT)/client/dist ## Pack RunForge for VS Code: clients/vscode/dist/runforge.vsix
	@$(TOOLS) npm --prefix $(EDITOR) --loglevel=error run --silent package

test-vscode: vsix ## Drive the packed extension in a real VS Code (needs Chromium)
	@$(EDITOR)/e2e/install.sh $(PYTHON)
	@$(E2E) check
	@$(E2E) test

pictures-vscode: vsix ## Renew the pictures of the extension's README (needs Chromium)
	@$(EDITOR)/e2e/install.sh $(PYTHON)
	@$(E2E) pictures

bench-vscode: vsix ## Measure the extension in a real VS Code (needs Chromium, and a quiet machine)
	@$(EDITOR)/e2e/install.sh $(PYTHON)
	@$(E2E) measure

$(EDITOR)/node_modules: $(VENV)/.tools $(EDITOR)/package-lock.json $(TYPESCRIPT)/node_modules
	@echo "Installing the tools of the editor extension"
	@$(TOOLS) npm --prefix $(EDITOR) --loglevel=error ci --ignore-scripts
	@touch $@

$(TYPESCRIPT)/node_modules: $(VENV)/.tools $(TYPESCRIPT)/package-lock.json
	@echo "Installing the TypeScript tools"
	@$(NPM) ci
	@touch $@

bench: $(VENV)/.tools $(CLIENT)/build ## Measure, beside plain libraries, write docs/benchmarks.md
	$(BIN)/python benchmarks/contracts.py
	$(TOOLS) python benchmarks/conformance.py
	$(BIN)/python benchmarks/store.py
	$(BIN)/python benchmarks/pages.py
	$(BIN)/python benchmarks/inspect_artifact.py
	$(BIN)/python benchmarks/bench.py $(if $(wildcard $(RIVALS)/.installed),--rivals $(RIVALS)/bin/python)

bench-rivals: $(RIVALS)/.installed ## Measure, beside MLflow, too
	@$(MAKE) --no-print-directory bench

# Pin the packages that both use, so that only MLflow makes a difference.
$(RIVALS)/.installed: $(VENV)/.installed
	@echo "Installing MLflow into $(RIVALS)"
	@$(PYTHON) -m venv $(RIVALS)
	@$(BIN)/python -m pip freeze | grep -E '^(joblib|numpy|pandas|scikit-learn|scipy)==' > $(RIVALS)/constraints.txt
	@$(RIVALS)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint $(RIVALS)/constraints.txt 'mlflow>=3' scikit-learn pandas
	@touch $@

clean: ## Remove installed tools and caches; runs are kept
	rm -rf $(VENV) $(RIVALS) .tox .mypy_cache .pytest_cache .ruff_cache
