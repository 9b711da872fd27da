"""What a command wrote, as text, whatever its format."""

import io
import zipfile


def text_of(done) -> str:
    """Standard output of a command that was run by click's runner; of a workbook, that of all its parts."""
    if not done.stdout_bytes.startswith(b"PK"):
        return done.stdout
    with zipfile.ZipFile(io.BytesIO(done.stdout_bytes)) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())
