"""The main screen and the modal ones over it."""
