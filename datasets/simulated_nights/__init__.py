"""Simulated nights of sleep, in files like those of the real data sets."""
