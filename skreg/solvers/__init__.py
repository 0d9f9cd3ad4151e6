"""Solvers: what each is given and gives back, a registry, and certificates of what they found."""
