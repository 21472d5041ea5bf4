"""Two runs cell by cell: the command, what it reads, the table, and how the terminal shows it."""
