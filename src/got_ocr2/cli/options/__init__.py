"""What the commands take: options that several share, those of one command, and how values are written."""
