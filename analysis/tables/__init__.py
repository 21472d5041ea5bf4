"""What a report says, as tables: pure functions of run directories and of each other."""
