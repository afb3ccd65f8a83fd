"""Parts of `cuda_runner`: buckets, graphs, the decoder for single tokens and its operations. Nothing is loaded here."""
