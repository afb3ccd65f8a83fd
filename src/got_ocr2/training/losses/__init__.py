"""What a stage minimises besides the loss of the next token."""
