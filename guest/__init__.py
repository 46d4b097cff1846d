"""Running traces inside real kernels: the agent in C, and the initramfs that carries it and the modules it needs."""
