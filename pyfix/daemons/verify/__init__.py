"""Cache of address verification results."""
