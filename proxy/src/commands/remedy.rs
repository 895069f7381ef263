//! What to do about a capture that cannot be read.

use std::io;

use pinion_pcaps::capture::CaptureError;

pub(crate) fn remedy(error: &CaptureError) -> &'static str {
    match error {
        CaptureError::Open(source) => match source.kind() {
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied => "make it readable for this user",
            _ => "check that it is a file",
        },
        CaptureError::Io { .. } => "check that it is a file, on a disk that works",
        CaptureError::Empty
        | CaptureError::NotACapture { .. }
        | CaptureError::HeaderCut { .. }
        | CaptureError::UnknownVersion { .. } => {
            "give a pcap or pcapng file, such as tcpdump -w or Wireshark write"
        }
        _ => "the file is damaged: what came before was read, capture or copy it again",
    }
}
