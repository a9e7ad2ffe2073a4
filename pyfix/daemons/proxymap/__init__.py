"""Lookup tables on behalf of other daemons."""
