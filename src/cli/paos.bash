# bash completion for paos: commands, options, classes of the database in question

# The class names: asked of the database that the words so far name. Those that need
# quotes are left out: compgen expands words as the shell does, $(…) included.
_paos_classes()
{
    local connection=() i
    for ((i = 1; i < COMP_CWORD; i++))
    do
        case ${COMP_WORDS[i]} in
            -d | -h | -p | -U) connection+=("${COMP_WORDS[i]}" "${COMP_WORDS[++i]}") ;;
        esac
    done
    PGCONNECT_TIMEOUT=2 paos "${connection[@]}" classes --json 2>/dev/null </dev/null |
        sed -n 's/.*"class":"\([a-z0-9_.]*\)".*/\1/p'
}

_paos()
{
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command= i
    for ((i = 1; i < COMP_CWORD; i++))
    do
        case ${COMP_WORDS[i]} in
            -d | -h | -p | -U) i=$((i + 1)) ;;
            watch | get | classes | requests | explain | doctor) command=${COMP_WORDS[i]}; break ;;
        esac
    done
    COMPREPLY=()
    case $previous in
        -d | -h | -p | -U | --count) return ;;
        --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
        watch | get | classes | explain)
            test "$previous" = "$command" && test "${word#-}" = "$word" &&
                { COMPREPLY=($(compgen -W "$(_paos_classes)" -- "$word")); return; }
            ;;
    esac
    if [ -z "$command" ] && [ "${word#-}" = "$word" ]
    then
        COMPREPLY=($(compgen -W 'watch get classes requests explain doctor help' -- "$word"))
    else
        COMPREPLY=($(compgen -W "--dbname --host --port --username --json --color --help --version
            $(test "$command" = watch && echo --once --count)" -- "$word"))
    fi
}
complete -F _paos paos
