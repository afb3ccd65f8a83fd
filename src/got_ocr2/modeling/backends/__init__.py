"""What runs a model for the engine: torch as the slow twin, the native kernels, CUDA."""
