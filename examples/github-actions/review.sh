#!/bin/sh
# Reviews the change from $BASE_SHA to $HEAD_SHA. Exit code 0: nothing was found; 9: there are findings, each an
# annotation of its line; any other: there was no review. Needs git, jq and agent-dispatch.
set -eu

here=$(dirname -- "$0")

change=$(git diff --no-color --no-ext-diff "$BASE_SHA...$HEAD_SHA")
if [ -z "$change" ]; then
    echo "review: there is nothing to review"
    exit 0
fi

answer=$(printf '%s\n' "$change" | agent-dispatch --quiet --config "$here/agents.yaml" --jobs-dir "$RUNNER_TEMP/jobs" \
    run reviewer --task-file "$here/task.md" --context-file - --json-schema "$here/findings.schema.json" \
    --strict --max-budget-usd 1 --timeout 15m)

# A line that begins with :: is a command to the runner: what came from the agent is escaped as the runner asks.
printf '%s\n' "$answer" | jq --raw-output '
    def data: tostring | gsub("%"; "%25") | gsub("\r"; "%0D") | gsub("\n"; "%0A");
    def property: data | gsub(":"; "%3A") | gsub(","; "%2C");
    .findings[] | "::error file=\(.file | property),line=\(.line | property)::\(.problem | data)"'

count=$(printf '%s\n' "$answer" | jq '.findings | length')
echo "review: $count findings"
[ "$count" = 0 ] || exit 9
