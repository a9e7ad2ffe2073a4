"""Lookup tables: type:name."""
