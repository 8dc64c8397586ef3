//! Requests that an HTTP library would not send, byte by byte.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, timeout},
};

use crate::{Sender, fixture};

/// Longer than any deadline of the service.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What is written, and how it may end.
#[derive(Debug)]
pub(super) struct Wire {
    /// What it tries.
    pub(super) name: &'static str,
    bytes: Vec<u8>,
    /// The sender stops writing after it; without this a request that is never complete would wait for a deadline.
    half_close: bool,
    /// It is no whole request: the service may hang up without a word.
    incomplete: bool,
}

/// All of them for one webhook source; `path` is that of its URL.
pub(super) fn requests(sender: &Sender) -> Vec<Wire> {
    let path = sender.url.split_once("//").unwrap().1.split_once('/').unwrap().1;
    let post = Post { path: format!("/{path}"), sender };
    [heads(&post), lengths(&post), chunks(&post), targets(&post), methods(&post)].concat()
}

impl Clone for Wire {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), ..*self }
    }
}

struct Post<'s> {
    path: String,
    sender: &'s Sender,
}

fn wire(name: &'static str, bytes: impl Into<Vec<u8>>) -> Wire {
    Wire { name, bytes: bytes.into(), half_close: false, incomplete: false }
}

impl Post<'_> {
    fn body(name: &str) -> String {
        format!(r#"{{"verbatim":"wire: {name}"}}"#)
    }

    /// Request line, host, type and signature of [`Self::body`]; without the empty line.
    fn head(&self, name: &str) -> String {
        let body = Self::body(name);
        #[expect(clippy::disallowed_methods, reason = "senders sign with the real time")]
        let stamp = (self.sender.url.as_str(), "", chrono::Utc::now());
        let scheme = self.sender.source["scheme"].as_str().unwrap();
        let signed = fixture::sign(scheme, self.sender.secret(), stamp, [], body.into_bytes());
        let mut head = format!("POST {} HTTP/1.1\r\nHost: millrace\r\n", self.path);
        for (name, value) in &signed.headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        head
    }

    /// A whole request with these lines more in its head.
    fn with(&self, name: &'static str, lines: &str) -> Wire {
        let body = Self::body(name);
        let length = body.len();
        wire(name, format!("{}Content-Length: {length}\r\n{lines}\r\n{body}", self.head(name)))
    }

    /// A request with these lines and this body instead of the usual ones.
    fn raw(&self, name: &'static str, lines: &str, body: &str) -> Wire {
        let (half_close, head) = (true, self.head(name));
        Wire { half_close, incomplete: true, ..wire(name, format!("{head}{lines}\r\n{body}")) }
    }
}

fn heads(post: &Post<'_>) -> Vec<Wire> {
    let many = |n: usize| (0..n).map(|n| format!("X-{n}: v\r\n")).collect::<String>();
    vec![
        post.with("as it should be", ""),
        post.with("90 headers more", &many(90)),
        post.with("200 headers more", &many(200)),
        post.with("60 kB of one header", &format!("X-A: {}\r\n", "a".repeat(60_000))),
        post.with("200 kB of one header", &format!("X-A: {}\r\n", "a".repeat(200_000))),
        post.with("a long name", &format!("{}: v\r\n", "N".repeat(40_000))),
        post.with("a blank before the colon", "X-A : v\r\n"),
        post.with("an empty name", ": v\r\n"),
        post.with("a folded line", "X-A: v\r\n  w\r\n"),
        post.with("a NUL", "X-A: a\0b\r\n"),
        post.with("a bare CR", "X-A: a\rb\r\n"),
        post.with("a bare LF", "X-A: a\nX-B: b\r\n"),
        post.with("control characters", "X-A: \u{1}\u{7f}\r\n"),
        post.with("a name of SQL", "X-';--: v\r\n"),
        post.with("a second host", "Host: evil.test\r\n"),
        post.with("a second type", "Content-Type: text/plain\r\n"),
        post.with("a second signature", "X-Webhook-Signature: sha256=00\r\n"),
        post.with("an upgrade", "Connection: upgrade\r\nUpgrade: websocket\r\n"),
        post.with("an upgrade to h2c", "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"),
        post.with("close and keep alive", "Connection: close, keep-alive\r\n"),
        post.with("an expectation", "Expect: 100-continue\r\n"),
        post.with("an odd expectation", "Expect: the-unexpected\r\n"),
        post.with("a range", "Range: bytes=0-0,0-0,0-0\r\nIf-Match: *\r\nIf-None-Match: *\r\n"),
    ]
}

