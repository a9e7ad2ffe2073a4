"""The test kit: reference Postfix, private instances of either side, and the comparison of the two."""
