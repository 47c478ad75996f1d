"""What all routes share: who has access, limits of bodies and sockets, the scene of a request, metrics."""
