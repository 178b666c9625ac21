"""One loader for each form that revocation lists are published in."""
