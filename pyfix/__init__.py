"""pyfix: a drop-in Postfix in Python."""
