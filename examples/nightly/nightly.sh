#!/bin/sh
# Asks the questions of batch.yaml and keeps the report, one file a day. Once, in the project:
#   agent-dispatch agents add project . --allowed-tools Read,Grep,Glob --disallowed-tools Bash,Edit,Write --max-budget-usd 1
#   agent-dispatch agents add report . --disallowed-tools Bash,Edit,Write --max-budget-usd 0.25
#
# Then a line for `crontab -e`. cron mails what the script prints, which is nothing when all went well:
#   30 2 * * 1-5  PATH=$HOME/.cargo/bin:$HOME/.local/bin:/usr/bin:/bin sh $HOME/project/examples/nightly/nightly.sh
#
# The reports are in $NIGHTLY_REPORTS, or else in ~/nightly-reports.
set -eu

here=$(dirname -- "$0")
reports=${NIGHTLY_REPORTS:-$HOME/nightly-reports}
mkdir -p "$reports"
report=$reports/$(date +%Y-%m-%d).md

status=0
agent-dispatch --quiet batch "$here/batch.yaml" >"$report" || status=$?
[ "$status" = 0 ] || echo "nightly: exit code $status; what there is: $report" >&2
exit "$status"
