"""The names of environment variables in settings: a person may have put there what the variable holds."""

from __future__ import annotations

VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"

VARIABLE = "the name of an environment variable, such as ACME_API_KEY, and not what that holds"
"""What such a setting must be, in words. A value that is none is never shown: it may be the secret."""

VARIABLES = "names of environment variables, such as ACME_API_KEY, and not what those hold"
