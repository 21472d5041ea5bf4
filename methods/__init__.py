"""The methods that are compared, and the backend that they share."""
