//! Links that say which reply they were in.

use sha2::{Digest, Sha256};

use crate::social::{profile::Profile, record::Platform};

/// RFC 4648, lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Digits of a code: 80 bits. Two of a million replies have the same one with a probability of 4e-13, and then the unique
/// key of the column refuses the second.
const DIGITS: usize = 16;

/// What links of a reply have as `utm_content`: from its id, and of it alone.
#[must_use]
pub fn utm_code(reply_id: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(format!("utm {reply_id}")).into();
    let bits = digest.iter().take(10).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let digit = |at: usize| {
        let five = usize::try_from((bits >> (5 * (DIGITS - 1 - at))) & 31).unwrap_or_default();
        BASE32.get(five).map_or('a', |byte| char::from(*byte))
    };
    (0..DIGITS).map(digit).collect()
}

/// `link` with who, where and which reply; `None` unless it is an http address without such parameters.
#[must_use]
pub fn tagged(link: &str, profile: &Profile, platform: Platform, utm_code: &str) -> Option<String> {
    let mut url = url::Url::parse(link).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !plain || url.query_pairs().any(|(name, _)| name.starts_with("utm_")) {
        return None;
    }
    url.query_pairs_mut()
        .append_pair("utm_source", &profile.brand.utm_source)
        .append_pair("utm_campaign", &platform.as_str().to_lowercase())
        .append_pair("utm_content", utm_code);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_the_seeds_and_all_different() {
        let codes: HashSet<String> = (0..10_000).map(|n| utm_code(&n.to_string())).collect();
        assert_eq!(codes.len(), 10_000);
        assert!(codes.iter().all(|code| code.len() == 16));
        let digits: HashSet<char> = codes.iter().flat_map(|code| code.chars()).collect();
        assert_eq!(digits.len(), 32, "each digit has five bits");
        assert_eq!(utm_code("x"), utm_code("x"));
    }

    #[test]
    fn a_link_is_tagged_once() {
        let profile = Profile::parse(Profile::shipped("vita").unwrap()).unwrap();
        let tagged = |link| tagged(link, &profile, Platform::Twitter, "abc");
        let link = tagged("https://example.com/a?b=c#d").unwrap();
        assert_eq!(
            link,
            "https://example.com/a?b=c&utm_source=antone&utm_campaign=twitter&utm_content=abc#d"
        );
        for bad in [link.as_str(), "example.com", "javascript:alert(1)", "ftp://example.com", ""] {
            assert_eq!(tagged(bad), None, "{bad}");
        }
    }
}
