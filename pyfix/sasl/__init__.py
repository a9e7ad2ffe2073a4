"""Authentication: whom the SMTP server asks about its clients, and how the SMTP client logs in elsewhere."""
