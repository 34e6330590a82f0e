"""A page each: the math tests as one writes them by hand for another program, called with (rows, folder, seed)."""
