"""Speed: variants of one model beside one another, or beside transformers, in one run."""
