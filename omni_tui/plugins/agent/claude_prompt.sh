# Begins both ways of starting: sets `prompt` to the task itself, or to where it is if one argument (128 KiB) cannot hold it.
if [ "$(wc -c < "$OMNI_PROMPT")" -le 98304 ]; then
  prompt=$(cat "$OMNI_PROMPT")
else
  prompt="Your task is in the file $OMNI_PROMPT. Read all of it, in parts if need be, and do what it says."
fi
