"""Pictures, each of one table, for matplotlib."""
