# A hook: its payload becomes one line of the events file. Only the beginning, because a line must be one short append
# (hooks run side by side); the rest is drained, because Claude Code would meet a broken pipe otherwise.
LC_ALL=C
payload=$(head -c 3500)
[ ${#payload} -lt 3500 ] || cat >/dev/null
printf '%s\n' "$payload" >> "$OMNI_EVENTS"
