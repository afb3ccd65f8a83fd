"""Pure functions of one row: what may be drawn, what is drawn, and when the row ends."""
