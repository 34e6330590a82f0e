"""Hierarchical normal models of a table: `fit`, and the studies, proofs and commands that are built on it."""
