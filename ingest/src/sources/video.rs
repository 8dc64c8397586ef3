//! Videos by their link and captions that the sender has (VTT, SRT or `[M:SS]` lines). Nothing is
//! fetched.

use millrace_jobs::record::{Change, Content, Origin};
use serde_json::{Value, json};

use super::fields::{Fields, Place, keep};
use super::identity::{self, common_reply, common_wire, hold, refuse};
use super::paste::spread_spoken;
use crate::json::{self, Object};
use crate::limits;
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Video;

const WORDS: &[&str] = &["captions", "transcript", "verbatim", "text"];
const LINKS: [&str; 3] = ["videoUrl", "url", "sourceUrl"];

impl Source for Video {
    fn name(&self) -> &'static str {
        "video"
    }

    fn about(&self) -> &'static str {
        "Video captions: JSON {videoUrl, captions, ...}; YouTube and Loom links"
    }

    fn default_scheme(&self) -> &'static str {
        "api-key"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    fn accept(&self, delivery: &Delivery<'_>, config: &SourceConfig) -> Result<Accepted, Reject> {
        let body = json::decode(delivery.body);
        let object = Object::parse(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
        let fields = Fields::new(object, config).with_words(WORDS);
        let link =
            link(&fields).ok_or(refuse("video_url_missing", "Missing required field: videoUrl"))?;
        video(&link)
            .ok_or(refuse("video_url_unknown", "Unsupported video URL. Accepted: YouTube, Loom"))?;
        if fields.verbatim().is_none() {
            return Err(refuse("captions_missing", "Missing required field: captions"));
        }
        Ok(identity::event(identity::key(delivery, None), Some("video")))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Video received, processing async")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let body = json::decode(stored.body);
        let object = Object::parse(&body).map_err(|why| hold("json_invalid", why))?;
        let fields = Fields::new(object, config).with_words(WORDS);
        let link = link(&fields).ok_or_else(|| hold("field_missing", "videoUrl"))?;
        let (platform, id) = video(&link).ok_or_else(|| hold("field_missing", "videoUrl"))?;
        let place = Place {
            origin: Origin::Video,
            own_ref: format!("video-{platform}-{id}"),
            received_at: stored.received_at,
            event_time: None,
        };
        let Some(mut record) = fields.record(place) else {
            return Ok(Normalized::Ignored("empty"));
        };
        if let Change::Signal(content) = &mut record.change {
            describe(
                content,
                &link,
                platform,
                &id,
                fields.line("title", &["title"], limits::FIELD_BYTES_MAX),
            );
        }
        Ok(Normalized::Records(spread_spoken(record)))
    }
}

fn describe(content: &mut Content, link: &str, platform: &str, id: &str, title: Option<String>) {
    content.source_url = super::fields::web_url(link);
    keep(&mut content.metadata, "videoUrl", Some(link.to_owned()));
    keep(&mut content.metadata, "sourceUrl", Some(link.to_owned()));
    keep(&mut content.metadata, "externalId", Some(id.to_owned()));
    keep(&mut content.metadata, "sourceName", title);
    content.metadata.insert("videoPlatform".into(), json!(platform));
}

fn link(fields: &Fields<'_, '_>) -> Option<String> {
    fields.line("videoUrl", &LINKS, limits::FIELD_BYTES_MAX)
}

/// Platform and id: YouTube's eleven characters, Loom's 32 hexadecimal digits.
fn video(link: &str) -> Option<(&'static str, String)> {
    let (_, rest) = link.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let host = host.to_ascii_lowercase();
    let host = host.trim_start_matches("www.").trim_start_matches("m.");
    let first = |text: &str| text.split(['/', '?', '&', '#']).next().unwrap_or("").to_owned();
    match host {
        "youtu.be" => Some(("youtube", first(path))),
        "youtube.com" | "youtube-nocookie.com" | "music.youtube.com" => {
            let named =
                ["embed/", "v/", "shorts/", "live/"].iter().find_map(|p| path.strip_prefix(p));
            let query =
                || path.split_once('?')?.1.split('&').find_map(|pair| pair.strip_prefix("v="));
            Some(("youtube", first(named.or_else(query)?)))
        }
        "loom.com" => Some((
            "loom",
            first(path.strip_prefix("share/").or_else(|| path.strip_prefix("embed/"))?),
        )),
        _ => None,
    }
    .filter(|(platform, id)| match *platform {
        "youtube" => {
            id.len() == 11
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        }
        _ => id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()),
    })
}

#[cfg(test)]
mod tests {
    use super::video;

    #[test]
    fn links_are_recognised_by_platform() {
        let yes = [
            "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=10",
            "https://youtube.com/watch?list=x&v=dQw4w9WgXcQ",
            "https://youtu.be/dQw4w9WgXcQ?si=1",
            "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
            "https://m.youtube.com/shorts/dQw4w9WgXcQ",
        ];
        for link in yes {
            assert_eq!(video(link), Some(("youtube", "dQw4w9WgXcQ".to_owned())), "{link}");
        }
        let loom = "0123456789abcdef0123456789abcdef";
        let link = format!("https://www.loom.com/share/{loom}?sid=1");
        assert_eq!(video(&link), Some(("loom", loom.to_owned())));
        for link in [
            "",
            "youtube.com",
            "https://youtube.com/watch?v=short",
            "https://evil.test/?v=dQw4w9WgXcQ",
            "https://loom.com/share/xyz",
        ] {
            assert_eq!(video(link), None, "{link}");
        }
    }
}
