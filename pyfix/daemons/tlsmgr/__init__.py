"""TLS session caches, ticket keys and randomness."""
