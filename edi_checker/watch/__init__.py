"""The drop folder: files that arrive in a folder are answered once, whatever happens on the way."""
