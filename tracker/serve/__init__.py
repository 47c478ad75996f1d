"""The web app of `posetrack serve`: live page, server cameras, uploads, and the API behind them."""
