"""The judgement: functions from values to values, with no clock, no I/O, no randomness and no asyncio inside."""
