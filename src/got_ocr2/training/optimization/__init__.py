"""What learns, and by which rule."""
