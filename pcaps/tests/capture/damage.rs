//! Bytes that nobody meant to be a capture.

use std::path::Path;

use pinion_pcaps::capture::{self, CaptureError};

use super::build::{Bytes, read};

#[test]
fn any_bytes_are_read_or_refused() {
    bolero::check!().for_each(check);
}

#[test]
fn any_bytes_after_a_pcap_header_are_read_or_refused() {
    bolero::check!().for_each(|bytes| {
        check(&Bytes::new(false).pcap_header(0xa1b2_c3d4, 1).raw(bytes).bytes);
    });
}

#[test]
fn any_blocks_in_a_section_are_read_or_refused() {
    bolero::check!().with_type::<(bool, Vec<(u8, Vec<u8>)>)>().for_each(|(big, blocks)| {
        let mut file = Bytes::new(*big).section().interface(1, 0, |bytes| bytes);
        for (kind, body) in blocks {
            file = file.block(u32::from(kind % 8), |bytes| bytes.raw(body));
        }
        check(&file.bytes);
    });
}

#[test]
fn any_bytes_in_gzip_wrapping_are_read_or_refused() {
    bolero::check!().for_each(|bytes| check(&[&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0], bytes].concat()));
}

/// No frame has bytes that the file has not.
fn check(bytes: &[u8]) {
    let read = read(bytes);
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        let total: usize = read.frames.iter().map(|frame| frame.bytes.len()).sum();
        assert!(total <= bytes.len());
    }
    assert!(read.frames.iter().zip(1..).all(|(frame, number)| frame.number == number));
}

#[test]
fn what_cannot_be_opened_says_why() {
    let error = capture::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("no-such-file").as_ref()).unwrap_err();
    assert!(matches!(error, CaptureError::Open(_)));
    let error = capture::open(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_err();
    assert!(matches!(error, CaptureError::Io { offset: 0, .. } | CaptureError::Open(_)), "a folder");
}
