"""The cockpit's screens, one a file."""
