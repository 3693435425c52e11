"""The hosts that Claude Code has to reach, by its environment: its API, wherever that is served.

Sources: Claude Code's documentation, "Enterprise network configuration" (what to allow), "Amazon Bedrock", "Google
Vertex AI" and "Microsoft Foundry" (the variables that choose a cloud).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from omni_tui.plugins.agent.environment import host_of

API = ("api.anthropic.com", "claude.ai", "platform.claude.com")
"""Its provider's API, and where a login is renewed."""


def needed_hosts(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what must be reached, each as `model.confinement.HOST` has it."""
    return tuple(dict.fromkeys(_hosts(environment)))


def _hosts(environment: Mapping[str, str]) -> Iterator[str]:
    clouds = {"BEDROCK": _bedrock, "VERTEX": _vertex, "FOUNDRY": _foundry}
    chosen = [cloud for cloud in clouds if environment.get(f"CLAUDE_CODE_USE_{cloud}")]
    for cloud in chosen:
        gateway = host_of(environment.get(f"ANTHROPIC_{cloud}_BASE_URL", ""))
        yield from [gateway] if gateway else clouds[cloud](environment)
    if not chosen:
        gateway = host_of(environment.get("ANTHROPIC_BASE_URL", ""))
        yield from [gateway] if gateway else API


def _bedrock(environment: Mapping[str, str]) -> Iterator[str]:
    regions = (environment.get(name) for name in ("AWS_REGION", "ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION"))
    for region in filter(None, regions):
        yield from (f"{service}.{region}.amazonaws.com" for service in ("bedrock-runtime", "bedrock", "sts"))


def _vertex(environment: Mapping[str, str]) -> Iterator[str]:
    region = environment.get("CLOUD_ML_REGION", "global")
    yield "aiplatform.googleapis.com" if region == "global" else f"{region}-aiplatform.googleapis.com"
    yield "oauth2.googleapis.com"


def _foundry(environment: Mapping[str, str]) -> Iterator[str]:
    if resource := environment.get("ANTHROPIC_FOUNDRY_RESOURCE"):
        yield f"{resource}.services.ai.azure.com"
    yield "login.microsoftonline.com"
