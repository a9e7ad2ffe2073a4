"""Header and body processing at the queue's entrance."""
