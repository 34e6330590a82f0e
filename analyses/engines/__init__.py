"""Routes to the posterior. Each returns the same DataTree: see analyses/contract.py."""
