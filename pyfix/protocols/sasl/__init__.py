"""Authentication (SASL): mechanisms of both sides, and the protocols of services that know passwords; no I/O."""
