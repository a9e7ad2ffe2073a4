"""List the queue."""