fn lengths(post: &Post<'_>) -> Vec<Wire> {
    let body = Post::body("length");
    let length = |name: &'static str, value: &str| {
        post.raw(name, &format!("Content-Length: {value}\r\n"), &body)
    };
    let n = body.len();
    vec![
        length("the length twice", &format!("{n}\r\nContent-Length: {n}")),
        length("two lengths", &format!("{n}\r\nContent-Length: 5")),
        length("a list of lengths", &format!("{n}, {n}")),
        length("a negative length", "-1"),
        length("a length with a sign", &format!("+{n}")),
        length("a length in hex", "0x20"),
        length("a length of blanks", "  "),
        length("a length beyond numbers", "99999999999999999999999"),
        length("a length beyond memory", "9223372036854775807"),
        length("a length beyond the cap", "2000000"),
        length("a length that is too long", &format!("{}", n + 10)),
        length("a length that is too short", "2"),
        post.raw("no length", "", &body),
    ]
}

fn chunks(post: &Post<'_>) -> Vec<Wire> {
    let chunked = |name: &'static str, body: &str| {
        post.raw(name, "Transfer-Encoding: chunked\r\n", &body.replace('\n', "\r\n"))
    };
    let coding = |name: &'static str, lines: &str| {
        let body = Post::body(name);
        let body = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        post.raw(name, &format!("{lines}\r\n"), &body)
    };
    let ones = |name: &str| {
        Post::body(name).chars().map(|c| format!("1\n{c}\n")).collect::<String>() + "0\n\n"
    };
    vec![
        coding("chunked as it should be", "Transfer-Encoding: chunked"),
        coding("chunked with a length", "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        coding("a length with chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        coding("chunked twice", "Transfer-Encoding: chunked, chunked"),
        coding("chunked not last", "Transfer-Encoding: chunked, identity"),
        coding("gzip and chunked", "Transfer-Encoding: gzip, chunked"),
        coding("another coding", "Transfer-Encoding: xchunked"),
        coding("a coding behind a tab", "Transfer-Encoding:\tchunked"),
        chunked("chunks of one", &ones("chunks of one")),
        chunked("a chunk beyond numbers", "FFFFFFFFFFFFFFFFF\nx\n0\n\n"),
        chunked("a chunk beyond memory", "7FFFFFFFFFFFFFFF\nx\n0\n\n"),
        chunked("a negative chunk", "-1\nx\n0\n\n"),
        chunked("a chunk in 0x", "0x5\nhello\n0\n\n"),
        chunked("a chunk without a size", "\nx\n0\n\n"),
        chunked("a chunk that is short", "5\nx\n0\n\n"),
        chunked("a chunk that is long", "1\nxyz\n0\n\n"),
        chunked("a long extension", &format!("1;{}\nx\n0\n\n", "e=v;".repeat(20_000))),
        chunked(
            "extensions without end",
            &format!("{}0\n\n", "1;aaaaaaaaaaaaaaaa\nx\n".repeat(20_000)),
        ),
        chunked("trailers", &format!("0\n{}\n", "X-T: v\n".repeat(200))),
        chunked("a trailer that signs", "0\nX-Webhook-Signature: sha256=00\nContent-Length: 5\n\n"),
        chunked("an empty body", "0\n\n"),
        chunked("no end", "1\nx\n"),
        chunked(
            "two megabytes of chunks",
            &format!("{}0\n\n", format!("1000\n{}\n", "x".repeat(4096)).repeat(512)),
        ),
    ]
}

