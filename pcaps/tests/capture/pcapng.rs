//! The pcapng format: sections, interfaces, clocks, blocks.

use pinion_pcaps::capture::{CaptureError, Cut};
use pinion_pcaps::link::LinkType;

use super::build::{Bytes, frames, read};
use super::wireshark;

const FRAME: [u8; 61] = [0x42; 61];

/// Nanoseconds of one packet with a time of `ticks`, on an interface with these options.
fn time(ticks: u64, options: impl Fn(Bytes) -> Bytes) -> u128 {
    for big in [false, true] {
        let file = Bytes::new(big).section().interface(1, 0, &options).enhanced(0, ticks, 61, &FRAME).bytes;
        wireshark::agrees(&file);
    }
    let file = Bytes::new(false).section().interface(1, 0, options).enhanced(0, ticks, 61, &FRAME).bytes;
    frames(&file)[0].nanoseconds
}

#[test]
fn time_resolutions() {
    let resolution = |byte: u8| move |bytes: Bytes| bytes.option(9, &[byte]).option(0, &[]);
    assert_eq!(time(1_700_000_000_123_456, |bytes| bytes), 1_700_000_000_123_456_000);
    assert_eq!(time(1_700_000_000_123_456, resolution(6)), 1_700_000_000_123_456_000);
    assert_eq!(time(1_700_000_000_123_456_789, resolution(9)), 1_700_000_000_123_456_789);
    assert_eq!(time(1_700_000_000, resolution(0)), 1_700_000_000_000_000_000);
    assert_eq!(time(1_700_000_000_123, resolution(3)), 1_700_000_000_123_000_000);
    assert_eq!(time((1_700_000_000 << 16) + 0x8000, resolution(0x80 + 16)), 1_700_000_000_500_000_000);
    assert_eq!(time((5 << 30) + 1, resolution(0x80 + 30)), 5_000_000_000);
}

#[test]
fn resolutions_finer_than_any_clock_do_no_harm() {
    // tshark 4.0 is no judge here: its arithmetic overflows.
    for (byte, expected) in [
        (12, 18_446_744_073_709_551),
        (19, 1_844_674_407),
        (20, 184_467_440),
        (127, 0),
        (0x80 + 64, 999_999_999),
        (0xff, 0),
    ] {
        let file = Bytes::new(false).section().interface(1, 0, |bytes| bytes.option(9, &[byte]));
        assert_eq!(frames(&file.enhanced(0, u64::MAX, 61, &FRAME).bytes)[0].nanoseconds, expected, "{byte:#x}");
    }
}

#[test]
fn time_offsets() {
    let offset = |seconds: i64| {
        let file = Bytes::new(true).section().interface(1, 0, |bytes| bytes.option(14, &seconds.to_be_bytes()));
        frames(&file.enhanced(0, 5_000_001, 61, &FRAME).bytes)[0].nanoseconds
    };
    assert_eq!(offset(1_700_000_000), 1_700_000_005_000_001_000);
    assert_eq!(offset(-2), 3_000_001_000);
    assert_eq!(offset(-6), 0, "before 1970");
    assert_eq!(offset(i64::MIN), 0);
    let file = Bytes::new(false).section().interface(1, 0, |bytes| bytes.option(14, &9i64.to_le_bytes()));
    wireshark::agrees(&file.enhanced(0, 5_000_001, 61, &FRAME).bytes);
}

#[test]
fn each_interface_has_its_link_type_and_clock() {
    let file = Bytes::new(false)
        .section()
        .interface(1, 0, |bytes| bytes.option(2, b"eth0").option(9, &[9]))
        .enhanced(0, 7, 61, &FRAME)
        .interface(113, 0, |bytes| bytes.option(9, &[6]).option(0, &[]))
        .enhanced(1, 7, 61, &FRAME)
        .enhanced(0, 8, 61, &FRAME)
        .bytes;
    let seen: Vec<_> = frames(&file).into_iter().map(|seen| (seen.number, seen.link, seen.nanoseconds)).collect();
    assert_eq!(seen, [(1, LinkType::Ethernet, 7), (2, LinkType::Cooked1, 7000), (3, LinkType::Ethernet, 8)]);
    wireshark::agrees(&file);
}

