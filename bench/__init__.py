"""The harness: suites, trials, clocks, the run directory and the engines."""
