//! A model endpoint: it answers well, at first uselessly, or never, as the text asks for.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use crate::fake::{self, Reply};

/// In a text: no answer ever.
pub(super) const HANGS: &str = "for ever and ever";
/// In a text: the first answer is of no use.
pub(super) const STUTTERS: &str = "again and again";

const ANSWER: &str = r#"{"choices": [{"message": {"content": "{\"severity\": \"low\", \"frequency\": \"rare\", \"userSegment\": \"Crews\", \"interpretation\": \"They wait\", \"danger\": \"B\"}"}}]}"#;

/// Starts one; it ends with the runtime. Returns its URL.
pub(super) async fn start() -> String {
    let asked = Arc::new(Mutex::new(HashSet::new()));
    fake::start(move |request| {
        let asked = asked.clone();
        async move {
            let request = request.text();
            if request.contains(HANGS) {
                return std::future::pending().await;
            }
            let text = request.split("Report ").nth(1).and_then(|rest| rest.split(' ').next());
            let text = text.unwrap_or_default().to_owned();
            let stutters = request.contains(STUTTERS) && asked.lock().unwrap().insert(text);
            Reply::new("200 OK", if stutters { "Well." } else { ANSWER })
        }
    })
    .await
}
