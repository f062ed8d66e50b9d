"""Starts engines and speaks to them; keeps what a person has open."""
