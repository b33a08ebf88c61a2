"""A watermark that stays readable when a picture is saved anew or resized: TrustMark's networks (arXiv 2311.18297).

Its weights do not come along; see `published` for how they get here.
"""
