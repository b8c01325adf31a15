# Completion of minicrm for fish: minicrm itself knows what can come next.
function __minicrm_found
    set --local words (commandline --tokenize --cut-at-cursor --current-process)
    set --global __minicrm_candidates ($words[1] candidates -- $words[2..] (commandline --current-token --cut-at-cursor) 2>/dev/null)
    test (count $__minicrm_candidates) -gt 0
end
complete --command minicrm --no-files --condition __minicrm_found --arguments '$__minicrm_candidates'
