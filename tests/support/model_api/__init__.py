"""A scripted Anthropic Messages API on 127.0.0.1, for running the real Claude Code CLI without a model.

It is stateless: which turn is due is counted from the assistant turns in the request, so a client's retries and resumes
simply work. The script's name is the first part of the URL's path: `ANTHROPIC_BASE_URL=http://127.0.0.1:PORT/commit`.
Requests beside the conversation (titles, token counts) are answered apart, so that they eat no turn.
"""
