"""master(8): listens for the other daemons, starts them on demand and watches over them."""
