"""error(8), also under the name retry: every recipient fails, for good or for now."""
