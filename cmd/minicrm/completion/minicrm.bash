# Completion of minicrm for bash: minicrm itself knows what can come next.
_minicrm() {
    mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" candidates -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)
}
complete -o default -F _minicrm minicrm
