"""Several runs in one: what fits together, which copy of a unit is taken, how it is written."""
