"""Is a stranger's sampler right? Its draws against a reference posterior: what differs, and what could not be told."""
