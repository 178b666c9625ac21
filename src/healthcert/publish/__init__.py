"""What a country publishes for others to verify with: its keys, in the formats that lists come in."""
