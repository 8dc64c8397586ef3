use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(
            HeaderName::try_from(*name).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    map
}

fn check(
    name: &str,
    pairs: &[(&str, &str)],
    body: &[u8],
    secrets: &[&str],
    now: DateTime<Utc>,
) -> Result<Verified, &'static str> {
    let headers = headers(pairs);
    let parts = Parts {
        method: "POST",
        uri: "https://in.test/in/x?a=%3Ab",
        headers: &headers,
        path_key: None,
        body,
    };
    let secrets: Vec<Secret> = secrets.iter().map(|s| Secret::text(*s)).collect();
    verify(scheme(name).unwrap(), &parts, &secrets, now).map_err(|r| r.code)
}

// ---- vectors that the vendors publish

#[test]
fn standard_webhooks_vector() {
    let pairs = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        (
            "webhook-signature",
            "v1,bm9ldHUjKzFob2VudXRob2VodWUzMjRvdWVvdW9ldQo= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ];
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let ok = check("standard", &pairs, br#"{"test": 2432232314}"#, &[secret], at(1_614_265_330))
        .unwrap();
    assert_eq!(ok.delivery_id.as_deref(), Some("msg_p5jXN8AQM9LWM0D4loKWxJek"));
    assert_eq!(ok.timestamp, Some(at(1_614_265_330)));
    let aliased = pairs.map(|(n, v)| (n.replace("webhook", "svix"), v));
    let aliased: Vec<(&str, &str)> = aliased.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    assert!(
        check("standard", &aliased, br#"{"test": 2432232314}"#, &[secret], at(1_614_265_330))
            .is_ok()
    );
}

#[test]
fn github_vector() {
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let secret = "It's a Secret to Everybody";
    let pairs = [("X-Hub-Signature-256", signature)];
    assert!(check("github", &pairs, b"Hello, World!", &[secret], at(0)).is_ok());
    assert_eq!(
        check("github", &pairs, b"Hello, World?", &[secret], at(0)),
        Err("signature_mismatch")
    );
}

#[test]
fn slack_vector() {
    let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let pairs = [
        ("X-Slack-Request-Timestamp", "1531420618"),
        (
            "X-Slack-Signature",
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        ),
    ];
    assert!(
        check("slack", &pairs, body, &["8f742231b10e8888abcd99yyyzzz85a5"], at(1_531_420_618))
            .is_ok()
    );
}

#[test]
fn sendgrid_vector() {
    let body = b"[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced Address\",\"sg_event_id\":\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\",\"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0\",\"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n";
    let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
    let pairs = [
        (
            "X-Twilio-Email-Event-Webhook-Signature",
            "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
        ),
        ("X-Twilio-Email-Event-Webhook-Timestamp", "1600112502"),
    ];
    assert!(check("sendgrid-events", &pairs, body, &[key], at(1_600_112_502)).is_ok());
    let trimmed = body.trim_ascii_end();
    assert_eq!(
        check("sendgrid-events", &pairs, trimmed, &[key], at(1_600_112_502)),
        Err("signature_mismatch")
    );
}

// ---- every row of the table, both ways

const ED25519_SEED: &str = "whsk_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A pair of secrets (sender's, receiver's) that fits the scheme.
fn pair_for(scheme: &Scheme) -> (String, String) {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ring::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair};
    match scheme.algorithm {
        Algorithm::Ed25519 => {
            let seed = STANDARD.decode(ED25519_SEED.strip_prefix("whsk_").unwrap()).unwrap();
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
            (ED25519_SEED.into(), format!("whpk_{}", STANDARD.encode(pair.public_key().as_ref())))
        }
        Algorithm::EcdsaP256 => {
            let rng = ring::rand::SystemRandom::new();
            let algorithm = &ring::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &rng).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &rng).unwrap();
            (STANDARD.encode(pkcs8.as_ref()), STANDARD.encode(pair.public_key().as_ref()))
        }
        Algorithm::HmacSha1
        | Algorithm::HmacSha256
        | Algorithm::HmacSha512
        | Algorithm::ApiKey
        | Algorithm::None => {
            let text = match scheme.key {
                KeyForm::Whsec => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                KeyForm::Hex => "00112233445566778899aabbccddeeff",
                KeyForm::Text | KeyForm::Public => "user:a shared secret",
            };
            (text.into(), text.into())
        }
    }
}

