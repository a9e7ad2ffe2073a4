"""What every delivery agent shares."""
