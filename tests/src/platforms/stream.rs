//! X's filtered stream: rules, and connections that last until they are cut.

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Platform, Post, shapes};
use crate::fake::{Reply, Request};

/// Lines that wait for a slow listener.
const LINES_MAX: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Stream {
    rules: Vec<Value>,
    numbers: usize,
    listeners: Vec<mpsc::Sender<Vec<u8>>>,
}

impl Stream {
    pub(super) fn answer(&mut self, path: &str, request: &Request) -> Reply {
        if !path.ends_with("/rules") {
            let (listener, more) = mpsc::channel(LINES_MAX);
            self.listeners.push(listener);
            return Reply { more: Some(more), ..Reply::new("200 OK", "\r\n") };
        }
        if request.line().0 == "POST" {
            let change: Value = serde_json::from_slice(&request.body).unwrap();
            if let Some(ids) = change.pointer("/delete/ids") {
                self.rules.retain(|rule| !ids.as_array().unwrap().contains(&rule["id"]));
            }
            for rule in change["add"].as_array().into_iter().flatten() {
                self.numbers += 1;
                let mut rule = rule.clone();
                rule["id"] = self.numbers.to_string().into();
                self.rules.push(rule);
            }
        }
        let answer = json!({ "data": self.rules, "meta": { "result_count": self.rules.len() } });
        Reply::new("200 OK", answer.to_string())
    }

    fn open(&mut self) -> usize {
        self.listeners.retain(|listener| !listener.is_closed());
        self.listeners.len()
    }

    fn send(&mut self, bytes: &[u8]) {
        for listener in &self.listeners {
            listener.try_send(bytes.to_vec()).ok();
        }
    }
}

impl Platform {
    /// Who listens.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.with(|state| state.stream.open())
    }

    /// Texts of the stream's rules.
    #[must_use]
    pub fn rules(&self) -> Vec<String> {
        self.with(|state| {
            state.stream.rules.iter().map(|rule| rule["value"].as_str().unwrap().into()).collect()
        })
    }

    /// A post that is told to who listens, and found by nobody yet.
    pub fn say(&self, post: &Post) {
        let line = format!("{}\r\n", shapes::line(post));
        self.with(|state| state.stream.send(line.as_bytes()));
    }

    /// The connections end, in the middle of this post's line.
    pub fn cut(&self, post: &Post) {
        let line = shapes::line(post).to_string();
        self.with(|state| {
            state.stream.send(&line.as_bytes()[..line.len() / 2]);
            state.stream.listeners.clear();
        });
    }
}
