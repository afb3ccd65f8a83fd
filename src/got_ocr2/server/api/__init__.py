"""What clients may send and what they get back, in each dialect."""
