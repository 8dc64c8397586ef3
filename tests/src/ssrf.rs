//! Where the model endpoint may not be: every way to write an address that is not public.

use std::time::Duration;

use millrace_jobs::signals::endpoint::{AskError, ConfigError, Endpoint};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use crate::rig;

/// Refused before anything is asked: the host as it stands, the port, the scheme.
const REFUSED: &[&str] = &[
    // Loopback and this network.
    "http://127.0.0.1",
    "http://127.255.255.254",
    "http://0.0.0.0",
    "http://0.1.2.3",
    "http://[::1]",
    "http://[::]",
    "http://[0:0:0:0:0:0:0:1]",
    "http://localhost",
    "http://LOCALHOST",
    "http://localhost.",
    "http://localhost..",
    "http://app.localhost",
    "http://local%68ost",
    // Other writings of 127.0.0.1 and of 169.254.169.254.
    "http://2130706433",
    "http://0x7f000001",
    "http://017700000001",
    "http://0x7f.1",
    "http://0177.0.0.1",
    "http://127.1",
    "http://127.0.1",
    "http://127.0.0.1.",
    "http://0X7F.0x0.0X0.0x1",
    "http://127.0.0.0x1",
    "http://%31%32%37.0.0.1",
    "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "http://\u{2460}\u{2461}\u{2466}.0.0.1",
    "http://127\u{3002}0\u{ff0e}0\u{ff61}1",
    "http://\u{ff4c}ocalhost",
    "http://2852039166",
    "http://0xa9.0xfe.0xa9.0xfe",
    "http://0251.0376.0251.0376",
    "http://169.16689662",
    // Private, shared, link-local, benchmarks, documentation, multicast, class E.
    "http://10.0.0.1",
    "http://10.255.255.255",
    "http://172.16.0.1",
    "http://172.31.255.255",
    "http://192.168.1.1",
    "http://100.64.0.1",
    "http://100.127.255.255",
    "http://169.254.1.1",
    "http://198.18.0.1",
    "http://198.19.255.255",
    "http://192.0.0.8",
    "http://192.0.2.1",
    "http://198.51.100.1",
    "http://203.0.113.1",
    "http://192.88.99.1",
    "http://224.0.0.1",
    "http://239.255.255.250",
    "http://240.0.0.1",
    "http://255.255.255.255",
    // Where clouds keep the secrets of their machines.
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2",
    "http://100.100.100.200",
    "http://192.0.0.192",
    "http://168.63.129.16",
    "http://[fd00:ec2::254]",
    "http://[fe80::a9fe:a9fe]",
    // IPv4 inside IPv6: mapped, translated, compatible, NAT64, 6to4, Teredo, ISATAP.
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[::ffff:a9fe:a9fe]",
    "http://[::FFFF:10.0.0.1]",
    "http://[::ffff:0:127.0.0.1]",
    "http://[::127.0.0.1]",
    "http://[::a00:1]",
    "http://[64:ff9b::127.0.0.1]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[64:ff9b:1::8.8.8.8]",
    "http://[2002:7f00:1::]",
    "http://[2002:a9fe:a9fe::1]",
    "http://[2002:c0a8:101::1]",
    "http://[2001:0:7f00:1::]",
    "http://[2001:0:808:808::f7f7:f7f7]",
    "http://[2606:4700::5efe:10.0.0.1]",
    "http://[2606:4700::200:5efe:127.0.0.1]",
    // Other IPv6 that is not public.
    "http://[fe80::1]",
    "http://[febf::1]",
    "http://[fec0::1]",
    "http://[fc00::1]",
    "http://[fdff::1]",
    "http://[ff02::1]",
    "http://[ff0e::1]",
    "http://[100::1]",
    "http://[2001:db8::1]",
    "http://[2001:2::1]",
    "http://[2001:10::1]",
    "http://[3fff::1]",
    "http://[5f00::1]",
    "http://[4000::1]",
    // Zones, which no address of the public internet has.
    "http://[fe80::1%25eth0]",
    "http://[fe80::1%eth0]",
    "http://[::1%25lo]",
    // Whose host is it?
    "http://8.8.8.8@127.0.0.1",
    "http://models.example@10.0.0.1",
    "http://models.example:80@127.0.0.1:80",
    "http://127.0.0.1#@models.example",
    "http://127.0.0.1?@models.example",
    "http://127.0.0.1\\@models.example",
    "http:\\\\127.0.0.1",
    "http:/127.0.0.1",
    "http:127.0.0.1",
    "http://\t127.0.0.1",
    "http://127.0.\n0.1",
    "https://user:password@models.example",
    "https://token@models.example",
    // Schemes and ports.
    "file:///etc/passwd",
    "ftp://models.example",
    "gopher://models.example",
    "data:text/plain,x",
    "javascript:alert(1)",
    "unix:/run/docker.sock",
    "ws://models.example",
    "models.example",
    "//models.example",
    "http://",
    "http://models.example:22",
    "http://models.example:25",
    "http://models.example:0",
    "https://models.example:995",
    "http://models.example:65536",
    "http://256.256.256.256",
    "http://1.2.3.4.5",
    "http://[::1",
    "http://[]",
];

