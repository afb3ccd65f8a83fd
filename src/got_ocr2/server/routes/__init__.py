"""One surface of the server a file; each has a `router`."""
