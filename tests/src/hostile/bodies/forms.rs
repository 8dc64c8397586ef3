//! Form bodies, urlencoded and multipart.

use super::{Body, FORM, LARGE, typed};

const MULTIPART: &str = "multipart/form-data; boundary=b";

pub(super) fn bodies() -> Vec<Body> {
    [forms(), frames(), names()].concat()
}

fn forms() -> Vec<Body> {
    vec![
        typed("form of 100,000 pairs", FORM, "a=1&".repeat(100_000)),
        typed(
            "form of 100,000 names",
            FORM,
            (0..100_000).map(|n| format!("n{n}=&")).collect::<String>(),
        ),
        typed("form of ampersands", FORM, "&".repeat(LARGE)),
        typed("form of equals signs", FORM, "=".repeat(LARGE)),
        typed("form of broken escapes", FORM, "text=%&text=%f&text=%zz&from=%ff%00%"),
        typed(
            "form of a mail",
            FORM,
            "from=a%40b.test&subject=%00&text=%ff%00&charsets={%22text%22:%22utf-16%22}",
        ),
        typed(
            "form of a charset bomb",
            FORM,
            "from=a&charsets={%22text%22:%22iso-2022-jp%22}&text=%1b%24B%1b".repeat(2),
        ),
        typed(
            "form of a raw mail",
            FORM,
            "email=From:%20a%40b.test%0d%0aSubject:%20%00%0d%0a%0d%0ax",
        ),
        typed(
            "form of header pairs",
            FORM,
            "message-headers=[[\"From\"],[\"Subject\",null],[[]],{},7]&from=a",
        ),
    ]
}

fn part(headers: &str, body: &str) -> String {
    format!("--b\r\n{headers}\r\n\r\n{body}\r\n")
}

fn frames() -> Vec<Body> {
    let csv = "Content-Disposition: form-data; name=\"file\"; filename=\"x.csv\"";
    let text = "Content-Disposition: form-data; name=\"text\"";
    let end = "--b--\r\n";
    vec![
        typed("multipart without boundary", "multipart/form-data", "--b--"),
        typed("multipart with an empty boundary", "multipart/form-data; boundary=", "----\r\n"),
        typed(
            "multipart with a long boundary",
            &format!("multipart/form-data; boundary={}", "b".repeat(5_000)),
            "x",
        ),
        typed("multipart of nothing", MULTIPART, end),
        typed("multipart without an end", MULTIPART, part(csv, "a,b\r\n1")),
        typed("multipart cut in a header", MULTIPART, "--b\r\nContent-Disposition: form-da"),
        typed("multipart without headers", MULTIPART, format!("{}{end}", part("", "x"))),
        typed(
            "multipart without a name",
            MULTIPART,
            format!("{}{end}", part("Content-Disposition: form-data", "x")),
        ),
        typed(
            "multipart of 5,000 parts",
            MULTIPART,
            format!("{}{end}", part(text, "x").repeat(5_000)),
        ),
        typed(
            "multipart with 5,000 headers",
            MULTIPART,
            format!("{}{end}", part(&format!("{text}{}", "\r\nX-A: b".repeat(5_000)), "x")),
        ),
        typed(
            "multipart with a long header",
            MULTIPART,
            format!("{}{end}", part(&format!("{text}; x=\"{}\"", "y".repeat(100_000)), "x")),
        ),
        typed(
            "multipart in multipart",
            MULTIPART,
            format!(
                "{}{end}",
                part(
                    &format!("{csv}\r\nContent-Type: multipart/mixed; boundary=b"),
                    &part(text, "x")
                )
            ),
        ),
    ]
}

fn names() -> Vec<Body> {
    let csv = "Content-Disposition: form-data; name=\"file\"; filename=\"x.csv\"";
    let end = "--b--\r\n";
    vec![
        typed(
            "a file of many names",
            MULTIPART,
            format!(
                "{}{end}",
                part(
                    &format!("{csv}; filename*=utf-8''%00%ff..%2f; filename=\"../../y.pdf\""),
                    "verbatim\r\nx"
                )
            ),
        ),
        typed(
            "a file named by a path",
            MULTIPART,
            format!(
                "{}{end}",
                part(
                    "Content-Disposition: form-data; name=\"file\"; filename=\"../../etc/cron.d/x.csv\"",
                    "verbatim\r\nwords"
                )
            ),
        ),
        typed(
            "a file with a NUL in its name",
            MULTIPART,
            format!(
                "{}{end}",
                part(
                    "Content-Disposition: form-data; name=\"file\"; filename=\"a\0b.csv\"",
                    "verbatim\r\nwords"
                )
            ),
        ),
        typed(
            "a file with a long name",
            MULTIPART,
            format!(
                "{}{end}",
                part(
                    &format!(
                        "Content-Disposition: form-data; name=\"file\"; filename=\"{}.csv\"",
                        "n".repeat(60_000)
                    ),
                    "verbatim\r\nwords"
                )
            ),
        ),
        typed(
            "two files",
            MULTIPART,
            format!("{}{}{end}", part(csv, "verbatim\r\none"), part(csv, "verbatim\r\ntwo")),
        ),
        typed(
            "an encoded part",
            MULTIPART,
            format!(
                "{}{end}",
                part(&format!("{csv}\r\nContent-Transfer-Encoding: base64"), "dmVyYmF0aW0K")
            ),
        ),
        typed(
            "bare line feeds",
            MULTIPART,
            format!("{}{end}", part(csv, "verbatim\r\nx")).replace("\r\n", "\n"),
        ),
    ]
}