/// Public, however odd.
const TAKEN: &[&str] = &[
    "https://models.example/v1",
    "https://models.example.:443/v1",
    "http://models.example:8080/v1",
    "https://models.example:1024",
    "http://8.8.8.8",
    "http://134744072",
    "http://1.1.1.1/v1",
    "http://9.255.255.255",
    "http://11.0.0.1",
    "http://100.63.255.255",
    "http://100.128.0.1",
    "http://172.15.0.1",
    "http://172.32.0.1",
    "http://192.0.78.12",
    "http://192.167.255.255",
    "http://198.17.255.255",
    "http://198.20.0.1",
    "http://223.255.255.255",
    "http://168.63.129.17",
    "http://[2606:4700::1111]/v1",
    "http://[2a00:1450::1]",
    "http://[::ffff:8.8.8.8]",
    "http://[64:ff9b::8.8.8.8]",
    "http://[2002:808:808::1]",
    "http://[2001:200::1]",
    "http://[2606:4700::5efe:8.8.8.8]",
    "https://localhost.example",
    "https://xn--mdells-bua.example",
];

/// Names that a resolver answers with this machine, or nobody does.
const NAMES: [&str; 4] =
    ["localhost6", "ip6-localhost", "localhost.localdomain", "127.0.0.1.nip.io"];

const REDIRECTS: [&str; 5] =
    ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"];

/// What went wrong, and how much was tried.
#[derive(Debug)]
pub struct Outcome {
    /// Writings of forbidden places, writings of public ones, names, redirects.
    pub tried: [usize; 4],
    /// Taken, asked or followed, but should not have been; or refused without need.
    pub wrong: Vec<String>,
}

/// Try every writing and name, and each kind of redirect so many `times`.
pub async fn run(times: usize) -> Outcome {
    let mut wrong = Vec::new();
    wrong.extend(REFUSED.iter().filter(|url| open(url, false).is_ok()).map(|u| (*u).to_owned()));
    let refused =
        TAKEN.iter().filter_map(|url| Some(format!("{url}: {}", open(url, false).err()?)));
    wrong.extend(refused);
    if let Err(e) = open("http://127.0.0.1:11434/v1", true) {
        wrong.push(format!("a private address where that is meant: {e}"));
    }
    for name in NAMES {
        let endpoint = open(&format!("http://{name}:8080"), false).unwrap().unwrap();
        let answer = endpoint.ask::<Value>("x", "y").await;
        if !matches!(answer, Err(AskError::Away { .. })) {
            wrong.push(format!("{name}: {answer:?}"));
        }
    }
    let redirects = REDIRECTS.repeat(times);
    wrong.extend(follow(&redirects).await);
    let tried = [REFUSED.len(), TAKEN.len(), NAMES.len(), redirects.len()];
    Outcome { tried, wrong }
}

fn open(url: &str, private: bool) -> Result<Option<Endpoint>, ConfigError> {
    let mut settings = rig::settings().endpoint;
    settings.url = url.into();
    settings.model = "m".into();
    settings.timeout_ms = 2000;
    settings.allow_private_addresses = private;
    Endpoint::open(&settings)
}

/// Ask an endpoint that answers with `redirects` to another place; what is wrong with that.
async fn follow(redirects: &[&'static str]) -> Vec<String> {
    let (first, second) = (listen().await, listen().await);
    let elsewhere = second.local_addr().unwrap();
    let url = format!("http://{}", first.local_addr().unwrap());
    let answers = redirects.to_vec();
    let answering = tokio::spawn(async move {
        for status in answers {
            let (mut socket, _) = first.accept().await.unwrap();
            let mut request = [0; 4096];
            assert!(socket.read(&mut request).await.unwrap() > 0);
            let answer = format!(
                "HTTP/1.1 {status}\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let endpoint = open(&url, true).unwrap().unwrap();
    let mut wrong = Vec::new();
    for redirect in redirects {
        let answer = endpoint.ask::<Value>("x", "y").await;
        if !matches!(answer, Err(AskError::Useless(_))) {
            wrong.push(format!("{redirect}: {answer:?}"));
        }
    }
    answering.await.unwrap();
    if timeout(Duration::ZERO, second.accept()).await.is_ok() {
        wrong.push("somebody came to the place that a redirect pointed to".into());
    }
    wrong
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}
