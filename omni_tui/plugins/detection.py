"""What well-known secrets look like, as the library detect-secrets knows it; loaded at the first question.

Only detectors whose pattern can hardly match anything else. Left out are its guesses (entropy, keywords, passwords of
names, IP addresses) and patterns that ordinary text has met: Artifactory (`APACHELICENSE`), Telegram (a number, a colon
and a hash), IBM, SoftLayer and Cloudant (keywords). Nothing here asks a service whether a secret is a real one.
"""

from __future__ import annotations

import importlib
import re
from functools import cache

DETECTORS = (
    "aws.AWSKeyDetector",
    "azure_storage_key.AzureStorageKeyDetector",
    "discord.DiscordBotTokenDetector",
    "github_token.GitHubTokenDetector",
    "gitlab_token.GitLabTokenDetector",
    "jwt.JwtTokenDetector",
    "mailchimp.MailchimpDetector",
    "npm.NpmDetector",
    "openai.OpenAIDetector",
    "private_key.PrivateKeyDetector",
    "pypi_token.PypiTokenDetector",
    "sendgrid.SendGridDetector",
    "slack.SlackDetector",
    "square_oauth.SquareOAuthDetector",
    "stripe.StripeDetector",
    "twilio.TwilioKeyDetector",
)
"""Module and class under `detect_secrets.plugins`."""


@cache
def known_shapes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return each kind of secret, by its name, with a pattern that finds it; the first call loads the library."""
    return tuple((kind, pattern) for kind, patterns in map(_load, DETECTORS) for pattern in patterns)


def _load(name: str) -> tuple[str, list[re.Pattern[str]]]:
    module, _, detector = name.partition(".")
    found = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), detector)
    return found.secret_type, found.denylist
