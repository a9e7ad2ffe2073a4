"""Delivery status logs and the notices made of them."""
