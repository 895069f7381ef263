//! The pcap format, in all its variants.

use pinion_pcaps::capture::{CaptureError, Cut};
use pinion_pcaps::link::LinkType;

use super::build::{Bytes, Seen, frames, read};
use super::wireshark;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;

fn two_frames(big: bool, magic: u32, link: u32) -> Vec<u8> {
    let frame = [0x42; 60];
    Bytes::new(big)
        .pcap_header(magic, link)
        .pcap_record(1_700_000_000, 999_999, 60, &frame)
        .pcap_record(0, 1, 61, &[frame.as_slice(), &[7]].concat())
        .bytes
}

#[test]
fn both_byte_orders_and_both_resolutions() {
    for big in [false, true] {
        for (magic, scale) in [(MICROSECONDS, 1000), (NANOSECONDS, 1)] {
            let file = two_frames(big, magic, 1);
            let seen = frames(&file);
            let numbers: Vec<_> =
                seen.iter().map(|seen| (seen.number, seen.nanoseconds, seen.wire, seen.bytes.len())).collect();
            assert_eq!(numbers, [(1, 1_700_000_000_000_000_000 + 999_999 * scale, 60, 60), (2, scale, 61, 61)]);
            assert_eq!(seen[1].bytes[60], 7);
            wireshark::agrees(&file);
        }
    }
}

#[test]
fn link_types_are_those_of_the_registry() {
    let known = [
        (0, LinkType::Null),
        (1, LinkType::Ethernet),
        (12, LinkType::Raw),
        (14, LinkType::Raw),
        (101, LinkType::Raw),
        (108, LinkType::Loop),
        (113, LinkType::Cooked1),
        (228, LinkType::Ipv4),
        (229, LinkType::Ipv6),
        (276, LinkType::Cooked2),
    ];
    for (number, link) in known {
        let file = two_frames(false, MICROSECONDS, number);
        assert!(frames(&file).iter().all(|seen| seen.link == link));
    }
}

#[test]
fn an_unknown_link_type_is_counted() {
    let read = read(&two_frames(false, MICROSECONDS, 127));
    assert!(read.frames.iter().all(|seen| seen.link == LinkType::Other(127)));
    assert_eq!((read.warnings.unknown_link, read.warnings.first_unknown_link), (2, Some(127)));
    let messages: Vec<_> = read.warnings.messages().collect();
    assert_eq!(messages, ["2 frames of an unknown link type (the first: 127)"]);
}

#[test]
fn the_length_of_a_check_sequence_is_no_part_of_the_link_type() {
    assert_eq!(frames(&two_frames(true, MICROSECONDS, 0x5400_0001))[0].link, LinkType::Ethernet);
}

#[test]
fn frames_cut_by_the_snap_length_are_counted() {
    let file = Bytes::new(false)
        .pcap_header(MICROSECONDS, 1)
        .pcap_record(1, 0, 1500, &[1; 96])
        .pcap_record(2, 0, 60, &[1; 60])
        .bytes;
    let read = read(&file);
    assert_eq!((read.frames[0].wire, read.frames[0].bytes.len()), (1500, 96));
    assert_eq!(read.warnings.truncated, 1);
    assert_eq!(read.warnings.messages().collect::<Vec<_>>(), ["1 frame cut by the capture's snap length"]);
}

#[test]
fn a_file_may_end_anywhere() {
    let file = two_frames(false, NANOSECONDS, 1);
    let all: Vec<Seen> = frames(&file);
    let second = 24 + 16 + 60;
    for len in 0..file.len() {
        let read = read(&file[..len]);
        match len {
            0 => assert!(matches!(read.error, Some(CaptureError::Empty))),
            1..4 => {
                assert!(matches!(read.error, Some(CaptureError::NotACapture { begins }) if begins == file[..len]));
            }
            4..24 => {
                assert!(
                    matches!(read.error, Some(CaptureError::HeaderCut { found, need: 24 }) if found == len as u64)
                );
            }
            _ => {
                assert!(read.error.is_none());
                let whole = usize::from(len >= second);
                assert_eq!(read.frames, all[..whole]);
                let offset = if whole == 1 { second } else { 24 };
                let found = (len - offset) as u64;
                let need = if found < 16 { 16 } else { [76, 77][whole] };
                let cut = Cut { number: whole as u64 + 1, offset: offset as u64, need, found };
                assert_eq!(read.warnings.cut, (found > 0).then_some(cut), "{len}");
            }
        }
    }
}

#[test]
fn a_cut_off_record_is_told_of() {
    let file = two_frames(false, MICROSECONDS, 1);
    let messages: Vec<_> = read(&file[..file.len() - 1]).warnings.messages().collect();
    assert_eq!(
        messages,
        ["the file ends inside the record of frame 2: it begins at byte 100 and has 76 of 77 bytes"]
    );
}

#[test]
fn what_is_not_a_capture_is_shown() {
    let read = read(b"\x7fELF and so on");
    assert_eq!(
        read.error.unwrap().to_string(),
        "not a capture: begins with 7f 45 4c 46, neither pcap (d4 c3 b2 a1, 4d 3c b2 a1 or their reverse) nor pcapng (0a 0d 0d 0a)"
    );
}

#[test]
fn an_unknown_version_is_refused() {
    let file = Bytes::new(true).u32(MICROSECONDS).u16(3).u16(1).raw(&[0; 16]).bytes;
    assert!(matches!(read(&file).error, Some(CaptureError::UnknownVersion { offset: 0, major: 3, minor: 1 })));
}

#[test]
fn a_record_may_have_16_mib_and_no_more() {
    let most = (16 << 20) - 16;
    let header = || Bytes::new(false).pcap_header(MICROSECONDS, 1).pcap_record(1, 0, 4, &[0; 4]);
    let largest = header().pcap_record(1, 0, most, &vec![5; most as usize]).bytes;
    assert_eq!(frames(&largest)[1].bytes.len(), most as usize);

    let larger = header().u32(1).u32(0).u32(most + 1).u32(most + 1).bytes;
    let read = read(&larger);
    assert_eq!(read.frames.len(), 1);
    assert!(matches!(read.error, Some(CaptureError::TooLarge { offset: 44, len: 16_777_217, most: 16_777_216 })));
}
