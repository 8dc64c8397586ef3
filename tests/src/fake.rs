//! An HTTP server that answers as a test wants, one request per connection.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// What was asked.
#[derive(Debug)]
pub struct Request {
    /// Request line and headers.
    pub head: String,
    /// Body.
    pub body: Vec<u8>,
}

impl Request {
    /// A header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.to_lowercase() == name).map(|(_, value)| value)
    }

    /// Method and target.
    #[must_use]
    pub fn line(&self) -> (&str, &str) {
        let mut words = self.head.split(' ');
        (words.next().unwrap(), words.next().unwrap())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What is answered.
#[derive(Debug, Default)]
pub struct Reply {
    /// Status, and what is said of it: `200 OK`.
    pub status: String,
    /// Headers but for the length.
    pub head: Vec<(String, String)>,
    /// Body, or how it begins.
    pub body: Vec<u8>,
    /// What follows, until nobody sends any more.
    pub more: Option<mpsc::Receiver<Vec<u8>>>,
}

impl Reply {
    /// Without headers.
    #[must_use]
    pub fn new(status: impl ToString, body: impl Into<Vec<u8>>) -> Self {
        Self { status: status.to_string(), head: Vec::new(), body: body.into(), more: None }
    }
}

/// Serve on a free port until the runtime ends; its URL.
pub async fn start<F, R>(answer: F) -> String
where
    F: Fn(Request) -> R + Send + Sync + 'static,
    R: Future<Output = Reply> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, answer));
    url
}

/// As [`start`], where somebody listens already.
pub async fn serve<F, R>(listener: TcpListener, answer: F)
where
    F: Fn(Request) -> R + Send + Sync + 'static,
    R: Future<Output = Reply> + Send + 'static,
{
    let answer = Arc::new(answer);
    while let Ok((mut stream, _)) = listener.accept().await {
        let answer = answer.clone();
        tokio::spawn(async move {
            let request = read(&mut stream).await?;
            let Reply { status, head, body, more } = answer(request).await;
            let head: String =
                head.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = match &more {
                None => format!("content-length: {}\r\n", body.len()),
                Some(_) => String::new(),
            };
            let head = format!("HTTP/1.1 {status}\r\n{head}{length}connection: close\r\n\r\n");
            // A caller that leaves early is none of our business.
            stream.write_all(&[head.as_bytes(), &body].concat()).await.ok()?;
            let mut more = more?;
            while let Some(bytes) = more.recv().await {
                stream.write_all(&bytes).await.ok()?;
            }
            Some(())
        });
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 8192];
        let n = stream.read(&mut part).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&part[..n]);
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let request = Request { head, body: bytes[end + 4..].to_vec() };
        let length = request.header("content-length").map_or(0, |n| n.parse().unwrap());
        if request.body.len() >= length {
            return Some(request);
        }
    }
}
