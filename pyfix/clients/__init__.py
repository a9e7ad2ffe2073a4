"""Typed questions to the internal services."""
