//! Files: tables, captions, archives, PDF.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};

use super::{Body, LARGE, file};

pub(super) fn bodies(large: usize) -> Vec<Body> {
    [tables(large), pdfs()].concat()
}

fn tables(large: usize) -> Vec<Body> {
    let row = |cells: usize| "c,".repeat(cells);
    vec![
        file("csv of an open quote", "a.csv", format!("text\n{}", "\"".repeat(LARGE))),
        file("csv of one quote", "a.csv", format!("verbatim\n\"{}", "x\n".repeat(50_000))),
        file("csv of commas", "a.csv", format!("text\n{}", ",".repeat(LARGE))),
        file("csv of 100,000 columns", "a.csv", format!("{}\nx", row(100_000))),
        file("csv of 20,000 rows", "a.csv", "a\n".repeat(20_000)),
        file(
            "csv of many rows",
            "a.csv",
            format!("verbatim\n{}", "It is slow\n".repeat(large / 111)),
        ),
        file(
            "csv of the same column",
            "a.csv",
            format!("{}\n{}", "verbatim,".repeat(200), row(200)),
        ),
        file("csv of NULs", "a.csv", "verbatim,\0x\nwords\0more,\0\n"),
        file("csv of formulas", "a.csv", "verbatim,note\n=1+1,@SUM(A1)\n+1,=cmd|'/C calc'!A0\n"),
        file("csv with a header only", "a.csv", "verbatim,severity\n"),
        file(
            "csv in UTF-16",
            "a.csv",
            [
                vec![0xff, 0xfe],
                "verbatim\nwide\n".encode_utf16().flat_map(u16::to_le_bytes).collect(),
            ]
            .concat(),
        ),
        file("csv that is binary", "a.csv", (0..=255).cycle().take(LARGE).collect::<Vec<u8>>()),
        file(
            "lines of hostile JSON",
            "a.jsonl",
            "{\"verbatim\":\"\\u0000\\ud800\",\"sourceRef\":1e131000}\n[]\n\n{\"verbatim\":\"ok\",\"updatedAt\":\"+999999-01-01\",\"metadata\":{\"n\":[1e308,1e-308]}}\n",
        ),
        file("lines of 20,000 objects", "a.jsonl", "{\"verbatim\":\"x\"}\n".repeat(20_000)),
        file(
            "lines of one key",
            "a.jsonl",
            "{\"verbatim\":\"x\",\"sourceRef\":\"same\"}\n".repeat(500),
        ),
        file(
            "captions without an end",
            "a.vtt",
            format!("WEBVTT\n\n{}", "00:00:00.000 --> 99:99:99.999\n<v \n".repeat(2_000)),
        ),
        file(
            "captions that run back",
            "a.srt",
            "1\n99:59:59,999 --> 00:00:00,000\nx\n\n2\n-1:0:0,0 --> 1\ny\n",
        ),
        file(
            "a zip",
            "a.zip",
            b"PK\x03\x04\x14\0\0\0\x08\0"
                .iter()
                .copied()
                .chain(std::iter::repeat_n(0, LARGE))
                .collect::<Vec<u8>>(),
        ),
        file(
            "a zip that is called csv",
            "a.csv",
            [b"PK\x03\x04\x14\0\x09\0\x08\0".as_slice(), &zlib(&vec![0; 1_000_000])].concat(),
        ),
        file("markdown of heads", "a.md", "# h\n".repeat(large / 10)),
        file("much text", "a.txt", "One sentence. ".repeat(large * 5 / 14)),
        file("a name of dots", "....//....//", "x"),
        file("a name of escapes", "%00%0a%ff.csv", "verbatim\nx"),
    ]
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn stream(bytes: &[u8]) -> Vec<u8> {
    let mut out =
        format!("4 0 obj\n<</Length {}/Filter/FlateDecode>>\nstream\n", bytes.len()).into_bytes();
    out.extend(bytes);
    out.extend(b"\nendstream\nendobj\n");
    out
}

fn pdf(objects: &str, more: &[u8]) -> Vec<u8> {
    [b"%PDF-1.7\n".as_slice(), objects.as_bytes(), more, b"trailer<</Root 1 0 R>>\n%%EOF"].concat()
}

fn pdfs() -> Vec<Body> {
    let page = "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>\nendobj\n\
                3 0 obj\n<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>\nendobj\n";
    let own = "5 0 obj\n<</Type/XObject/Subtype/Form/Length 5/Resources<</XObject<</X 5 0 R>>>>>>\nstream\n/X Do\nendstream\nendobj\n";
    // 70 MB in all, of which each stream is too small to be conspicuous.
    let bombs = stream(&zlib(&vec![b' '; 1_000_000])).repeat(70);
    vec![
        file(
            "pdf that is its own parent",
            "a.pdf",
            pdf("1 0 obj\n<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]/Parent 1 0 R>>\nendobj\n", b""),
        ),
        file(
            "pdf of a form in itself",
            "a.pdf",
            pdf(&format!("{page}{own}"), &stream(&zlib(b"/X Do"))),
        ),
        file("pdf of many bombs", "a.pdf", pdf(page, &bombs)),
        file(
            "pdf of streams without data",
            "a.pdf",
            [b"%PDF-1.4\n".to_vec(), b"stream\n\x78\x9c".repeat(20_000)].concat(),
        ),
        file("pdf of deep arrays", "a.pdf", pdf(&format!("1 0 obj\n{}", "[".repeat(200_000)), b"")),
        file(
            "pdf of deep dictionaries",
            "a.pdf",
            pdf(&format!("1 0 obj\n{}", "<</A".repeat(100_000)), b""),
        ),
        file(
            "pdf with a wild page count",
            "a.pdf",
            pdf(
                "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 99999999999/Kids[2 0 R 2 0 R]>>\nendobj\n",
                b"",
            ),
        ),
        file(
            "pdf with a wild length",
            "a.pdf",
            pdf(
                "1 0 obj\n<</Length 99999999999999999999/Filter[/LZWDecode/ASCII85Decode]>>\nstream\nx\nendstream\nendobj\n",
                b"",
            ),
        ),
        file(
            "pdf with a wild xref",
            "a.pdf",
            "%PDF-1.4\nxref\n0 4294967295\n0000000000 65535 f\ntrailer<</Size 4294967295/Prev 9>>\nstartxref\n9\n%%EOF",
        ),
        file("pdf of its mark alone", "a.pdf", "%PDF-"),
        file("pdf that is text", "a.pdf", "just words"),
    ]
}
