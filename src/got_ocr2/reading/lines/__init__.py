"""Pages line by line: each line a prompt, the page put together from them."""
