"""The command line of healthcert. Each command is a module that is imported when it is called."""
