"""The tea shop's till."""
