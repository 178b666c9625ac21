"""French 2D-Doc: signed fields in a DataMatrix, for vaccinations and tests among fifty kinds of documents."""
