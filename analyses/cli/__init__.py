"""What the command lines share: options, exit statuses, and how a command starts, fails and is interrupted."""
