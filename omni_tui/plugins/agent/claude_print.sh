# Print mode. Arguments: the harness's directory, the program, its options. What the model says goes to stream.jsonl and, as text,
# to the pane; the result, its prose cut, becomes an event. The exit status is Claude Code's.
harness=$1
shift
{ "$@" -- "$prompt" </dev/null; echo $? > "$harness/status"; } |
  grep --line-buffered -E '^\{"type":"(assistant|result)"' |
  tee "$harness/stream.jsonl" |
  grep --line-buffered -oE '"(text|name|command|file_path)":"([^"\]|\\.){1,300}' |
  while IFS= read -r said; do printf '%s\n' "${said#*:\"}"; done
result=$(tail -n 1 "$harness/stream.jsonl" | grep '^{"type":"result"' |
  sed -E 's/("result":"([^"\]|\\.){0,200})([^"\]|\\.)*"/\1"/' | head -c 3500)
[ -z "$result" ] || printf '%s\n' "$result" >> "$OMNI_EVENTS"
exit "$(cat "$harness/status")"
