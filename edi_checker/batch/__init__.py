"""Many inputs, or very large ones, checked by several processes; what comes out is that of one process."""
