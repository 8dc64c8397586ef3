//! What platforms want to hear before they deliver.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;

use super::{Secret, scheme};

/// What is signed for the verify token: no body of any delivery, for it is no JSON.
const TOKEN_OF: &[u8] = b"millrace verify token";
/// Longest token of a challenge that is answered, bytes.
const CRC_BYTES_MAX: usize = 256;

/// X's challenge-response check: `sha256=` and the HMAC-SHA256 of the token, in base64 (X, "Challenge-Response Checks").
///
/// The key is the one that signs deliveries, so only what can be no delivery is answered: otherwise anybody who knows
/// the address could have a body signed.
#[must_use]
pub fn crc_response(secret: &Secret, token: &str) -> Option<String> {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"-_+/=.".contains(&b);
    if token.is_empty() || token.len() > CRC_BYTES_MAX || !token.bytes().all(safe) {
        return None;
    }
    Some(format!("sha256={}", STANDARD.encode(mac("x", secret, token.as_bytes())?)))
}

/// The token that people give Meta for its subscription handshake. It follows from the app secret: whoever rotates that
/// has a new one, and there is nothing more to keep.
#[must_use]
pub fn verify_token(secret: &Secret) -> Option<String> {
    let mac = mac("meta", secret, TOKEN_OF)?;
    Some(URL_SAFE_NO_PAD.encode(mac.get(..24)?))
}

fn mac(name: &str, secret: &Secret, message: &[u8]) -> Option<Vec<u8>> {
    let key = secret.key(scheme(name)?).ok()?;
    Some(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), message).as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_answered_and_a_body_is_not_signed() {
        // RFC 4231, test case 2, in base64.
        let secret = Secret::text("Jefe");
        assert_eq!(crc_response(&secret, "what do ya want for nothing?"), None);
        let answer = crc_response(&Secret::text("key"), "token").unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
        let mac = STANDARD.decode(answer.strip_prefix("sha256=").unwrap()).unwrap();
        assert!(hmac::verify(&key, b"token", &mac).is_ok());
        for forged in ["", "{\"data\":{}}", "[1]", "a b", &"a".repeat(257)] {
            assert_eq!(crc_response(&secret, forged), None, "{forged}");
        }
        assert_eq!(crc_response(&Secret::Sha256([0; 32]), "token"), None);
    }

    #[test]
    fn each_secret_has_its_verify_token() {
        let token = |text: &str| verify_token(&Secret::text(text)).unwrap();
        assert_eq!(token("a"), token("a"));
        assert_ne!(token("a"), token("b"));
        assert_eq!(token("a").len(), 32);
    }
}
