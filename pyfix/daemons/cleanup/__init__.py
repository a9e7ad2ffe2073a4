"""cleanup(8): message repair, address rewriting, and the new queue file."""
