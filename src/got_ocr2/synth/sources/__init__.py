"""Where fonts and texts are kept between runs: the cache of one user, and packs to carry elsewhere."""
