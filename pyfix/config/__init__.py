"""main.cf and master.cf: parameters, their language and their values."""
