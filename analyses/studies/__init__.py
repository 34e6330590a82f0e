"""The studies: one file each, which reads from top to bottom like the answer to the exercise."""
