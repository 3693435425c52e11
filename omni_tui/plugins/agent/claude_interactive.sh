# In the pane runs Claude Code itself. Arguments: the harness's directory, the program, its options.
shift
exec "$@" -- "$prompt"
