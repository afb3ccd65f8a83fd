"""The engine on a GPU: buckets, graphs, the decoder for single tokens and its operations. Nothing is loaded here."""
