"""Eight slots for what touches the world; a folder each, with the slot's Protocol and its built-ins.

A plugin is a class behind an entry point in the group `omni_tui.<slot>`; it knows `omni_tui.model`, `omni_tui.errors`
and its own slot's Protocol, nothing else of the project. Which one is used is chosen in `omni_tui.fleet`.
"""
