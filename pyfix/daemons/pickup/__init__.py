"""pickup(8): local mail on its way from the maildrop to cleanup(8)."""
