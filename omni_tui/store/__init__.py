"""The files: the only writer of the fleet's tree, durable before it acknowledges."""
