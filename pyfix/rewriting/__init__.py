"""Address rewriting at the queue's entrance."""
