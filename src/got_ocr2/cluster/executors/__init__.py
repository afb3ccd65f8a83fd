"""Where work is done: processes of this machine, or actors of Ray. Both keep to `executor.Executor`."""