#[test]
fn a_section_has_its_own_byte_order_and_interfaces() {
    let mut first = Bytes::new(false).section().interface(1, 0, |bytes| bytes).enhanced(0, 1, 61, &FRAME);
    let second = Bytes::new(true).section().interface(101, 0, |bytes| bytes).enhanced(0, 2, 61, &FRAME);
    first.bytes.extend(second.bytes);
    let seen: Vec<_> = frames(&first.bytes).into_iter().map(|seen| (seen.link, seen.nanoseconds)).collect();
    assert_eq!(seen, [(LinkType::Ethernet, 1000), (LinkType::Raw, 2000)]);
    wireshark::agrees(&first.bytes);

    let without = Bytes::new(true).section().enhanced(0, 2, 61, &FRAME);
    let file = Bytes::new(true).section().interface(1, 0, |bytes| bytes).raw(&without.bytes).bytes;
    assert!(matches!(
        read(&file).error,
        Some(CaptureError::UnknownInterface { offset: 76, interface: 0, known: 0 })
    ));
}

#[test]
fn the_old_packet_block() {
    let old =
        |body: Bytes| body.u16(1).u16(65_535).u32(0).u32(3).u32(61).u32(70).padded(&FRAME).option(2, &[0; 4]);
    let file = Bytes::new(false)
        .section()
        .interface(1, 0, |bytes| bytes)
        .interface(1, 0, |bytes| bytes.option(9, &[9]))
        .block(2, old)
        .bytes;
    let read = read(&file);
    let seen = &read.frames[0];
    assert_eq!((seen.nanoseconds, seen.wire, seen.bytes.as_slice()), (3, 70, FRAME.as_slice()));
    assert_eq!(read.warnings.truncated, 1);
    wireshark::agrees(&file);
}

#[test]
fn the_simple_packet_block() {
    let simple = |wire: u32, bytes: &'static [u8]| move |body: Bytes| body.u32(wire).raw(bytes);
    let file = Bytes::new(false)
        .section()
        .interface(1, 50, |bytes| bytes)
        .enhanced(0, 9, 61, &[1; 40])
        .block(3, simple(61, &FRAME[..50]))
        .block(3, simple(42, &FRAME[..42]))
        .bytes;
    let read = read(&file);
    let seen: Vec<_> = read.frames.iter().map(|seen| (seen.nanoseconds, seen.wire, seen.bytes.len())).collect();
    assert_eq!(seen, [(9000, 61, 40), (9000, 61, 50), (9000, 42, 42)], "the time is that of the frame before");
    assert_eq!((read.warnings.untimed, read.warnings.truncated), (2, 2));
}

#[test]
fn unknown_blocks_are_skipped_whatever_their_size() {
    let file = Bytes::new(false)
        .section()
        .block(5, |body| body.raw(&[0; 12]))
        .interface(1, 0, |bytes| bytes)
        .block(0x0bad, |body| body)
        .block(0x4000_0bad, |body| body.raw(&vec![0; (16 << 20) + 4]))
        .enhanced(0, 1, 61, &FRAME)
        .bytes;
    assert_eq!(frames(&file).len(), 1);
}

#[test]
fn version_1_2_is_1_0() {
    let file = |minor| {
        Bytes::new(false).block(0x0a0d_0d0a, |body| body.u32(0x1a2b_3c4d).u16(1).u16(minor).u64(u64::MAX)).bytes
    };
    assert!(read(&file(2)).error.is_none());
    assert!(matches!(read(&file(1)).error, Some(CaptureError::UnknownVersion { offset: 0, major: 1, minor: 1 })));
}

