"""How fast it is: each thing as a ratio to a floor of the same run. `python -m benchmarks [--json] [NAME ...]`."""
