"""What every method, transform and task promises, as checks that say in words what fails."""
