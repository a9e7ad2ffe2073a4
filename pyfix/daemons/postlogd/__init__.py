"""Write the mail log to a file."""
