//! Gzipped captures.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use pinion_pcaps::capture::CaptureError;

use super::build::{Bytes, frames, read};

fn plain() -> Vec<u8> {
    let mut file = Bytes::new(false).pcap_header(0xa1b2_c3d4, 1);
    for number in 0..20u8 {
        file = file.pcap_record(number.into(), 0, 60, &[number.wrapping_mul(77); 60]);
    }
    file.bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn one_member_or_several() {
    let plain = plain();
    assert_eq!(frames(&gzip(&plain)), frames(&plain));
    for middle in [0, 1, 24, 100, plain.len()] {
        let (first, second) = plain.split_at(middle);
        assert_eq!(frames(&[gzip(first), gzip(b""), gzip(second)].concat()), frames(&plain), "{middle}");
    }
}

#[test]
fn a_gzipped_file_may_end_anywhere() {
    let plain = plain();
    let all = frames(&plain);
    let packed = gzip(&plain);
    for len in 2..packed.len() {
        let read = read(&packed[..len]);
        assert!(all.starts_with(&read.frames), "{len}");
        match read.error {
            None => assert!(read.warnings.gzip_cut, "{len}"),
            Some(CaptureError::Empty | CaptureError::NotACapture { .. } | CaptureError::HeaderCut { .. }) => {
                assert!(read.frames.is_empty(), "{len}");
            }
            Some(error) => panic!("{len}: {error}"),
        }
    }
    let cut = read(&packed[..packed.len() - 1]);
    assert_eq!(cut.frames, all);
    assert_eq!(cut.warnings.messages().collect::<Vec<_>>(), ["the file ends inside its gzip data"]);
}

#[test]
fn damage_in_the_packing_is_an_error() {
    let mut packed = gzip(&plain());
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    let read = read(&packed);
    assert_eq!(read.frames.len(), 20);
    assert!(matches!(read.error, Some(CaptureError::Gzip { offset: 1544, .. })), "{:?}", read.error);
}

#[test]
fn a_gzipped_something_else_is_shown_unpacked() {
    assert!(
        matches!(read(&gzip(b"hello")).error, Some(CaptureError::NotACapture { begins }) if begins == b"hell")
    );
    assert!(matches!(read(&gzip(b"")).error, Some(CaptureError::Empty)));
}
