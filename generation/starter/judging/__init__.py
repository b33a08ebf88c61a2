"""Measures how well pictures follow their prompts."""
