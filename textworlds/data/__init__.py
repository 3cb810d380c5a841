"""Data to train on, made by the solvers: chats that solve levels, and questions about the dynamics with their answers."""

from textworlds.data.files import make_data
from textworlds.data.jobs import Job

__all__ = ["Job", "make_data"]
