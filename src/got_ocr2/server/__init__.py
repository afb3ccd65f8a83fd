"""The HTTP server: one engine, many requests. Its parts need the extra `serve`; `app.create_app` makes it."""
