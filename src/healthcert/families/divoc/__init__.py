"""DIVOC: W3C credentials in a ZIP archive (India, Indonesia, Jamaica, the Philippines, Sri Lanka)."""
