"""Metrics, one kind of content a file."""
