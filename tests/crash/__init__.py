"""No mail is lost: what is said to be safe is safe, whatever is killed, stalls or is damaged."""
