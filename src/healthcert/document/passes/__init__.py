"""Passes for the wallets of telephones: Apple's, which are signed files, and Google's, which are signed links."""
