"""Berkeley DB files, read and written without libdb."""
