"""What a holder is handed: a certificate on paper, on a card, on a screen, or in a telephone's wallet."""
