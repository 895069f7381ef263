//! Own ports that nobody asked for by number.

/// The first of the dynamic ports (RFC 6335 6).
const FIRST: u16 = 49152;

/// Chooses ports one after the other, from one that cannot be guessed on.
#[derive(Debug)]
pub(super) struct Ports {
    next: u16,
}

impl Ports {
    pub(super) fn new([low, high, ..]: [u8; 32]) -> Self {
        Self { next: u16::from_le_bytes([low, high]) | FIRST }
    }

    /// What `take` makes of the port that was asked for, or where that is 0, of the first that it takes.
    pub(super) fn first<T, E>(&mut self, asked: u16, mut take: impl FnMut(u16) -> Result<T, E>) -> Result<T, E> {
        if asked != 0 {
            return take(asked);
        }
        let mut tried = take(self.advance());
        for _ in FIRST..u16::MAX {
            if tried.is_ok() {
                break;
            }
            tried = take(self.advance());
        }
        tried
    }

    fn advance(&mut self) -> u16 {
        let port = self.next;
        self.next = port.wrapping_add(1) | FIRST;
        port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_passed_over_and_every_port_is_tried() {
        let mut ports = Ports::new([0xff; 32]);
        assert_eq!(ports.first(7, Ok::<_, ()>), Ok(7));
        assert_eq!(ports.first(0, |port| if port == u16::MAX { Err(()) } else { Ok(port) }), Ok(FIRST));
        let mut tried = std::collections::BTreeSet::new();
        assert_eq!(
            ports.first(0, |port| if tried.insert(port) { Err::<(), _>(port) } else { Ok(()) }),
            Err(FIRST)
        );
        assert_eq!(tried.len(), 16384);
    }
}
