"""Places for a text that was written for a whole page."""
