"""What queue managers share."""
