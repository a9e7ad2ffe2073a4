"""The parameters of main.cf, one class per reader or topic."""
