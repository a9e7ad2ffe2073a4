"""Make the tables that take the place of Berkeley DB files."""
