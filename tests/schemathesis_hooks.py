"""What schemathesis is told of our media types: X12 is a text."""

import schemathesis


@schemathesis.serializer("application/edi-x12", "application/edi")
def write_x12(_context, value):
    return value if isinstance(value, bytes) else str(value).encode()
