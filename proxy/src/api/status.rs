//! Why a request is refused, as gRPC says it.

use tonic::{Code, Status};

use crate::control::ControlError;

/// The longest message of a status, in bytes. It travels in a header, where every byte may become three, and
/// clients take no more than 16 KiB of headers.
const MESSAGE_BYTES: usize = 4 << 10;

/// What a refusal of the daemon is over gRPC.
pub(super) fn status(error: &ControlError) -> Status {
    Status::new(code(error), shortened(&error.to_string()))
}

pub(super) fn invalid(what: &str) -> Status {
    Status::invalid_argument(shortened(what))
}

fn code(error: &ControlError) -> Code {
    match error {
        ControlError::NoPool(_)
        | ControlError::NoService(_)
        | ControlError::NoFrontEnd(_)
        | ControlError::NoGtpc(_)
        | ControlError::NoSbi
        | ControlError::NoNgap(_)
        | ControlError::NoEndpoint(_)
        | ControlError::NoProducer(_)
        | ControlError::NoTunnel(_) => Code::NotFound,
        ControlError::Ambiguous { .. }
        | ControlError::NoDeadline(_)
        | ControlError::SpeaksPfcp(_)
        | ControlError::SpeaksGtpc(_)
        | ControlError::SpeaksNgap(_)
        | ControlError::Weight(_)
        | ControlError::Cursor(_)
        | ControlError::Key(_)
        | ControlError::Tunnels { .. }
        | ControlError::Filter(_) => Code::InvalidArgument,
        ControlError::Config(_) => Code::FailedPrecondition,
        ControlError::Maps(_) => Code::Internal,
    }
}

/// The message, or as many of its lines as there is room for and how many are left out.
fn shortened(message: &str) -> String {
    if message.len() <= MESSAGE_BYTES {
        return message.to_owned();
    }
    let mut kept = String::new();
    let mut left = message.lines().count();
    for line in message.lines() {
        if kept.len().saturating_add(line.len()) >= MESSAGE_BYTES {
            break;
        }
        kept.push_str(line);
        kept.push('\n');
        left = left.saturating_sub(1);
    }
    if kept.is_empty() {
        kept.extend(message.chars().take(MESSAGE_BYTES / 4));
        kept.push_str("...");
        return kept;
    }
    kept.push_str(&format!("and {left} more; `pinion check CONFIG` lists every one"));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_code() {
        let ambiguous = ControlError::Ambiguous { name: "a".into(), pools: vec!["x".into(), "y".into()] };
        for (error, expected) in [
            (ControlError::NoPool("p".into()), Code::NotFound),
            (ControlError::NoService("s".into()), Code::NotFound),
            (ControlError::NoEndpoint("e".into()), Code::NotFound),
            (ControlError::NoProducer("e".into()), Code::NotFound),
            (ControlError::NoDeadline("e".into()), Code::InvalidArgument),
            (ambiguous, Code::InvalidArgument),
            (ControlError::Weight(70_000), Code::InvalidArgument),
            (ControlError::Cursor("c".into()), Code::InvalidArgument),
            (ControlError::Key("k".into()), Code::InvalidArgument),
            (ControlError::Config("c".into()), Code::FailedPrecondition),
            (ControlError::Maps("m".into()), Code::Internal),
        ] {
            let status = status(&error);
            assert_eq!((status.code(), status.message()), (expected, error.to_string().as_str()));
        }
    }

    #[test]
    fn a_long_list_of_mistakes_keeps_its_first_lines() {
        let mistakes: Vec<String> = (1..=1000).map(|line| format!("pinion.yaml:{line}:1: wrong")).collect();
        let status = status(&ControlError::Config(mistakes.join("\n")));
        let lines: Vec<_> = status.message().lines().collect();
        assert!(status.message().len() <= MESSAGE_BYTES + 100);
        assert_eq!(lines[0], "pinion.yaml:1:1: wrong");
        let left = 1000 - (lines.len() - 1);
        assert_eq!(lines.last().unwrap(), &format!("and {left} more; `pinion check CONFIG` lists every one"));
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let status = status(&ControlError::Key("\u{1F600}".repeat(100_000)));
        assert!(status.message().len() <= MESSAGE_BYTES + 3, "{}", status.message().len());
        assert!(status.message().ends_with("..."));
    }
}
