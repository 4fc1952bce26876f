"""The sample diploma is a PDF that a strict reader can follow from its end."""

import re

from sync.cli.sample_diploma import diploma

LINES = ("Demo University", "Célia (the (first)) \\ Conceição", "2025-11-30")


def test_a_diploma_starts_and_ends_as_a_pdf() -> None:
    made = diploma(LINES)

    assert made.startswith(b"%PDF-1.4\n")
    assert made.endswith(b"%%EOF\n")


def test_the_table_says_where_every_object_starts() -> None:
    made = diploma(LINES)
    start = int(re.findall(rb"startxref\n(\d+)\n", made)[-1])
    table = made[start:]

    assert table.startswith(b"xref\n0 6\n")
    entries = table[len(b"xref\n0 6\n") : len(b"xref\n0 6\n") + 20 * 6]
    assert entries[:20] == b"0000000000 65535 f \n"
    for number in range(1, 6):
        entry = entries[20 * number : 20 * number + 20]
        assert entry.endswith(b" 00000 n \n")
        assert made[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)
    assert table[len(b"xref\n0 6\n") + 120 :].startswith(b"trailer\n<< /Size 6 /Root 1 0 R >>")


def test_the_stream_is_as_long_as_it_says() -> None:
    made = diploma(LINES)

    length, content = re.findall(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", made, re.DOTALL)[0]

    assert int(length) == len(content)


def test_the_lines_are_on_the_page() -> None:
    made = diploma(LINES)

    assert b"(Demo University) Tj" in made
    assert "(Célia \\(the \\(first\\)\\) \\\\ Conceição) Tj".encode("cp1252") in made
