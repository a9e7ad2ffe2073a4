"""smtp(8) and lmtp(8), which deliver to other hosts."""
