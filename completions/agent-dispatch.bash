# Completion of agent-dispatch for bash: source <(agent-dispatch completions bash)

_agent_dispatch() {
    local -a words=("${COMP_WORDS[0]}")
    local last=0 i word value prefix='' IFS=$'\n'
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        # Up to the cursor.
        [[ $i -eq $COMP_CWORD && $word != '=' ]] && word=$2
        # Earlier words still have their quotes.
        [[ $i -lt $COMP_CWORD ]] && word=${word//[\\\'\"]/}
        # bash takes --option=value apart.
        if [[ ${words[last]} == --*= || (${words[last]} == --* && $word == '=') ]]; then
            words[last]+=$word
            prefix=${words[last]%%=*}=
        else
            words[++last]=$word
            prefix=''
        fi
    done
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        value=${value#"$prefix"}
        # Between quotes nothing else has to be quoted.
        [[ ${COMP_WORDS[COMP_CWORD]} == [\"\']* ]] || case $value in
            '~/'*) value="~/$(printf %q "${value#'~/'}")" ;;
            *' '*) value=$(printf %q "$value") ;;
        esac
        COMPREPLY+=("$value")
    done < <(agent-dispatch __complete "${words[@]}" 2>/dev/null)
    # What begins with a variable is a path for the shell to complete.
    [[ $2 == '$'*/* ]] && compopt -o default 2>/dev/null
    # After a directory there is more to type.
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
    return 0
}

# Before 4.4 bash sorts what it is given.
complete -o nosort -F _agent_dispatch agent-dispatch 2>/dev/null ||
    complete -F _agent_dispatch agent-dispatch
