"""Non-delivery and other notices."""
