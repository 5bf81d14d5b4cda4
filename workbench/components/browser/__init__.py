"""What a component asks of the browser it is shown in: its address, a store for drafts, and where the eye is."""
