# The status line, which is asked for at each message: what the session has cost by now becomes a line of the events
# file whenever it has changed. No hook tells that. Nothing is printed, so no line of the terminal is taken.
LC_ALL=C
seen="${0%/*}/out/cost"
cost=$(tr -d '\n' | sed -n 's/.*"total_cost_usd": *\([0-9][0-9.eE+-]*\).*/\1/p')
if [ -z "$cost" ] || [ "$cost" = "$(cat "$seen" 2>/dev/null)" ]; then exit 0; fi
printf '%s' "$cost" > "$seen"
printf '{"hook_event_name":"StatusLine","total_cost_usd":%s}\n' "$cost" >> "$OMNI_EVENTS"
