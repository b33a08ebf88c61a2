"""What members may ask for: moderators' rules, how a prompt is read, and the verdict on it."""
