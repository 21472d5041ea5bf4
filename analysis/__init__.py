"""Reads run directories and draws; runs nothing and needs no Ray."""
