"""What is done: engines that reach the posterior, checks that hold them against each other, studies that tell it."""
