"""From a file to a model: every fault is refused with its line and column before anything is computed."""
