"""local(8): delivery to users of this system."""
