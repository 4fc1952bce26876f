"""A small diploma as PDF bytes: one page, one font, a few lines, nothing else."""

WIDTH, HEIGHT = 842, 595
_FIRST_LINE_HEIGHT, _LINE_HEIGHT, _LEFT = 420, 36, 90
_HEADER = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"


def diploma(lines: tuple[str, ...]) -> bytes:
    """Return a complete PDF document whose only page shows these lines."""
    content = _content(lines)
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 5 0 R "
        b"/Resources << /Font << /F1 4 0 R >> >> >>" % (WIDTH, HEIGHT),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    )
    return _file(objects)


def _content(lines: tuple[str, ...]) -> bytes:
    start = b"BT /F1 24 Tf %d TL %d %d Td" % (_LINE_HEIGHT, _LEFT, _FIRST_LINE_HEIGHT)
    shown = [b"(%s) Tj T*" % _escaped(line) for line in lines]
    return b"\n".join((start, *shown, b"ET"))


def _escaped(line: str) -> bytes:
    text = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return text.encode("cp1252", errors="replace")


def _file(objects: tuple[bytes, ...]) -> bytes:
    parts, offsets, size = [_HEADER], [], len(_HEADER)
    for number, inner in enumerate(objects, start=1):
        part = b"%d 0 obj\n%s\nendobj\n" % (number, inner)
        offsets.append(size)
        parts.append(part)
        size += len(part)
    # Every entry of the table is exactly twenty bytes long, its end of line included.
    entries = [b"0000000000 65535 f \n", *(b"%010d 00000 n \n" % offset for offset in offsets)]
    count = len(entries)
    table = b"xref\n0 %d\n%s" % (count, b"".join(entries))
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, size)
    return b"".join((*parts, table, trailer))
