"""Where a picture came from: signed into its file, and found again in files that people bring."""
