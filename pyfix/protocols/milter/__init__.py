"""The Sendmail 8 milter protocol, the mail system's side of it: no I/O, only bytes to send and packets received."""
