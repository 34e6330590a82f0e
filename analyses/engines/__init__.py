"""Routes to the posterior. Each returns the same DataTree: see analyses/engines/inference_data.py."""
