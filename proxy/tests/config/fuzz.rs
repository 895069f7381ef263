//! Whatever a file holds: no panic, and every mistake has a place in it.

use bolero::check;

use crate::mistakes::POOLED;
use crate::mistakes::pfcp::N4;
use pinion::config::{Host, parse};

fn try_it(bytes: &[u8]) {
    let host = Host {
        addresses: vec![[10, 0, 0, 11].into(), [127, 0, 0, 1].into()],
        interfaces: vec!["lo".to_owned()],
        files: true,
        sctp: Some(false),
        ..Host::default()
    };
    let found = match parse(bytes, &host) {
        Ok(read) => {
            assert!(!read.config.services.is_empty());
            read.warnings
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            mistakes
        }
    };
    let text = String::from_utf8_lossy(bytes);
    // What YAML takes for ends of lines.
    let lines: Vec<_> = text.split(['\n', '\r']).collect();
    for mistake in &found {
        let (line, column) = (mistake.line(), mistake.column());
        assert!((1..=lines.len() as u64).contains(&line), "{mistake} of {} lines", lines.len());
        let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) as u64;
        assert!((1..=longest + 2).contains(&column), "{mistake} of {longest} columns");
        assert!(!mistake.what().is_empty() && !mistake.what().contains('\n'), "{mistake}");
    }
    assert!(found.is_sorted(), "in the order of the file");
}

#[test]
fn any_bytes() {
    check!().for_each(try_it);
}

/// Pieces of a good configuration, in any order and with anything between.
#[test]
fn any_pieces() {
    let whole = [POOLED, N4].concat();
    let pieces: Vec<&str> = whole.split_inclusive(['\n', ' ', ':', ',', '[', ']', '{', '}']).collect();
    check!().with_type::<Vec<(u16, u8, char)>>().for_each(|picks| {
        let mut text = String::new();
        let mut at = 0;
        for (jump, run, letter) in picks {
            for piece in pieces.iter().cycle().skip(at).take(usize::from(*run)) {
                text.push_str(piece);
            }
            text.push(*letter);
            at = usize::from(*jump) % pieces.len();
        }
        try_it(text.as_bytes());
    });
}

/// A good configuration in which a stretch is something else.
#[test]
fn any_replacement() {
    const WORDS: &[&str] = &[
        "",
        "[]",
        "{}",
        "0",
        "-1",
        "65536",
        "true",
        "~",
        "''",
        "&a ",
        "*a",
        "!x ",
        "\t",
        "\n",
        "---\n",
        "'",
        "[",
        "- ",
        "10.0.0.11",
        "::",
        "ff02::1",
        "1h",
        "0ms",
        "sctp",
        "pfcp",
        "é",
        "<<: ",
        "? ",
        ": ",
        "99999999999999999999",
    ];
    check!().with_type::<(bool, Vec<(u16, u8, u8)>)>().for_each(|(n4, changes)| {
        let mut text = if *n4 { N4 } else { POOLED }.to_owned();
        for (from, length, word) in changes.iter().take(8) {
            let from = usize::from(*from) % (text.len() + 1);
            let to = (from + usize::from(*length) % 12).min(text.len());
            if text.is_char_boundary(from) && text.is_char_boundary(to) {
                text.replace_range(from..to, WORDS[usize::from(*word) % WORDS.len()]);
            }
        }
        try_it(text.as_bytes());
    });
}
