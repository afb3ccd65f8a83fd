"""Turns clean samples into scans, photographs, copies, faxes and screens."""
