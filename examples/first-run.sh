#!/bin/sh
# Installs agent-dispatch from this checkout, registers the checkout as an agent and hands it a first task: to the
# real Claude Code when `claude` is installed (for at most $0.25), else to a small command agent.
#
# It can be run again. Apart from what `cargo install` does, it writes only to the tool's own config and jobs.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

say() { printf '\n==> %s\n' "$*" >&2; }

if ! command -v cargo >/dev/null 2>&1; then
    echo "first-run: cargo was not found; install Rust 1.89 or later: https://rustup.rs" >&2
    exit 3
fi

say "installing agent-dispatch"
cargo install --path "$root" --locked

# Where cargo puts programs; a config of cargo's own can move that, and then PATH has to know.
bin=${CARGO_INSTALL_ROOT:-${CARGO_HOME:-$HOME/.cargo}}/bin
if [ -x "$bin/agent-dispatch" ]; then
    dispatch=$bin/agent-dispatch
else
    dispatch=$(command -v agent-dispatch) || {
        echo "first-run: agent-dispatch is neither in $bin nor on PATH" >&2
        exit 3
    }
fi

# Adds an agent, or points the one of an earlier run to this checkout.
register() {
    name=$1
    shift
    if "$dispatch" agents show "$name" >/dev/null 2>&1; then
        "$dispatch" agents update "$name" --directory "$root"
    else
        "$dispatch" agents add "$name" "$root" "$@"
    fi
}

kind=command
status=0
if command -v claude >/dev/null 2>&1; then
    kind=claude
    say "registering this project as the agent 'this-project' (Claude Code)"
    register this-project
    say "dispatching to the real claude, for at most \$0.25"
    "$dispatch" run this-project "In two sentences: what is this project, and which file should a newcomer read first?" \
        --max-budget-usd 0.25 --timeout 3m || status=$?
    case $status in
    6 | 8)
        say "claude cannot work right now (exit code $status, see above); showing a command agent instead"
        kind=command
        ;;
    esac
fi

if [ "$kind" = command ]; then
    status=0
    command -v claude >/dev/null 2>&1 || say "claude is not installed: using a command agent"
    say "registering this project as the agent 'this-project-lines' (a command: examples/command-agent.sh)"
    register this-project-lines --description "Counts this project's lines of Rust" \
        --backend command --command sh --command examples/command-agent.sh
    say "dispatching to the command agent"
    "$dispatch" run this-project-lines "How large is this project?" --timeout 1m || status=$?
fi

say "agent kind used: $kind"
case ":$PATH:" in
*":$(dirname -- "$dispatch"):"*) ;;
*) say "add it to your PATH: export PATH=\"$(dirname -- "$dispatch"):\$PATH\"" ;;
esac
say "what happened is kept; look at it with: agent-dispatch status latest"
exit "$status"
