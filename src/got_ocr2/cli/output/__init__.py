"""What the commands write: text on a terminal, in pipes and in files, and how far they are."""
