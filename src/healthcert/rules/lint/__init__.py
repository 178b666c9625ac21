"""For those who write rules: what a gateway asks of them, and their tests, before they are published."""
