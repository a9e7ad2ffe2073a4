"""What postmap(1) and postalias(1) have in common."""