fn round_trip(scheme: &Scheme, skew_s: i64) -> Result<Verified, &'static str> {
    let now = at(1_750_000_000);
    let (private, public) = pair_for(scheme);
    let stamp = now + TimeDelta::seconds(skew_s);
    let mut body = match scheme.timestamp.as_ref().and_then(|s| s.at.json.clone()) {
        Some(_) => {
            format!(r#"{{"a": 1, "webhookTimestamp": {}}}"#, stamp.timestamp_millis()).into_bytes()
        }
        None => br#"{ "a" : 1 }"#.to_vec(),
    };
    let unsigned = Unsigned {
        method: "POST",
        uri: "https://in.test/in/x",
        body: &body,
        id: "msg-1",
        timestamp: stamp,
    };
    let signed = sign(scheme, &private, &unsigned).unwrap();
    let mut map = HeaderMap::new();
    let mut path_key = None;
    if scheme.signature.form.is_some() {
        let pairs: Vec<String> = signed.iter().map(|(n, v)| format!("{n}={v}")).collect();
        body = pairs.join("&").into_bytes();
        map.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    } else {
        for (name, value) in &signed {
            if name == ":path" {
                path_key = Some(value.as_str());
            } else {
                map.insert(HeaderName::try_from(name.as_str()).unwrap(), value.parse().unwrap());
            }
        }
    }
    let parts =
        Parts { method: "POST", uri: "https://in.test/in/x", headers: &map, path_key, body: &body };
    let retired = Secret::text("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    verify(scheme, &parts, &[retired, Secret::text(public)], now).map_err(|r| r.code)
}

#[test]
fn every_scheme_takes_what_it_signs() {
    for (name, scheme) in schemes() {
        assert_eq!(scheme.check(), Ok(()), "{name}");
        if scheme.algorithm == Algorithm::None {
            continue;
        }
        // The second of two secrets: rotation works everywhere.
        let verified = round_trip(scheme, 0).unwrap_or_else(|code| panic!("{name}: {code}"));
        assert_eq!(verified.secret_index, 1, "{name}");
        assert_eq!(verified.delivery_id.is_some(), scheme.id.is_some(), "{name}");
    }
}

#[test]
fn the_window_is_closed_on_both_sides() {
    for (name, scheme) in schemes() {
        let Some(stamp) = &scheme.timestamp else { continue };
        let tolerance = i64::from(stamp.tolerance_s);
        assert!(round_trip(scheme, tolerance).is_ok(), "{name}");
        assert!(round_trip(scheme, -tolerance).is_ok(), "{name}");
        assert_eq!(round_trip(scheme, -tolerance - 1), Err("timestamp_stale"), "{name}");
        assert_eq!(round_trip(scheme, tolerance + 1), Err("timestamp_future"), "{name}");
    }
}

#[test]
fn every_scheme_survives_a_json_round_trip_as_a_custom_record() {
    for (name, scheme) in schemes() {
        let spec = serde_json::to_value(scheme).unwrap();
        assert_eq!(Scheme::custom(&spec).as_ref(), Ok(scheme), "{name}");
    }
}

// ---- refusals

const GOOD_SLACK: (&str, &str) = ("x-slack-signature", "v0=00");

#[test]
fn malformed_requests_are_refused_by_name() {
    let now = at(1_750_000_000);
    let ts = ("x-slack-request-timestamp", "1750000000");
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[ts], "signature_missing"),
        (&[ts, ("x-slack-signature", "")], "signature_missing"),
        (&[ts, ("x-slack-signature", "v1=00")], "signature_missing"),
        (&[ts, ("x-slack-signature", "v0=zz")], "signature_malformed"),
        (&[ts, GOOD_SLACK], "signature_mismatch"),
        (&[ts, GOOD_SLACK, GOOD_SLACK], "header_duplicated"),
        (&[ts, ts, GOOD_SLACK], "header_duplicated"),
        (&[GOOD_SLACK], "timestamp_missing"),
        (&[ts, ("x-slack-signature", "v0=\u{e9}")], "signature_malformed"),
    ];
    for (pairs, code) in cases {
        assert_eq!(check("slack", pairs, b"{}", &["s"], now), Err(code), "{pairs:?}");
    }
    for text in [
        "abc",
        "-1750000000",
        "+1750000000",
        "1750000000.5",
        "1e9",
        "99999999999999999999999",
        "١٧٥",
    ] {
        let pairs = [("x-slack-request-timestamp", text), GOOD_SLACK];
        assert!(check("slack", &pairs, b"{}", &["s"], now).is_err(), "{text}");
    }
}

#[test]
fn lists_without_commas_are_refused_not_fatal() {
    let now = at(1_750_000_000);
    for signature in ["v1", "v1g0hM9S", ",", "v1,", "v2,AAAA", "v1a,AAAA", "   ", "v1,!!"] {
        let pairs = [
            ("webhook-id", "m"),
            ("webhook-timestamp", "1750000000"),
            ("webhook-signature", signature),
        ];
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert!(check("standard", &pairs, b"{}", &[secret], now).is_err(), "{signature:?}");
    }
    for header in
        ["", "t=", "t=1750000000", "v1=00", "t=1,t=2,v1=00", "garbage", "t=1750000000,v0=00"]
    {
        assert!(
            check("stripe", &[("stripe-signature", header)], b"{}", &["s"], now).is_err(),
            "{header:?}"
        );
    }
}

