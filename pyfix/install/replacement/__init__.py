"""Taking the place of a Postfix that a distribution installed, and giving it back."""
