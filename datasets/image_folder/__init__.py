"""Finds, labels and reads the images of a folder."""
