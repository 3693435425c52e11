"""The Textual cockpit: shows the fleet's files and files its keys as requests. The core never waits for it."""
