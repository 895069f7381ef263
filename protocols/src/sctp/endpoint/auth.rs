//! Authentication of chunks (RFC 4895), with the null endpoint pair shared key.

use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;

use super::offer::AuthOffer;
use crate::sctp::ChunkType;

/// HMAC identifiers (RFC 4895 8).
pub(super) const SHA1: u16 = 1;
pub(super) const SHA256: u16 = 3;

/// What chunks of one association are authenticated with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Auth {
    key: Vec<u8>,
    /// The peer's choice of algorithm.
    hmac: u16,
    /// Types of the chunks that the peer wants authenticated.
    chunks: Vec<u8>,
}

impl Auth {
    /// The association shared key (RFC 4895 6.1): both vectors, the numerically smaller one first.
    pub(super) fn new(local: &[u8], peer: &AuthOffer) -> Self {
        let (first, second) =
            if is_smaller(local, &peer.vector) { (local, &*peer.vector) } else { (&*peer.vector, local) };
        Self { key: [first, second].concat(), hmac: peer.hmac, chunks: peer.chunks.clone() }
    }

    /// Whether the peer wants chunks of that type authenticated.
    pub(super) fn covers(&self, kind: ChunkType) -> bool {
        self.chunks.contains(&kind.into())
    }

    /// The algorithm to send with.
    pub(super) fn hmac(&self) -> u16 {
        self.hmac
    }

    /// The HMAC over `bytes`, by the algorithm to send with.
    pub(super) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.digest(self.hmac, &[bytes]).unwrap_or_default()
    }

    /// Whether an AUTH chunk is right: `chunk` from its header on, with the HMAC; `rest` what follows
    /// it, padding included. None where the algorithm is not known (RFC 4895 6.3).
    pub(super) fn verify(&self, algorithm: u16, chunk: &[u8], hmac: &[u8], rest: &[u8]) -> Option<bool> {
        // Header, key identifier, HMAC identifier; then the HMAC, here as zeros.
        let head = chunk.get(..8).unwrap_or_default();
        let zeros = [0; 32];
        let padding = chunk.len().next_multiple_of(4).saturating_sub(chunk.len());
        let zeros = zeros.get(..hmac.len().saturating_add(padding)).unwrap_or(&zeros);
        let right = self.digest(algorithm, &[head, zeros, rest])?;
        let differs = right.iter().zip(hmac).fold(0, |differs, (a, b)| differs | (a ^ b));
        Some(right.len() == hmac.len() && differs == 0)
    }

    fn digest(&self, algorithm: u16, parts: &[&[u8]]) -> Option<Vec<u8>> {
        match algorithm {
            SHA1 => digest::<Hmac<Sha1>>(&self.key, parts),
            SHA256 => digest::<Hmac<Sha256>>(&self.key, parts),
            _ => None,
        }
    }
}

/// Bytes of the HMAC of an algorithm.
pub(super) fn length(hmac: u16) -> usize {
    if hmac == SHA1 { 20 } else { 32 }
}

fn digest<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}

/// As numbers, the shorter one padded with zeros on the left; of equal numbers the shorter one.
fn is_smaller(a: &[u8], b: &[u8]) -> bool {
    let length = a.len().max(b.len());
    let digits = |bytes: &[u8]| {
        let mut padded = alloc::vec![0; length.saturating_sub(bytes.len())];
        padded.extend_from_slice(bytes);
        padded
    };
    digits(a).cmp(&digits(b)).then(a.len().cmp(&b.len())).is_lt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc4895_6_1_vectors_are_ordered_as_numbers() {
        assert!(is_smaller(&[1, 2], &[1, 3]));
        assert!(is_smaller(&[0xff], &[1, 0]));
        assert!(is_smaller(&[1], &[0, 1]));
        assert!(!is_smaller(&[0, 1], &[1]));
    }

    // Python 3: hmac.new(v1 + v2, chunk + rest, hashlib.sha256), v1 and v2 being 80020024, 32 bytes 01 or
    // 02, 80030006c180, 8004000800030001; chunk the header with 32 (SHA-1: 20) zeros; rest an ASCONF.
    #[test]
    fn rfc4895_6_2_hmac_is_over_the_chunk_with_zeros_and_what_follows() {
        let vector = |byte: u8| {
            let tail = [0x80, 3, 0, 6, 0xc1, 0x80, 0x80, 4, 0, 8, 0, 3, 0, 1];
            [&[0x80, 2, 0, 0x24][..], &[byte; 32], &tail].concat()
        };
        let rest = [0xc1, 0, 0, 16, 0, 0, 0, 1, 0, 5, 0, 8, 10, 0, 0, 1];
        for (hmac, hex) in [
            (SHA256, "debd77a09d1100e242567e046ebd944e61f9aee9a2c62eecb8e22edbc5865975"),
            (SHA1, "30c836bc0d3689ffcfd432a8ff56d062f0c7e7db"),
        ] {
            let peer = AuthOffer { vector: vector(1), hmac, chunks: Vec::new() };
            let auth = Auth::new(&vector(2), &peer);
            let digest: Vec<u8> = crate::sctp::tests::hex(hex);
            let length = u8::try_from(digest.len() + 8).unwrap();
            let mut chunk = [&[15, 0, 0, length, 0, 0, 0, u8::try_from(hmac).unwrap()][..], &digest].concat();
            assert_eq!(auth.verify(hmac, &chunk, &digest, &rest), Some(true));
            chunk[8..].fill(0);
            assert_eq!(auth.sign(&[&chunk[..], &rest].concat()), digest);
            let mut wrong = digest.clone();
            wrong[0] ^= 1;
            assert_eq!(auth.verify(hmac, &chunk, &wrong, &rest), Some(false));
            assert_eq!(auth.verify(hmac, &chunk, &digest[1..], &rest), Some(false));
            assert_eq!(auth.verify(2, &chunk, &digest, &rest), None);
        }
    }

    // RFC 4231 4.3 and RFC 2202 3, test case 2.
    #[test]
    fn published_vectors() {
        let data: &[&[u8]] = &[b"what do ya want ", b"for nothing?"];
        let sha256 = digest::<Hmac<Sha256>>(b"Jefe", data).unwrap();
        assert_eq!(sha256[..8], [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]);
        let sha1 = digest::<Hmac<Sha1>>(b"Jefe", data).unwrap();
        assert_eq!(sha1[..8], [0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2]);
    }
}
