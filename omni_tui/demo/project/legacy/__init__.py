"""The old till: kept to read, used by nothing."""
