"""Cache of open SMTP connections."""
