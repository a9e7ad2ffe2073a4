"""The SMTP server's restrictions."""
