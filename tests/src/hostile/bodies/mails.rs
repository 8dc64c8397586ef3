//! Raw mails.

use super::{Body, LARGE, typed};

const MAIL: &str = "message/rfc822";
const HEAD: &str = "From: a@b.test\r\nSubject: s\r\nMIME-Version: 1.0\r\n";

pub(super) fn bodies() -> Vec<Body> {
    [structures(), contents()].concat()
}

fn structures() -> Vec<Body> {
    let mut nested = HEAD.to_owned();
    for level in 0..2_000 {
        nested.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
        ));
    }
    vec![
        typed(
            "mail in mail 5,000 deep",
            MAIL,
            "Content-Type: message/rfc822\r\n\r\n".repeat(5_000),
        ),
        typed("mail of nested parts", MAIL, nested),
        typed(
            "mail with an empty boundary",
            MAIL,
            "From: a@b\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n--\r\n",
        ),
        typed(
            "mail of 20,000 parts",
            MAIL,
            format!(
                "{HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--b\r\n\r\nx\r\n".repeat(20_000)
            ),
        ),
        typed(
            "mail of 50,000 headers",
            MAIL,
            format!("{HEAD}{}\r\nx", "X-A: b\r\n".repeat(50_000)),
        ),
        typed(
            "mail of a folded header",
            MAIL,
            format!("{HEAD}X-A: b{}\r\n\r\nx", "\r\n b".repeat(100_000)),
        ),
        typed(
            "mail of encoded words",
            MAIL,
            format!(
                "{HEAD}Subject: {}\r\n\r\nx",
                "=?utf-7?Q?=00?= =?iso-2022-jp?B?GyQ=?= ".repeat(2_000)
            ),
        ),
        typed(
            "mail to 50,000",
            MAIL,
            format!("{HEAD}To: {}\r\n\r\nx", "<a@b.test>,".repeat(50_000)),
        ),
    ]
}

fn contents() -> Vec<Body> {
    vec![
        typed("mail of groups", MAIL, format!("{HEAD}To: {}\r\n\r\nx", "g:(c(c(".repeat(20_000))),
        typed(
            "mail with many references",
            MAIL,
            format!("{HEAD}References: {}\r\n\r\nx", "<a@b> ".repeat(50_000)),
        ),
        typed(
            "mail in unknown charsets",
            MAIL,
            format!(
                "{HEAD}Content-Type: text/plain; charset=\"\0\"\r\nContent-Transfer-Encoding: base64\r\n\r\n////\r\n"
            ),
        ),
        typed(
            "mail of broken base64",
            MAIL,
            format!("{HEAD}Content-Transfer-Encoding: base64\r\n\r\n{}", "=".repeat(LARGE)),
        ),
        typed(
            "mail of NULs",
            MAIL,
            "From: a\0b@c.test\r\nSubject: \0\r\nMessage-ID: <\0>\r\n\r\n\0words\0",
        ),
        typed(
            "mail of html",
            MAIL,
            format!("{HEAD}Content-Type: text/html\r\n\r\n{}", "<p><a href='x".repeat(20_000)),
        ),
        typed("mail without anything", MAIL, "\r\n\r\n"),
        typed(
            "mail with a wild date",
            MAIL,
            format!(
                "{HEAD}Date: Fri, 99 Foo 999999 99:99:99 +9999\r\nMessage-ID: <d@b>\r\n\r\nwords"
            ),
        ),
        typed(
            "mail of a tnef",
            MAIL,
            format!("{HEAD}Content-Type: application/ms-tnef\r\n\r\nx\u{1}\u{2}\u{3}"),
        ),
    ]
}
