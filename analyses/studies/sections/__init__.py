"""Sections of pages that several studies share."""
