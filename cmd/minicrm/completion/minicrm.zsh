#compdef minicrm
# Completion of minicrm for zsh: minicrm itself knows what can come next.
_minicrm() {
    local -a lines found
    local line
    lines=("${(@f)$("${words[1]}" candidates -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    for line in $lines; do
        found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if (( $#found )); then
        _describe minicrm found
    else
        _files
    fi
}
if [[ $funcstack[1] == _minicrm ]]; then
    _minicrm "$@"
else
    compdef _minicrm minicrm
fi