#[test]
fn keys_of_the_wrong_kind_never_verify() {
    let now = at(1_750_000_000);
    let ed = scheme("standard-v1a").unwrap();
    let (_, public) = pair_for(ed);
    // A public key, known to all, used as an HMAC key by an attacker.
    let hmac_with_public = sign(
        &Scheme { key: KeyForm::Text, ..scheme("millrace").unwrap().clone() },
        public.strip_prefix("whpk_").unwrap(),
        &Unsigned { method: "POST", uri: "", body: b"{}", id: "", timestamp: now },
    )
    .unwrap();
    let pairs: Vec<(&str, &str)> =
        hmac_with_public.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(check("millrace", &pairs, b"{}", &[&public], now), Err("secret_unusable"));
    let v1a = [
        ("webhook-id", "m"),
        ("webhook-timestamp", "1750000000"),
        ("webhook-signature", "v1a,AAAA"),
    ];
    for secret in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ED25519_SEED, "short", ""] {
        assert_eq!(
            check("standard-v1a", &v1a, b"{}", &[secret], now),
            Err("secret_unusable"),
            "{secret}"
        );
    }
    let hashed = [Secret::Sha256(hash_key(b"s"))];
    let map = headers(&[("x-webhook-signature", "00")]);
    let parts = Parts { method: "POST", uri: "", headers: &map, path_key: None, body: b"" };
    let refused = verify(scheme("millrace").unwrap(), &parts, &hashed, now).unwrap_err();
    assert_eq!(refused.code, "secret_unusable");
}

#[test]
fn no_secret_means_no() {
    for (name, scheme) in schemes() {
        let map = HeaderMap::new();
        let parts =
            Parts { method: "POST", uri: "", headers: &map, path_key: Some("k"), body: b"{}" };
        let code = verify(scheme, &parts, &[], at(0)).unwrap_err().code;
        let expected = if name == "none" { "unsigned_refused" } else { "secret_missing" };
        assert_eq!(code, expected, "{name}");
    }
    let map = HeaderMap::new();
    let parts = Parts { method: "POST", uri: "", headers: &map, path_key: None, body: b"{}" };
    let refused = verify(scheme("none").unwrap(), &parts, &[Secret::text("s")], at(0));
    assert!(refused.is_err());
}

#[test]
fn hashed_keys_match_and_wrong_ones_do_not() {
    let key = "wk_0123456789abcdef0123456789abcdef";
    let hashed = [Secret::Sha256([0; 32]), Secret::Sha256(hash_key(key.as_bytes()))];
    let ask = |name: &str, pairs: &[(&str, &str)], path_key: Option<&str>| {
        let headers = headers(pairs);
        let parts = Parts { method: "POST", uri: "", headers: &headers, path_key, body: b"" };
        verify(scheme(name).unwrap(), &parts, &hashed, at(0))
            .map(|v| v.secret_index)
            .map_err(|r| r.code)
    };
    assert_eq!(ask("api-key", &[("x-api-key", key)], None), Ok(1));
    assert_eq!(ask("api-key", &[("x-api-key", "wk_other")], None), Err("key_unknown"));
    assert_eq!(ask("bearer", &[("authorization", &format!("bearer {key}"))], None), Ok(1));
    assert_eq!(ask("bearer", &[("authorization", key)], None), Err("signature_missing"));
    assert_eq!(ask("path-key", &[], Some(key)), Ok(1));
    assert_eq!(ask("path-key", &[("x-api-key", key)], None), Err("signature_missing"));
    assert_eq!(ask("basic", &[("authorization", "Basic !!!")], None), Err("key_malformed"));
}

#[test]
fn a_record_that_protects_nothing_is_refused() {
    let good = serde_json::json!({
        "algorithm": "hmac-sha512", "encoding": "hex", "base": "{ts}|{body}",
        "signature": {"headers": ["x-acme-signature"]},
        "timestamp": {"at": {"headers": ["x-acme-time"]}, "unit": "s"},
    });
    assert!(Scheme::custom(&good).is_ok());
    let spoil = [
        ("base", serde_json::json!("{ts}")),
        ("base", serde_json::json!("{body}")),
        ("base", serde_json::json!("{body}{nonsense}")),
        ("encoding", serde_json::json!("plain")),
        ("signature", serde_json::json!({})),
        ("key", serde_json::json!("public")),
        ("algorithm", serde_json::json!("ed25519")),
        ("algorithm", serde_json::json!("md5")),
        ("surprise", serde_json::json!(1)),
    ];
    for (field, value) in spoil {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(Scheme::custom(&bad).is_err(), "{field}");
    }
}

proptest::proptest! {
    #[test]
    fn no_header_or_body_panics_a_scheme(
        value in "[ -~]{0,80}", ts in "[0-9a-zA-Z:.+-]{0,24}", body in proptest::collection::vec(0u8.., 0..120)
    ) {
        for scheme in schemes().values() {
            let mut map = HeaderMap::new();
            for name in &scheme.signature.headers {
                map.insert(HeaderName::try_from(name.as_str()).unwrap(), value.parse().unwrap());
            }
            for name in scheme.timestamp.iter().flat_map(|s| &s.at.headers) {
                map.insert(HeaderName::try_from(name.as_str()).unwrap(), ts.parse().unwrap());
            }
            let parts = Parts { method: "POST", uri: "", headers: &map, path_key: Some(&value), body: &body };
            let secrets = [Secret::text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
            proptest::prop_assert!(verify(scheme, &parts, &secrets, at(1_750_000_000)).is_err());
        }
    }
}
