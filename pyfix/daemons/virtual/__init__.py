"""virtual(8): delivery to mailboxes that tables name."""
