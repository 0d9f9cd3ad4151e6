"""Benchmarks of skreg against its peers: see README.md in this folder."""
