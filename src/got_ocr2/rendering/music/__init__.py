"""Sheet music: `**kern`, checked, mended where that is certain, and engraved by verovio."""
