//! Where the model endpoint may not be: every way to write an address that is not public.

use millrace_jobs::signals::endpoint::{AskError, ConfigError, Endpoint};
use millrace_tests::rig;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

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

fn open(url: &str, private: bool) -> Result<Option<Endpoint>, ConfigError> {
    let mut settings = rig::settings().endpoint;
    settings.url = url.into();
    settings.model = "m".into();
    settings.timeout_ms = 2000;
    settings.allow_private_addresses = private;
    Endpoint::open(&settings)
}

#[test]
fn every_address_that_is_not_public_is_refused_in_every_writing() {
    assert!(REFUSED.len() >= 60);
    let opened: Vec<&&str> = REFUSED.iter().filter(|url| open(url, false).is_ok()).collect();
    assert_eq!(opened, Vec::<&&str>::new());
}

#[test]
fn public_addresses_and_names_are_taken() {
    let refused: Vec<(&&str, String)> =
        TAKEN.iter().filter_map(|url| Some((url, open(url, false).err()?.to_string()))).collect();
    assert_eq!(refused, Vec::new());
    assert!(open("http://127.0.0.1:11434/v1", true).is_ok(), "where that is said to be meant");
}

#[tokio::test]
async fn names_that_mean_this_machine_are_not_asked() {
    for name in ["localhost6", "ip6-localhost", "localhost.localdomain", "127.0.0.1.nip.io"] {
        let endpoint = open(&format!("http://{name}:8080"), false).unwrap().unwrap();
        let answer = endpoint.ask::<Value>("x", "y").await;
        assert!(matches!(answer, Err(AskError::Away { .. })), "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (first, second) = (listen().await, listen().await);
    let elsewhere = second.local_addr().unwrap();
    let url = format!("http://{}", first.local_addr().unwrap());
    let answers = tokio::spawn(async move {
        for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
        {
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
    for _ in 0..5 {
        let answer = endpoint.ask::<Value>("x", "y").await;
        assert!(matches!(answer, Err(AskError::Useless(_))), "{answer:?}");
    }
    answers.await.unwrap();
    let asked = tokio::time::timeout(std::time::Duration::ZERO, second.accept()).await;
    assert!(asked.is_err(), "nobody came to the place it pointed to");
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}
