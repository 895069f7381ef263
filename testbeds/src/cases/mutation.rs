//! Frames made wrong in the ways that wires, bugs and attackers make them wrong.

use super::dice::Dice;

/// An Ethernet header: no engine runs less.
const LEAST: usize = 14;

/// Makes a frame wrong, or at least unusual; it stays at least as long as an Ethernet header.
pub fn mutate(dice: &mut Dice, frame: &mut Vec<u8>) {
    for _ in 0..=dice.below(2) {
        match dice.weighted(&[30, 8, 25, 8, 8, 8, 8, 5]) {
            0 => flip(dice, frame),
            1 => frame.truncate(LEAST + dice.below(frame.len().saturating_sub(LEAST) + 1)),
            2 => length(dice, frame),
            3 => duplicate(dice, frame),
            4 => options(dice, frame),
            5 => extension(dice, frame),
            6 => tag(dice, frame),
            _ => {
                let more = dice.below(40);
                let bytes = dice.bytes(more);
                frame.extend(bytes);
            }
        }
    }
    if frame.len() < LEAST {
        frame.resize(LEAST, 0);
    }
}

/// Flips bits; the headers more often than what is behind them.
fn flip(dice: &mut Dice, frame: &mut [u8]) {
    for _ in 0..=dice.below(4) {
        let reach = if dice.chance(80) { 90 } else { usize::MAX };
        let at = dice.below(frame.len().min(reach));
        let bit = 1 << dice.below(8);
        if let Some(byte) = frame.get_mut(at) {
            *byte ^= bit;
        }
    }
}

/// Writes a telling number over two bytes where length fields lie.
fn length(dice: &mut Dice, frame: &mut [u8]) {
    let about = frame.len() as u16;
    let number = match dice.below(4) {
        0 => dice.pick(&[0_u16, 1, 2, 3, 4, 5, 7, 8, 16, 19, 20, 21, 0x7fff, 0xffff]),
        1 => about.wrapping_sub(dice.below(80) as u16),
        2 => dice.below(64) as u16,
        _ => dice.roll() as u16,
    };
    let at = 12 + dice.below(frame.len().saturating_sub(13).min(160));
    let at = if dice.chance(70) { at & !1 } else { at };
    if let Some(field) = frame.get_mut(at..at + 2) {
        field.copy_from_slice(&number.to_be_bytes());
    }
}

/// Repeats a run of bytes: a chunk, a parameter, an option.
fn duplicate(dice: &mut Dice, frame: &mut Vec<u8>) {
    let at = LEAST + dice.below(frame.len().saturating_sub(LEAST)) / 4 * 4;
    let end = (at + 4 + dice.below(8) * 4).min(frame.len());
    let run = frame.get(at..end).unwrap_or_default().to_vec();
    let times = 1 + dice.below(3);
    frame.splice(end..end, run.repeat(times));
    mend(dice, frame);
}

/// Inserts IPv4 options, and counts them.
fn options(dice: &mut Dice, frame: &mut Vec<u8>) {
    let words = 1 + dice.below(10);
    if let Some(first) = frame.get_mut(LEAST)
        && *first >> 4 == 4
        && (*first & 15) as usize + words <= 15
    {
        *first += words as u8;
        let at = (LEAST + 20).min(frame.len());
        frame.splice(at..at, vec![1; words * 4]);
        mend(dice, frame);
    }
}

/// Inserts an IPv6 extension header.
fn extension(dice: &mut Dice, frame: &mut Vec<u8>) {
    let kind = dice.pick(&[0_u8, 43, 44, 51, 60, 135, 139, 140]);
    let size = if kind == 44 { 0 } else { dice.below(4) };
    let next = frame.get(LEAST + 6).copied().unwrap_or(0);
    let mut header = dice.bytes((size + 1) * 8);
    for (at, byte) in [next, size as u8, 0, 0].into_iter().enumerate() {
        if let Some(place) = header.get_mut(at) {
            *place = byte;
        }
    }
    if kind == 44 && dice.chance(50) {
        header.splice(2..4, [dice.roll() as u8, dice.roll() as u8]);
    }
    if kind == 51 {
        header.splice(1..2, [(size * 2) as u8]);
    }
    if frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.len() >= LEAST + 40 {
        frame.splice(LEAST + 40..LEAST + 40, header);
        frame.splice(LEAST + 6..LEAST + 7, [kind]);
        mend(dice, frame);
    }
}

/// Puts a VLAN tag in front, or takes one away.
fn tag(dice: &mut Dice, frame: &mut Vec<u8>) {
    if dice.chance(70) {
        let ethertype = dice.pick(&[0x8100_u16, 0x88a8, 0x9100]);
        let tci = dice.roll() as u16;
        let tag = [ethertype.to_be_bytes(), tci.to_be_bytes()].concat();
        frame.splice(12..12, tag);
    } else if frame.len() >= LEAST + 4 {
        frame.drain(12..16);
    }
}

/// Makes the IP length that of the frame, most of the time.
fn mend(dice: &mut Dice, frame: &mut [u8]) {
    if dice.chance(15) {
        return;
    }
    let whole = frame.len() as u16;
    let (at, length) = match frame.get(12..14) {
        Some([0x08, 0x00]) => (LEAST + 2, whole.saturating_sub(14)),
        Some([0x86, 0xdd]) => (LEAST + 4, whole.saturating_sub(54)),
        _ => return,
    };
    if let Some(field) = frame.get_mut(at..at + 2) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}
