# The Stop hook. Argument: the mode. An agent that stops without a commit is told so, once: status 2 makes it carry on.
LC_ALL=C
payload=$(head -c 3500)
[ ${#payload} -lt 3500 ] || cat >/dev/null
# A preflight has nothing to commit.
case $OMNI_TASK:$payload in preflight-*) ;; *'"stop_hook_active":false'*)
  if [ "$(git -C "$OMNI_WORKTREE" rev-list --count "$OMNI_BASE..HEAD" 2>/dev/null)" = 0 ]; then
    echo "You have not committed anything. If the task is done, commit your work to the current branch now;" \
      "if it cannot be done, say why and stop." >&2
    exit 2
  fi ;;
esac
# In print mode the result tells that it has stopped, and what it used.
[ "$1" = print ] || printf '%s\n' "$payload" >> "$OMNI_EVENTS"
