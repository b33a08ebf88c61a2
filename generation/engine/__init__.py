"""The painting itself, in a process of its own: the only room that imports torch, beside the checkers."""
