"""Networks and the stages that train them, by name."""