fn targets(post: &Post<'_>) -> Vec<Wire> {
    let get = |name: &'static str, target: &str| {
        wire(name, format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"))
    };
    let path = &post.path;
    let absolute = format!("http://evil.test{path}");
    let mut binary = get("bytes", "/hooks/@").bytes;
    let at = binary.iter().position(|b| *b == b'@').unwrap();
    binary.splice(at..=at, *b"\xff\xfe\x80");
    vec![
        get("a path up", "/hooks/../v1/signals"),
        get("an escaped path up", "/hooks/%2e%2e/%2e%2e/etc/passwd"),
        get("an escaped slash", &format!("{path}%2f..%2f")),
        get("a NUL", "/hooks/%00"),
        get("bytes that are no text", "/hooks/%ff%fe"),
        get("a broken escape", "/hooks/%zz%"),
        get("SQL", "/hooks/'%20or%20true;--"),
        get("SQL of a key", &format!("{path}/'%20or%20true;--")),
        get("slashes", "////hooks////"),
        get("deeper", &format!("{path}/a/b/c/d")),
        get("a long path", &format!("/hooks/{}", "a".repeat(50_000))),
        get("too long a path", &format!("/hooks/{}", "a".repeat(100_000))),
        get("a long query", &format!("{path}?{}", "a=b&".repeat(10_000))),
        get("a hostile query", &format!("{path}?a[]=1&a[x]=%00&=&%ff=%zz")),
        get("a fragment", &format!("{path}#x")),
        get("a whole URL", &absolute),
        get("an authority", "evil.test:443"),
        get("a star", "*"),
        get("nothing", ""),
        get("a query alone", "?"),
        get("a team of NUL", "/api/webhooks/slack/events?team_id=%00"),
        get("a team twice", "/api/webhooks/slack/events?team_id=1&team_id=2"),
        get("an integration of SQL", "/api/webhooks/pylon?integration_id='%20or%201=1"),
        get("a key of NUL", "/api/webhooks/signals/%00"),
        wire("binary in the path", binary),
    ]
}

fn methods(post: &Post<'_>) -> Vec<Wire> {
    let line = |name: &'static str, line: &str| {
        let end = "Host: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let request = wire(name, format!("{line}\r\n{end}"));
        Wire { half_close: true, ..request }
    };
    let path = &post.path;
    let not_http = |name: &'static str, bytes: &[u8]| Wire {
        half_close: true,
        incomplete: true,
        ..wire(name, bytes)
    };
    let mut all: Vec<Wire> = [
        "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "post", "X",
        "' or 1",
    ]
    .into_iter()
    .map(|method| line("a method", &format!("{method} {path} HTTP/1.1")))
    .collect();
    all.extend([
        line("a long method", &format!("{} {path} HTTP/1.1", "M".repeat(70_000))),
        line("HTTP/1.0", &format!("GET {path} HTTP/1.0")),
        line("HTTP/3.7", &format!("GET {path} HTTP/3.7")),
        not_http("HTTP/0.9", format!("GET {path}\r\n").as_bytes()),
        line("no version", &format!("GET {path}")),
        not_http("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
        not_http("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefgh\r\n\r\n"),
        not_http("noise", &[0xaa; 5_000]),
        not_http("nothing", b""),
        not_http("half a head", b"POST /hooks/x HTTP/1.1\r\nHost: x\r\nX-A"),
        not_http("line ends", &b"\r\n".repeat(5_000)),
        line("lines before it", &format!("\r\n\r\nGET {path} HTTP/1.1")),
    ]);
    let mut many = Vec::new();
    (0..50).for_each(|_| many.extend(post.with("in one go", "").bytes));
    all.push(wire("50 requests in one go", many));
    all
}

impl Wire {
    /// Write it to `address` and read the first answer's status; 0 where it hung up without one.
    ///
    /// # Panics
    /// If there is neither an answer nor an end.
    pub(super) async fn send(&self, address: &str) -> u16 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let (mut reader, mut writer) = socket.split();
        let write = async {
            // Who refuses early may stop reading; its answer is what counts.
            let written = writer.write_all(&self.bytes).await;
            if self.half_close && written.is_ok() {
                writer.shutdown().await.ok();
            }
            std::future::pending::<()>().await;
        };
        let mut head = Vec::new();
        let read = async {
            let mut buffer = [0; 4096];
            loop {
                let end = head.windows(4).position(|w| w == b"\r\n\r\n");
                // An interim answer (100 Continue) is none.
                match end.filter(|_| head.get(9) == Some(&b'1')) {
                    Some(end) => {
                        // The answer may have come with it.
                        head.drain(..end + 4);
                        continue;
                    }
                    None if end.is_some() => break,
                    None => {}
                }
                match reader.read(&mut buffer).await {
                    Ok(n) if n > 0 => head.extend(buffer.iter().take(n)),
                    _ => break,
                }
            }
        };
        tokio::select! {
            () = write => {}
            read = timeout(ANSWER_WITHIN, read) => {
                assert!(read.is_ok(), "{}: neither an answer nor an end", self.name);
            }
        }
        let status = head.get(9..12).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
        status.unwrap_or(0)
    }

    /// Whether an answer of this status is a good one.
    pub(super) fn is_answered(&self, status: u16) -> bool {
        (200..300).contains(&status)
            || (400..500).contains(&status)
            || (status == 0 && self.incomplete)
    }
}
