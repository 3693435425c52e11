# Starts Claude Code at its task. Arguments: the mode, the program, its options. Lies in the run's harness directory,
# of which the sandbox lets it write `out` alone.
out=${0%/*}/out
mode=$1
shift
# One argument holds 128 KiB at most. One that begins with a slash would be taken for a command.
if [ "$(wc -c < "$OMNI_PROMPT")" -le 98304 ]; then
  prompt=$(cat "$OMNI_PROMPT")
else
  prompt="Your task is in the file $OMNI_PROMPT. Read all of it, in parts if need be, and do what it says."
fi
case $prompt in [[:space:]/]*) prompt="Your task: $prompt" ;; esac

[ "$mode" = print ] || exec "$@" -- "$prompt"

# Print mode: what the model says is kept and, as text, shown; the result, its prose cut, becomes an event.
{ "$@" -- "$prompt" </dev/null; echo $? > "$out/status"; } |
  grep --line-buffered -E '^\{"type":"(assistant|result)"' |
  tee "$out/stream.jsonl" | grep --line-buffered '^{"type":"assistant"' |
  grep --line-buffered -oE '"(text|name|command|file_path)":"([^"\]|\\.){1,300}' |
  while IFS= read -r said; do printf '%s\n' "${said#*:\"}"; done
result=$(tail -n 1 "$out/stream.jsonl" | grep '^{"type":"result"' |
  sed -E 's/("result":"([^"\]|\\.){0,200})([^"\]|\\.)*"/\1"/' | head -c 3500)
[ -z "$result" ] || printf '%s\n' "$result" >> "$OMNI_EVENTS"
exit "$(cat "$out/status")"
