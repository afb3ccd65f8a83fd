"""What the server keeps on disk: uploads, jobs, corrections."""
