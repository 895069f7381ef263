//! `pinion decode`: what is in a capture, message by message.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pinion_pcaps::capture::{self, CaptureError, Reader};
use pinion_pcaps::decode::{Decoder, Message};

use super::input::captures;
use super::remedy::remedy;

const EXAMPLES: &str = "\
Examples:
  pinion decode n2.pcap
      One line a message.
  tcpdump -U -w - -i eth1 sctp | pinion decode -
      What passes by; on a terminal, as it comes.
  pinion decode --format json n2.pcapng.gz
      One JSON object a message; the keys are Wireshark's field names.
  pinion decode --format json n3.pcap | jq 'select(.\"gtp.teid\" == 291)'
      The messages of one tunnel.

Exit codes: 0 done, 1 a capture cannot be read or the output not be written, 2 bad usage.";

/// Print the SCTP, GTP (user plane and control), PFCP, NGAP, S1AP and Diameter messages of captures
///
/// Reads pcap and pcapng, gzipped or not. Fragments of IP are put together; tunnelled packets and those in ICMP errors are decoded too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Captures to read, one after another; `-` is standard input
    #[arg(value_name = "CAPTURE", required = true, value_parser = captures())]
    captures: Vec<PathBuf>,

    /// How to print a message
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for people
    Table,
    /// A JSON object: a value is a number, a string or, where a message has several, a list
    Json,
}

/// Why the command could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The output cannot be written.
    #[error("cannot write the output: {0}; make room where it goes, or send it elsewhere")]
    Write(#[from] io::Error),
}

/// Decodes the captures onto standard output; what is wrong with one of them goes to standard error, and the others are still read.
/// A reader of the output that has seen enough ends the command, and that is no failure.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let (output, mut complaints) = (io::stdout().lock(), io::stderr().lock());
    // A terminal gets each line at once: what is read may be captured only now.
    let printed = match output.is_terminal() {
        true => print(args, output, &mut complaints),
        false => print(args, BufWriter::new(output), &mut complaints),
    };
    match printed {
        Ok(code) => Ok(code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Error::Write(error)),
    }
}

fn print(args: &Args, mut output: impl Write, complaints: &mut impl Write) -> io::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for path in &args.captures {
        if args.format == Format::Table && args.captures.len() > 1 {
            writeln!(output, "{}:", path.display())?;
        }
        let done = match capture::open(path) {
            Ok(mut reader) => {
                let done = messages(&mut reader, args.format, &mut output)?;
                for warning in reader.warnings().messages() {
                    complain(complaints, path, &warning);
                }
                done
            }
            Err(error) => Err(error),
        };
        output.flush()?;
        match done {
            Ok(Done { frames, messages: 0 }) => {
                let nothing = format!("no SCTP, GTP, PFCP or Diameter in its {frames} frames");
                complain(complaints, path, &nothing);
            }
            Ok(_) => {}
            Err(error) => {
                code = ExitCode::FAILURE;
                complain(complaints, path, &format!("{error}; {}", remedy(&error)));
            }
        }
    }
    Ok(code)
}

/// How much a capture had.
struct Done {
    frames: u64,
    messages: u64,
}

/// Prints the messages of one capture. The outer error is the output's, the inner one the capture's.
fn messages(
    reader: &mut Reader,
    format: Format,
    output: &mut impl Write,
) -> io::Result<Result<Done, CaptureError>> {
    let mut decoder = Decoder::default();
    let mut done = Done { frames: 0, messages: 0 };
    loop {
        let frame = match reader.next() {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(Ok(done)),
            Err(error) => return Ok(Err(error)),
        };
        done.frames = frame.number;
        for message in decoder.decode(&frame) {
            done.messages = done.messages.saturating_add(1);
            line(&message, format, output)?;
        }
    }
}

fn line(message: &Message, format: Format, output: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Table => writeln!(output, "{message}"),
        Format::Json => {
            serde_json::to_writer(&mut *output, message).map_err(io::Error::from)?;
            output.write_all(b"\n")
        }
    }
}

/// Says something about a capture. Where even that cannot be written there is nobody to tell.
fn complain(complaints: &mut impl Write, path: &Path, what: &impl fmt::Display) {
    let _ = writeln!(complaints, "pinion decode: {}: {what}", path.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(format: Format, path: &Path) -> Args {
        Args { captures: vec![path.to_owned()], format }
    }

    /// Two frames of raw IP: an SCTP COOKIE ACK and a GTP-U Echo Request.
    fn capture() -> Vec<u8> {
        let sctp: &[u8] = &[
            0x45, 0, 0, 36, 0, 1, 0, 0, 64, 132, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x96, 0x0c, 0x96, 0x0c, 0, 0,
            0, 9, 0, 0, 0, 0, 11, 0, 0, 4,
        ];
        let gtp: &[u8] = &[
            0x45, 0, 0, 40, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x08, 0x68, 0x08, 0x68, 0, 20,
            0, 0, 0x32, 1, 0, 4, 0, 0, 0, 0, 0, 5, 0, 0,
        ];
        let mut file = Vec::new();
        for word in [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65535, 101] {
            file.extend(word.to_be_bytes());
        }
        for packet in [sctp, gtp] {
            let length = u32::try_from(packet.len()).unwrap();
            for word in [1, 0, length, length] {
                file.extend(word.to_be_bytes());
            }
            file.extend(packet);
        }
        file
    }

    /// What a capture with these bytes makes the command write: output, complaints.
    fn printed(name: &str, bytes: &[u8], format: Format) -> (ExitCode, String, String) {
        let path = std::env::temp_dir().join(format!("pinion-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let (mut output, mut complaints) = (Vec::new(), Vec::new());
        let code = print(&args(format, &path), &mut output, &mut complaints).unwrap();
        std::fs::remove_file(&path).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (code, text(output), text(complaints))
    }

    #[test]
    fn json_is_one_object_a_message() {
        let (code, output, complaints) = printed("json", &capture(), Format::Json);
        assert_eq!((code, complaints.as_str()), (ExitCode::SUCCESS, ""));
        let lines: Vec<serde_json::Value> =
            output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["frame.number"], 1);
        assert_eq!(lines[0]["sctp.chunk_type"], 11);
        assert_eq!(lines[0]["sctp.verification_tag"], 9);
        assert_eq!(lines[1]["frame.number"], 2);
        assert_eq!(lines[1]["gtp.message"], 1);
        assert_eq!(lines[1]["gtp.seq_number"], 5);
    }

    #[test]
    fn a_table_has_one_line_a_message() {
        let (_, output, _) = printed("table", &capture(), Format::Table);
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].contains("192.0.2.1:38412") && lines[0].contains("COOKIE ACK"));
        assert!(lines[1].contains("Echo Request"));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_a_remedy() {
        let (code, output, complaints) = printed("bad", b"text", Format::Json);
        assert_eq!((code, output.as_str()), (ExitCode::FAILURE, ""));
        assert!(complaints.contains("-bad: ") && complaints.contains("pcapng file, such as"));

        let mut cut = capture();
        cut.truncate(cut.len() - 1);
        let (code, output, complaints) = printed("cut", &cut, Format::Json);
        assert_eq!((code, output.lines().count()), (ExitCode::SUCCESS, 1));
        assert!(complaints.contains("ends inside the record of frame 2"));
    }

    #[test]
    fn a_full_disk_is_an_error() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let path = std::env::temp_dir().join(format!("pinion-{}-full", std::process::id()));
        std::fs::write(&path, capture()).unwrap();
        let failed = print(&args(Format::Json, &path), Full, &mut Vec::new());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
