"""What every signed list needs, whatever it lists."""
