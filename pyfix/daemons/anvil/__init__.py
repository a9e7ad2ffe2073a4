"""Count connections and requests by client."""
