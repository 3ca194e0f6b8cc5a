# Completion of agent-dispatch for fish, to be ~/.config/fish/completions/agent-dispatch.fish

function __agent_dispatch_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    command agent-dispatch __complete $words "$current" 2>/dev/null
end

complete --command agent-dispatch --no-files --keep-order --arguments '(__agent_dispatch_complete)'
# What begins with a variable is a path for the shell to complete.
complete --command agent-dispatch --force-files \
    --condition 'string match --quiet -- "\$*/*" (commandline --current-token --cut-at-cursor)'
