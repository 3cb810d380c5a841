"""Plugs for trainers: a module for each, which imports its library when it is imported itself; see docs/trainers.md."""
