"""What a run writes down: its log, and pictures of it."""
