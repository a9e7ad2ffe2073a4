"""Fast flush: which queued messages go to which site."""
