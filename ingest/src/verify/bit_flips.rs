//! Every single bit of a signed delivery counts: body, signature, timestamp and id.

use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY_BYTES: usize = 2048;
/// Ids that their vendors leave out of the signature.
const UNSIGNED: [&str; 3] = ["x-github-delivery", "x-shopify-event-id", "x-shopify-webhook-id"];

/// Whether the delivery verifies; headers that HTTP itself refuses do not.
fn passes(scheme: &Scheme, headers: &[(String, Vec<u8>)], body: &[u8]) -> bool {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let Ok(value) = HeaderValue::from_bytes(value) else { return false };
        map.insert(HeaderName::try_from(name.as_str()).unwrap(), value);
    }
    let parts =
        Parts { method: "POST", uri: "https://in.test/x", headers: &map, path_key: None, body };
    let now = DateTime::from_timestamp(1_750_000_000, 0).unwrap();
    verify(scheme, &parts, &[Secret::text(SECRET)], now).is_ok()
}

#[test]
fn every_bit_of_a_signed_delivery_counts() {
    let mut body: Vec<u8> = (0..BODY_BYTES).map(|n| b'a' + u8::try_from(n % 26).unwrap()).collect();
    for name in ["slack", "github", "standard", "pylon", "shopify", "x", "meta"] {
        let scheme = scheme(name).unwrap();
        let timestamp = DateTime::from_timestamp(1_750_000_000, 0).unwrap();
        let unsigned =
            Unsigned { method: "POST", uri: "https://in.test/x", body: &body, id: "m1", timestamp };
        let signed = sign(scheme, SECRET, &unsigned).unwrap();
        let mut headers: Vec<(String, Vec<u8>)> =
            signed.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        assert!(passes(scheme, &headers, &body), "{name}");
        for at in 0..body.len() * 8 {
            body[at / 8] ^= 1 << (at % 8);
            assert!(!passes(scheme, &headers, &body), "{name}: bit {at} of the body");
            body[at / 8] ^= 1 << (at % 8);
        }
        for header in 0..headers.len() {
            if UNSIGNED.contains(&headers[header].0.as_str()) {
                continue;
            }
            for at in 0..headers[header].1.len() * 8 {
                let before = headers[header].1.clone();
                headers[header].1[at / 8] ^= 1 << (at % 8);
                // Hex digits in the other case say the same; nothing else may.
                let same = before.eq_ignore_ascii_case(&headers[header].1);
                let passed = passes(scheme, &headers, &body);
                assert!(!passed || same, "{name}: bit {at} of {}", headers[header].0);
                headers[header].1 = before;
            }
        }
    }
}
