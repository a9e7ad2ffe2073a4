"""pipe(8): delivery to commands that master.cf names."""
