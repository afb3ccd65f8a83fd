"""Charts: the dictionary that the model writes, read without running it, and drawn again."""
