"""Page markup: parsed into a frozen tree, and written from it."""
