//! The NF instance that an SCP is where the configuration names none: made once, and kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::health::Chance;

/// Why it is not known which NF instance this is.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path}: the NF instance cannot be kept there: {source}; give `nf_instance_id`, or a --state folder that is the daemon's"
)]
pub struct InstanceError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// The instance that `folder` keeps; where it has none, one is drawn.
///
/// # Errors
/// Where it can be neither read nor written.
pub fn instance(folder: &Path, chance: &mut Chance) -> Result<String, InstanceError> {
    let path = folder.join("instance");
    let wrong = |source| InstanceError { path: path.clone(), source };
    match fs::read_to_string(&path) {
        Ok(kept) if kept.trim().len() == LENGTH => return Ok(kept.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(wrong(error)),
    }
    let drawn = drawn([chance.draw(), chance.draw()]);
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, format!("{drawn}\n"))).map_err(wrong)?;
    Ok(drawn)
}

/// Characters of a UUID.
const LENGTH: usize = 36;

/// A UUID of version 4 (RFC 9562 5.4).
fn drawn([high, low]: [u64; 2]) -> String {
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let (first, second, third) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    let (fourth, last) = (low >> 48, low & 0xffff_ffff_ffff);
    format!("{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{last:012x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_says_so() {
        assert_eq!(drawn([u64::MAX; 2]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(drawn([0; 2]), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("sbi");
        let first = instance(&place, &mut Chance::keyed([1, 2])).unwrap();
        assert_eq!(instance(&place, &mut Chance::keyed([3, 4])).unwrap(), first);
        assert_eq!(first.len(), LENGTH);
        let unwritable = folder.path().join("sbi/instance");
        assert!(instance(&unwritable, &mut Chance::keyed([1, 2])).is_err());
    }
}
