//! A model endpoint: it answers well, at first uselessly, or never, as the text asks for.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// In a text: no answer ever.
pub(super) const HANGS: &str = "for ever and ever";
/// In a text: the first answer is of no use.
pub(super) const STUTTERS: &str = "again and again";

const ANSWER: &str = r#"{"choices": [{"message": {"content": "{\"severity\": \"low\", \"frequency\": \"rare\", \"userSegment\": \"Crews\", \"interpretation\": \"They wait\"}"}}]}"#;

/// Starts one; it ends with the runtime. Returns its URL.
pub(super) async fn start() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(HashSet::new()));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, asked.clone()));
        }
    });
    url
}

/// One request per connection. A caller that leaves early is none of our business.
async fn answer(mut stream: TcpStream, asked: Arc<Mutex<HashSet<String>>>) -> Option<()> {
    let request = read(&mut stream).await?;
    if request.contains(HANGS) {
        return std::future::pending().await;
    }
    let text = request.split("Report ").nth(1)?.split(' ').next()?.to_owned();
    let stutters = request.contains(STUTTERS) && asked.lock().unwrap().insert(text);
    let body = if stutters { "Well." } else { ANSWER };
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(reply.as_bytes()).await.ok()
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
        if body.len() >= length? {
            return Some(body.to_owned());
        }
    }
}
