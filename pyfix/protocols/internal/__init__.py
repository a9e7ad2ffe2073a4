"""The attribute lists that the daemons exchange, one file per internal service."""
