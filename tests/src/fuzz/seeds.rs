//! Where the fuzzer starts: the recorded deliveries, the hostile corpus in small, and one input of each other target.

use millrace_ingest::verify;

use crate::{fixture, hostile};

/// Larger inputs teach a fuzzer little.
const BYTES_MAX: usize = 16 << 10;

/// Inputs of a target.
#[must_use]
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut seeds = match target {
        "signature" => signatures(),
        "scheme" => verify::schemes().values().map(|s| serde_json::to_vec(s).unwrap()).collect(),
        "cursor" => lines(&["MTcwMDAwMDAwMDEyMzQ1NiBhIGI", "2026-01-01T00:00:00Z", "1768478400.000100", "-1"]),
        "configuration" => vec![
            include_bytes!("../../../config/default.toml").to_vec(),
            b"MILLRACE__HTTP__LISTEN=0.0.0.0:1\nDATABASE_URL=postgres://u:p@h/d\nMILLRACE__QUEUE__LEASE_MS=1\n\n[http]\nin_flight_max = 7\n".to_vec(),
            b"\n\n[[schedule]]\nname = \"x\"\ncron = \"* * * * *\"\ntimezone = \"UTC\"\nkind = \"maintenance.partitions\"\n".to_vec(),
        ],
        "form" => hostile::corpus(1000).1.into_iter().filter_map(form).collect(),
        "json" => hostile::json::values().into_iter().map(|(_, value)| value.into_bytes()).collect(),
        source => deliveries(source),
    };
    seeds.retain(|seed| seed.len() <= BYTES_MAX);
    seeds.sort_unstable();
    seeds.dedup();
    seeds
}

fn lines(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn deliveries(kind: &str) -> Vec<Vec<u8>> {
    let recorded = fixture::all().into_values().filter(|f| f.kind == kind).map(|fixture| {
        let map = |map| serde_json::to_string(map).unwrap();
        let config =
            format!("{}\n{}\n", map(&fixture.config.field_map), map(&fixture.config.options));
        let headers = fixture.headers.iter().map(|(n, v)| format!("{n}: {v}\n"));
        let head: String = std::iter::once(config).chain(headers).collect();
        [head.as_bytes(), b"\n", &fixture.body()].concat()
    });
    let hostile = hostile::corpus(50).1;
    let hostile = hostile.iter().filter(|case| case.kind == kind).map(input);
    recorded.chain(hostile).collect()
}

/// A case of the hostile corpus, as its source's target reads it.
#[must_use]
pub fn input(case: &hostile::Case) -> Vec<u8> {
    let mut input = Vec::new();
    for (name, value) in &case.headers {
        input.extend([name.as_bytes(), b": ", value, b"\n"].concat());
    }
    [input.as_slice(), b"\n", &case.body].concat()
}

fn form(case: hostile::Case) -> Option<Vec<u8>> {
    let (_, kind) = case.headers.iter().find(|(name, _)| *name == "content-type")?;
    let form = kind.starts_with(b"multipart/") || kind.starts_with(b"application/x-www");
    (form && case.kind == "upload").then(|| [kind.as_slice(), b"\n\n", &case.body].concat())
}

/// A request of each scheme, signed with the secret that the target verifies with.
fn signatures() -> Vec<Vec<u8>> {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let stamp = || ("https://in.test/hooks/p", "msg_1", super::now());
    let usable = verify::schemes().iter().filter(|(_, s)| s.key != verify::KeyForm::Public);
    let usable = usable.filter(|(name, _)| *name != "none");
    usable
        .map(|(name, _)| {
            let kind = ("content-type", b"application/x-www-form-urlencoded".as_slice());
            let signed = fixture::sign(name, secret, stamp(), [kind], b"a=b".to_vec());
            let path = signed.path_key.as_deref().unwrap_or("-");
            let mut head = format!("{name}\nhttps://in.test/hooks/p\n{path}\n");
            for (header, value) in &signed.headers {
                head.push_str(&format!("{header}: {}\n", value.to_str().unwrap()));
            }
            [head.as_bytes(), b"\n", &signed.body].concat()
        })
        .collect()
}
