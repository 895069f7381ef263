//! Other builds of the daemon, as an upgrade comes from them: this one's program file with other bytes in a few places.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pinion_loader::object::OBJECT;
use pinion_steering::Reason;

use super::wrong;
use crate::failure::Failure;

/// What another build has otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// The XDP program's instructions; the tables are the same.
    Program,
    /// What one of the counters counts: the tables are of another schema, and sessions are laid out alike.
    Counters,
    /// How a flow is laid out.
    Flows,
}

impl Build {
    /// Writes this build of the program file `of` to `to`.
    ///
    /// # Errors
    ///
    /// [`Failure::File`]; [`Failure::Tool`] where there is nothing to be changed.
    pub(super) fn write(self, of: &Path, to: &Path) -> Result<(), Failure> {
        let file = wrong("another build of the daemon");
        let mut bytes = fs::read(of).map_err(&file)?;
        let changed = match self {
            Self::Program => replace(&mut bytes, OBJECT, &other_instructions(OBJECT)),
            Self::Counters => {
                let name = Reason::UnreachableAnswered.name();
                replace(&mut bytes, name.as_bytes(), name.to_uppercase().as_bytes())
            }
            Self::Flows => replace(&mut bytes, b"Flow.seen", b"Flow.SEEN"),
        };
        if changed == 0 {
            let reason = format!("the program has nothing that {self:?} could change");
            return Err(Failure::Tool { program: "another build", reason });
        }
        fs::write(to, bytes).and_then(|()| fs::set_permissions(to, Permissions::from_mode(0o755))).map_err(file)
    }
}

/// Replaces every occurrence by as many bytes; how many it were.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    let mut found = 0;
    let Some(first) = from.first().filter(|_| from.len() == to.len() && from != to) else { return 0 };
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| byte == first)) {
        at += next;
        match bytes.get_mut(at..at + from.len()) {
            Some(place) if *place == *from => {
                place.copy_from_slice(to);
                found += 1;
                at += from.len();
            }
            _ => at += 1,
        }
    }
    found
}

/// An object whose programs do the same in other words: what moves a small number to the whole of a register moves it
/// to the lower half, which clears the upper one (RFC 9669 4.1).
fn other_instructions(object: &[u8]) -> Vec<u8> {
    const MOVE_WHOLE: u8 = 0xb7;
    const MOVE_LOWER: u8 = 0xb4;
    const LOAD_WIDE: u8 = 0x18;
    let mut other = object.to_vec();
    for (begin, length) in code(object).unwrap_or_default() {
        let Some(section) = other.get_mut(begin..begin + length) else { continue };
        let mut second = false;
        for instruction in section.chunks_exact_mut(8) {
            let wide = std::mem::take(&mut second);
            if let [operation, _, 0, 0, _, _, _, sign] = instruction {
                if *operation == MOVE_WHOLE && *sign < 0x80 && !wide {
                    *operation = MOVE_LOWER;
                }
                second = *operation == LOAD_WIDE && !wide;
            }
        }
    }
    other
}

/// Where the executable sections of an ELF file are: offset and length.
fn code(elf: &[u8]) -> Option<Vec<(usize, usize)>> {
    // elf(5), Elf64_Ehdr and Elf64_Shdr.
    const EXECUTABLE: u64 = 4;
    let word = |at: usize| Some(u64::from_le_bytes(*elf.get(at..)?.first_chunk()?));
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(*elf.get(at..)?.first_chunk()?)));
    let (table, each, count) = (usize::try_from(word(40)?).ok()?, half(58)?, half(60)?);
    let mut found = Vec::new();
    for number in 0..count {
        let header = table + number * each;
        if word(header + 8)? & EXECUTABLE != 0 {
            found.push((usize::try_from(word(header + 24)?).ok()?, usize::try_from(word(header + 32)?).ok()?));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_program_differs_in_little() {
        let other = other_instructions(OBJECT);
        let differences = OBJECT.iter().zip(&other).filter(|(one, other)| one != other).count();
        assert!(differences > 0 && differences < OBJECT.len() / 20, "{differences}");
    }

    #[test]
    fn all_that_is_meant_is_replaced() {
        let mut bytes = *b"aabaab ab";
        assert_eq!(replace(&mut bytes, b"ab", b"AB"), 3);
        assert_eq!(&bytes, b"aABaAB AB");
        assert_eq!(replace(&mut bytes, b"ab", b"AB"), 0);
    }
}
