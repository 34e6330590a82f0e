"""From tables and figures to pages that need no network. Computes nothing."""
