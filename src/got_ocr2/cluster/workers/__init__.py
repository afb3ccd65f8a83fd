"""A process that reads pages, and what keeps it to its word."""
