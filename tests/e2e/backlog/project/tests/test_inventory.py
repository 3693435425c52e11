import importlib.util
import sqlite3
import unittest
from pathlib import Path

PROGRAM = Path(__file__).parent.parent / "examples" / "inventory" / "inventory.py"


class InventoryTest(unittest.TestCase):
    def test_migrations_run_in_order_and_their_numbers_are_unique(self) -> None:
        spec = importlib.util.spec_from_file_location("inventory", PROGRAM)
        inventory = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(inventory)
        names = inventory.migrate(sqlite3.connect(":memory:"))
        self.assertEqual([name[:4] for name in names], [f"{number:04d}" for number in range(1, len(names) + 1)])
        self.assertEqual((inventory.MIGRATIONS / "max_migration.txt").read_text().strip(), names[-1])
