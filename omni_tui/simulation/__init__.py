"""In-memory stand-ins for the world: each implements its slot's Protocol and passes its contract suite."""
