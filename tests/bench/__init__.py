"""The bench: pyfix and the reference side by side, in alternation, in one run."""
