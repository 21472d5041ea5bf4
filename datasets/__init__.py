"""What is learned: tasks with their folds, and the trunks that learn them."""
