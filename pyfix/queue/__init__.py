"""The spool as objects."""
