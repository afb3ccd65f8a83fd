"""Training data: samples of the data engines or pages of one's own, as batches."""
