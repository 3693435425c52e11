"""An inventory in one SQLite file: an example of a program with subcommands."""

import sqlite3
from pathlib import Path

MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(connection: sqlite3.Connection) -> list[str]:
    """Carry out every migration in order; return their names."""
    names = [path.stem for path in sorted(MIGRATIONS.glob("*.sql"))]
    for name in names:
        connection.executescript((MIGRATIONS / f"{name}.sql").read_text(encoding="utf-8"))
    return names
