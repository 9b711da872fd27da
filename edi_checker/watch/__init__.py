"""The drop folder: files that partners leave are answered once and archived, whatever happens meanwhile."""
