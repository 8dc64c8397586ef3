//! Secrets that can be recognised, put everywhere a secret can be, and a search for them everywhere they must not be.

mod store;
mod work;

use std::fmt::Write;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use uuid::Uuid;

pub use work::run;

/// Recognisable values by what they are.
#[derive(Debug, Default)]
pub struct Canaries {
    secrets: Vec<(String, String)>,
    /// Payload and addresses: they may be in the tables that keep what users said.
    said: Vec<(String, String)>,
    /// Where one was found.
    pub found: Vec<String>,
    /// Texts that were searched, and bytes.
    pub searched: (usize, usize),
}

impl Canaries {
    /// A fresh secret.
    pub fn secret(&mut self, what: &str) -> String {
        let canary = format!("canary{}{}", what.replace(' ', ""), Uuid::new_v4().simple());
        self.known(what, &canary);
        canary
    }

    /// Something that users say.
    pub fn said(&mut self, what: &str) -> String {
        let canary = format!("canary{}{}", what.replace(' ', ""), Uuid::new_v4().simple());
        self.said.push((what.to_owned(), canary.clone()));
        canary
    }

    /// A secret that was made elsewhere.
    pub fn known(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 16, "{what} is too short to be recognised");
        self.secrets.push((what.to_owned(), secret.to_owned()));
    }

    /// Nothing may be here.
    pub fn search(&mut self, place: &str, text: &str) {
        self.look(place, text, true);
    }

    /// What users say may be here, secrets may not.
    pub fn search_for_secrets(&mut self, place: &str, text: &str) {
        self.look(place, text, false);
    }

    fn look(&mut self, place: &str, text: &str, said_too: bool) {
        self.searched.0 += 1;
        self.searched.1 += text.len();
        let said = self.said.iter().filter(|_| said_too);
        for (what, canary) in self.secrets.iter().chain(said) {
            for form in forms(canary) {
                if let Some(at) = text.find(&form) {
                    let from = text.floor_char_boundary(at.saturating_sub(200));
                    let to = text.ceil_char_boundary((at + 100).min(text.len()));
                    self.found.push(format!("{what} in {place}: ...{:?}...", text.get(from..to)));
                    break;
                }
            }
        }
    }
}

/// As it is, and in the writings in which it could hide.
fn forms(canary: &str) -> Vec<String> {
    let bytes = canary.as_bytes();
    let mut decimal = String::new();
    bytes.iter().for_each(|byte| write!(decimal, "{byte}, ").unwrap());
    let mut all = vec![
        canary.to_owned(),
        hex::encode(bytes),
        decimal.trim_end_matches(", ").to_owned(),
        STANDARD.encode(bytes),
        URL_SAFE_NO_PAD.encode(bytes),
    ];
    // What it stands for, if it is written in base64 itself.
    if let Ok(key) = STANDARD.decode(canary).or_else(|_| STANDARD_NO_PAD.decode(canary)) {
        all.push(hex::encode(key));
    }
    all
}
