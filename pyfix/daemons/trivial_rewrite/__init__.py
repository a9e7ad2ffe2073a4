"""trivial-rewrite(8): the standard form of addresses, and where their mail goes."""