#[test]
fn damaged_blocks_are_named_with_their_place() {
    let begin = || Bytes::new(false).section().interface(1, 0, |bytes| bytes);
    let error = |bytes: Bytes| read(&bytes.bytes).error.unwrap().to_string();
    let begun = begin().bytes.len();
    assert_eq!(begun, 48);
    assert_eq!(error(begin().u32(6).u32(28).raw(&[0; 20])), "block of type 0x6 at byte 48: bad length 28");
    assert_eq!(error(begin().u32(99).u32(8).raw(&[0; 20])), "block of type 0x63 at byte 48: bad length 8");
    assert_eq!(error(begin().u32(99).u32(17).raw(&[0; 20])), "block of type 0x63 at byte 48: bad length 17");
    assert_eq!(
        error(begin().u32(99).u32(16).u32(0).u32(20)),
        "block of type 0x63 at byte 48: length 16 at its beginning but 20 at its end"
    );
    assert_eq!(
        error(begin().block(6, |body| body.raw(&[0; 12]).u32(9).u32(9).raw(&[0; 8]))),
        "packet in the block at byte 48: 9 bytes captured, but the block has room for 8"
    );
    assert_eq!(
        error(begin().block(3, |body| body.u32(9).raw(&[0; 8]))),
        "packet in the block at byte 48: 9 bytes captured, but the block has room for 8"
    );
    assert_eq!(
        error(begin().enhanced(1, 0, 61, &FRAME)),
        "packet in the block at byte 48: interface 1, but only 1 were described"
    );
    assert_eq!(
        error(begin().u32(6).u32((16 << 20) + 4).raw(&[0; 20])),
        "record at byte 48 is 16777220 bytes long; at most 16777216 are read"
    );
    assert_eq!(
        error(begin().u32(0x0a0d_0d0a).u32(28).u32(7).raw(&[0; 20])),
        "section at byte 48: byte-order magic 07 00 00 00, neither 1a 2b 3c 4d nor 4d 3c 2b 1a"
    );
    assert_eq!(
        error(begin().interface(1, 0, |bytes| bytes.option(9, &[1, 2]))),
        "interface description at byte 48: option 9 has a bad length of 2"
    );
    assert_eq!(
        error(begin().interface(1, 0, |bytes| bytes.u16(2).u16(5).u32(0))),
        "interface description at byte 48: option 2 has a bad length of 5"
    );
}

#[test]
fn interfaces_do_not_fill_the_memory() {
    let mut file = Bytes::new(false).section();
    for _ in 0..65_536 {
        file = file.interface(1, 0, |bytes| bytes);
    }
    assert!(read(&file.bytes).error.is_none());
    let error = read(&file.interface(1, 0, |bytes| bytes).bytes).error;
    assert!(
        matches!(error, Some(CaptureError::TooManyInterfaces { offset: 1_310_748, most: 65_536 })),
        "{error:?}"
    );
}

#[test]
fn a_file_may_end_anywhere() {
    let file = Bytes::new(true)
        .section()
        .interface(1, 0, |bytes| bytes)
        .block(99, |body| body.u32(0))
        .enhanced(0, 1, 61, &FRAME)
        .bytes;
    let ends = [28, 48, 64, file.len()];
    for len in 4..file.len() {
        let read = read(&file[..len]);
        if len < 28 {
            assert!(
                matches!(read.error, Some(CaptureError::HeaderCut { found, .. }) if found == len as u64),
                "{len}"
            );
            continue;
        }
        assert!(read.error.is_none() && read.frames.is_empty(), "{len}");
        let begin = *ends.iter().rfind(|end| **end <= len).unwrap();
        let found = (len - begin) as u64;
        let length = *ends.iter().find(|end| **end > len).unwrap() - begin;
        let need = if found < 12 { 12 } else { length as u64 };
        let cut = Cut { number: 1, offset: begin as u64, need, found };
        assert_eq!(read.warnings.cut, (found > 0).then_some(cut), "{len}");
    }
}
