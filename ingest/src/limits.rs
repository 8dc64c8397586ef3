//! Every bound of the wire and of the normalisers, in one place. Sizes are bytes unless the name says otherwise.

/// Body of a webhook delivery.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 1 << 20;
/// Body of an upload: one file of 5 MiB and its multipart frame.
pub const UPLOAD_BODY_BYTES_MAX: usize = UPLOAD_FILE_BYTES_MAX + (64 << 10);
/// One uploaded file.
pub const UPLOAD_FILE_BYTES_MAX: usize = 5 << 20;
/// Body of an inbound e-mail (Postmark allows 35 MB with attachments).
pub const MAIL_BODY_BYTES_MAX: usize = 35 << 20;
/// The header of a GitHub-sized delivery is the largest that any platform documents.
pub const HEADER_VALUE_BYTES_MAX: usize = 8 << 10;

/// Signatures tried from one header; a longer list is cut, so a sender cannot buy our CPU.
pub const SIGNATURES_MAX: usize = 8;
/// Nesting that a path into a JSON document may have.
pub const POINTER_DEPTH_MAX: usize = 8;

/// The user's words in one signal.
pub const VERBATIM_BYTES_MAX: usize = 256 << 10;
/// Text of one post (Reddit allows 40,000 characters).
pub const POST_BYTES_MAX: usize = 160 << 10;
/// Text or HTML of one mail that is looked at.
pub const MAIL_TEXT_BYTES_MAX: usize = 2 << 20;
/// Text of one inbox item (a transcript, a document).
pub const INBOX_BYTES_MAX: usize = 1 << 20;
/// Title, name, segment, link and other one-line fields.
pub const FIELD_BYTES_MAX: usize = 2 << 10;
/// Interpretation and other secondary prose.
pub const PROSE_BYTES_MAX: usize = 16 << 10;
/// `source_ref` and the object key made of it.
pub const REF_BYTES_MAX: usize = 1_024;
/// Event type, as stored for filters.
pub const EVENT_TYPE_BYTES_MAX: usize = 128;
/// Tags kept of one signal.
pub const TAGS_MAX: usize = 32;
/// One tag.
pub const TAG_BYTES_MAX: usize = 128;

/// Keys of one JSON object that a normaliser looks at.
pub const JSON_KEYS_MAX: usize = 2_000;
/// Elements of one JSON array that a normaliser looks at.
pub const JSON_ITEMS_MAX: usize = 10_000;
/// Values in the JSON that a sender attaches as metadata.
pub const JSON_NODES_MAX: usize = 50_000;
/// Values of it that are kept; the rest is dropped and said so.
pub const METADATA_NODES_MAX: usize = 1_000;
/// Nesting of it that is kept.
pub const METADATA_DEPTH_MAX: usize = 6;

/// Records from one delivery: rows of a table, chunks of a text, events of a batch.
pub const RECORDS_MAX: usize = 10_000;
/// Text above this size becomes a parent and its chunks.
pub const CHUNK_ABOVE_BYTES: usize = 4_000;
/// One chunk: about the 256 tokens that the default model reads.
pub const CHUNK_BYTES_MAX: usize = 1_200;
/// Parent text of a chunked or row-wise upload: enough to recognise it by.
pub const PARENT_BYTES_MAX: usize = 8_000;
/// Columns of one CSV row.
pub const CSV_COLUMNS_MAX: usize = 256;
/// Pages of one PDF.
pub const PDF_PAGES_MAX: usize = 500;
/// What the streams of one PDF may inflate to.
pub const PDF_INFLATED_BYTES_MAX: u64 = 64 << 20;
/// Text taken from one PDF.
pub const PDF_TEXT_BYTES_MAX: usize = 4 << 20;
/// Parts of one multipart body.
pub const PARTS_MAX: usize = 200;

/// Earliest time that is believed, in microseconds: 1970-01-01.
pub const TIME_MIN_US: i64 = 0;
/// Latest time that is believed, in microseconds: 2100-01-01.
pub const TIME_MAX_US: i64 = 4_102_444_800_000_000;
/// A version may lie this far after the arrival of its delivery, in microseconds (one day); a wild
/// clock must not win over every later edit.
pub const VERSION_AHEAD_US: i64 = 86_400_000_000;
