"""Sans-IO protocol machines, both ends."""
