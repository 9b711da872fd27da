"""Files and streams that come in, and files that go out whole or not at all."""
