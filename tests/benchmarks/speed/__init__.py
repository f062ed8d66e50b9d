"""The parts of ``traffic.py``: what is measured, against what, and how."""
