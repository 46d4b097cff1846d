"""The engines that run inside the core: drawing ops, swarm's options, and the loop."""
