"""The engine on the native CPU kernels."""
