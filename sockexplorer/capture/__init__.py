"""Keeps what was seen: the bounded log of frames, and the filters that search it."""
