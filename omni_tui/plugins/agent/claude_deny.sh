# The PermissionRequest hook where nobody is to be asked: the request becomes one line of the events file, and is
# refused with the words in denial.json, which name a way out. The rest of this is as in hook.sh.
LC_ALL=C
payload=$(head -c 3500)
[ ${#payload} -lt 3500 ] || cat >/dev/null
printf '{"hook_event_name":"PermissionDenied","request":%s\n' "$payload" >> "$OMNI_EVENTS"
cat "${0%/*}/denial.json"
