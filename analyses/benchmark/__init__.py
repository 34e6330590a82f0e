"""What the routes cost beside what a user might write: effective draws per second, as ratios."""
