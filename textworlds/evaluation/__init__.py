"""Evaluation of language models: who plays, what is counted, result files, and Inspect AI as the harness.

What needs Inspect AI (`pip install "textworlds[inspect]"`) is in `tasks`, `models`, `registry` and `running`; the rest needs nothing.
"""
