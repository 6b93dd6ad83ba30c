"""The web page as files, for the service and for any static host."""
