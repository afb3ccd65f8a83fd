"""Whether a checkpoint gives the right numbers on this machine, layer by layer and id by id."""
