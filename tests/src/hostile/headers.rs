//! Hostile headers beside a good body.

/// A name, and headers.
pub(super) type Headers = (&'static str, Vec<(&'static str, Vec<u8>)>);

/// All of them; each goes with a model delivery of every source.
pub(super) fn headers() -> Vec<Headers> {
    let one = |case, name, value: &[u8]| (case, vec![(name, value.to_vec())]);
    let event = |id: &'static [u8], more: &[(&'static str, &'static [u8])]| {
        let base: [(&'static str, &'static [u8]); 4] = [
            ("ce-specversion", b"1.0"),
            ("ce-type", b"t"),
            ("ce-source", b"s"),
            ("content-type", b"application/json"),
        ];
        let all = base.iter().chain(more).map(|(name, value)| (*name, value.to_vec()));
        all.chain([("ce-id", id.to_vec())]).collect()
    };
    vec![
        one("gzip", "content-encoding", b"gzip"),
        one("deflate", "content-encoding", b"deflate"),
        one("br", "content-encoding", b"br"),
        one("identity in capitals", "content-encoding", b"Identity"),
        one("several encodings", "content-encoding", b"identity, gzip"),
        one("an empty encoding", "content-encoding", b""),
        one("no type", "content-type", b""),
        one("two types", "content-type", b"application/json, text/plain"),
        one("a charset trick", "content-type", b"application/json; charset=utf-7"),
        one("a type that is binary", "content-type", b"\xff\xfe/json"),
        one("a type in capitals", "content-type", b"APPLICATION/JSON"),
        one("a vendor type", "content-type", b"application/vnd.x+json; v=1"),
        one("an empty key", "idempotency-key", b" "),
        one("a long key", "idempotency-key", &b"k".repeat(8_000)),
        one("a binary key", "idempotency-key", b"\xff\xfe\x80"),
        one("a key of SQL", "idempotency-key", b"'; drop table ops.events; --"),
        one("a binary file name", "x-file-name", b"%00%ff\xff.csv"),
        one(
            "a disposition",
            "content-disposition",
            b"attachment; filename=\"..\\..\\x.pdf\"; filename*=UTF-8''%00",
        ),
        one("an open disposition", "content-disposition", b"filename=\""),
        one("a trace that is none", "traceparent", b"00-zz-xx-01"),
        one(
            "a trace of zeros",
            "traceparent",
            b"00-00000000000000000000000000000000-0000000000000000-00",
        ),
        one("a long trace", "traceparent", &b"0-".repeat(4_000)),
        one("a lying proxy", "x-forwarded-for", b"127.0.0.1, ::1, ' or 1=1"),
        one("a lying host", "x-forwarded-host", b"evil.test"),
        one("another method", "x-http-method-override", b"DELETE"),
        one("an agent of SQL", "user-agent", b"'); select pg_sleep(9); --"),
        one("a binary agent", "user-agent", &[0x80; 4_000]),
        one("a workspace of SQL", "x-workspace-id", b"' or true; --"),
        one("a number of retries", "x-slack-retry-num", b"99999999999999999999"),
        one("60 kB in one header", "x-large", &b"a".repeat(30_000)),
        ("60 headers more", (0..60).map(|n| (MANY[n % MANY.len()], vec![b'v'; 100])).collect()),
        ("an event in headers", event(b"1", &[])),
        (
            "an event id of escapes",
            event(b"%C0%AF%00%", &[("ce-time", b"\"999999-01-01T00:00:00Z\"")]),
        ),
        ("an event id that is long", event(LONG, &[])),
        (
            "an event with odd quotes",
            event(b"\"a\\", &[("ce-subject", b"\"%F0%9F\""), ("ce-time", b"x")]),
        ),
    ]
}

const LONG: &[u8] = &[b'i'; 8_000];
const MANY: [&str; 4] = ["x-many-a", "ce-many", "cookie", "x-many-b"];
