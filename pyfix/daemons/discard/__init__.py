"""discard(8): mail is delivered to nowhere."""
