"""What the queue managers share: messages in the active queue, transports and destinations."""
