//! `pinion replay`: what the steering code makes of a capture, packet by packet.

mod output;
mod table;

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use pinion_loader::LoadError;
use pinion_loader::setup::ServiceSpec;
use pinion_pcaps::capture::{self, CaptureError, Frame, Reader};
use pinion_pcaps::replay::{Choice, Replay, ReplayError, Step, Summary, Survey};
use pinion_pcaps::writer::{WriteError, Writer};

use super::input::captures;
use super::progress::Progress;
use super::remedy::remedy;
use crate::config::{self, ConfigError, Host};
use output::Output;

const EXAMPLES: &str = "\
Examples:
  pinion replay n2.pcap
      Every server in the capture becomes a service with sample endpoints; the first packets and a summary are listed.
  pinion replay --config pinion.yaml --format json n3.pcapng.gz | jq 'select(.verdict == \"drop\")'
      What the services of a configuration would drop, and why.
  sudo pinion replay --engine both *.pcap
      Runs the BPF object in the kernel beside the user-space engine, and stops where they differ.
  pinion replay --write out.pcapng n2.pcap
      Writes the packets as they leave, each with a comment that says why.

Exit codes: 0 done; 1 a capture cannot be read, an engine not be had or the output not be written; 2 bad usage or configuration;
3 the engines differ.";

/// Run the packets of captures through the steering code
///
/// Reads pcap and pcapng, gzipped or not. Each capture is replayed by itself: its own tables, and a clock that is the capture's. Next
/// hops are imagined. The same input gives the same output.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Captures to replay, one after another; `-` is standard input
    #[arg(value_name = "CAPTURE", required = true, value_parser = captures())]
    captures: Vec<PathBuf>,

    /// A configuration, or `auto`: the server side of each conversation in the capture becomes a service with three sample
    /// endpoints, and its answers are replayed as theirs (the capture is read twice)
    #[arg(long, value_name = "FILE|auto", default_value = "auto")]
    config: PathBuf,

    /// What steers
    #[arg(long, value_enum, default_value_t = Engine::User)]
    engine: Engine,

    /// How to print what became of the packets
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// How many packets of each capture a table lists before its summary: a number, or `all`
    #[arg(long, value_name = "N|all", default_value = "20", value_parser = packets)]
    packets: u64,

    /// Write the packets as they leave, dropped ones left out, to this pcapng file
    #[arg(long, value_name = "OUT.pcapng")]
    write: Option<PathBuf>,

    /// Where the random numbers that steering asks for begin
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// The steering code in this process; needs no privilege
    User,
    /// The BPF object in the kernel, by BPF_PROG_TEST_RUN; needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN
    Kernel,
    /// Both in lockstep, up to the first difference
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// The first packets and a summary, for people
    Table,
    /// One JSON object a packet, and at the end one with the summary
    Json,
}

impl Args {
    /// Whether the output runs through the terminal all the while, where a line of progress would only disturb it.
    fn is_long(&self) -> bool {
        self.format == Format::Json || self.packets > LISTED
    }
}

/// As many packets of a table are listed before a long capture would show its progress.
const LISTED: u64 = 1000;

/// How many packets there are between two looks at the clock.
const STRIDE: u64 = 1 << 14;

/// What takes no longer needs no line of progress.
const PATIENCE: Duration = Duration::from_millis(250);

/// Why the command could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The packets would be written over one of the captures that they are of.
    #[error("{path}: --write would overwrite a capture that is replayed; give another name")]
    Overwrites {
        /// The file.
        path: PathBuf,
    },
    /// The file for the packets cannot be made or written.
    #[error("{path}: {source}; make room there, or give another name to --write")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: WriteError,
    },
    /// The engine cannot be had, or gave up.
    #[error("{source}{}", engine_remedy(.source))]
    Engine {
        /// What it said.
        source: LoadError,
    },
    /// The engines made different things of a packet.
    #[error("{path}: {difference}")]
    Differ {
        /// The capture.
        path: PathBuf,
        /// Frame, outcomes and bytes.
        difference: String,
    },
    /// The output cannot be written.
    #[error("cannot write the output: {0}; make room where it goes, or send it elsewhere")]
    Output(#[from] io::Error),
}

impl Error {
    /// The exit code that it ends the command with.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Overwrites { .. } => ExitCode::from(2),
            Self::Differ { .. } => ExitCode::from(3),
            Self::Write { .. } | Self::Engine { .. } | Self::Output(_) => ExitCode::FAILURE,
        }
    }
}

fn engine_remedy(error: &LoadError) -> &'static str {
    match error {
        LoadError::Privilege { .. } | LoadError::Kernel { .. } => "; or use --engine user, which needs neither",
        _ => "",
    }
}

/// Replays the captures; what is wrong with one of them goes to standard error, and the others are still replayed. A reader of the
/// output that has seen enough ends the command, and that is no failure.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let services = match args.config.to_str() {
        Some("auto") => None,
        _ => Some(config::specs(&config::read(&args.config, &Host::default())?.config)),
    };
    let writer = args.write.as_deref().map(|path| open(path, &args.captures)).transpose()?;
    let stdout = io::stdout();
    let coloured = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let out = BufWriter::with_capacity(1 << 16, stdout.lock());
    let stderr = io::stderr();
    let disturbed = stdout.is_terminal() && args.is_long();
    let terminal = (stderr.is_terminal() && !disturbed).then_some(stderr);
    let mut run = Run {
        args,
        services,
        output: Output::new(args, out, coloured),
        writer,
        progress: Progress::new(terminal, Instant::now(), PATIENCE),
        complaints: io::stderr(),
        summary: Summary::default(),
    };
    match run.all() {
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        done => done,
    }
}

fn packets(text: &str) -> Result<u64, String> {
    if text == "all" {
        return Ok(u64::MAX);
    }
    text.parse().map_err(|_| "give a number, or `all`".to_owned())
}

/// Opens the file for the packets, which must be none of the captures.
fn open(path: &Path, captures: &[PathBuf]) -> Result<Sink, Error> {
    let written = fs::canonicalize(path).ok();
    let same = |capture: &PathBuf| written.is_some() && fs::canonicalize(capture).ok() == written;
    if captures.iter().any(same) {
        return Err(Error::Overwrites { path: path.to_owned() });
    }
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let file = File::create(path).map_err(|source| failed(source.into()))?;
    let writer = Writer::new(BufWriter::new(file)).map_err(failed)?;
    Ok(Sink { path: path.to_owned(), writer })
}

struct Sink {
    path: PathBuf,
    writer: Writer<BufWriter<File>>,
}

impl Sink {
    /// Writes a packet as it leaves. The outer error is the replay's, the inner one the file's.
    fn step(&mut self, frame: &Frame<'_>, step: &Step<'_>) -> Result<Result<(), WriteError>, ReplayError> {
        let Some(remark) = output::remark(step)? else {
            return Ok(Ok(()));
        };
        let length = u32::try_from(step.bytes().len()).unwrap_or(u32::MAX);
        Ok(self.writer.frame(frame.time, length, step.bytes(), Some(&remark)))
    }
}

/// The command under way.
struct Run<'a, W: Write, C: Write> {
    args: &'a Args,
    /// `None` for `auto`.
    services: Option<Vec<ServiceSpec>>,
    output: Output<W>,
    writer: Option<Sink>,
    progress: Progress,
    complaints: C,
    summary: Summary,
}

/// Why a capture is left.
enum Left {
    /// The command ends.
    Ends(Error),
    /// The next one is taken up.
    Unreadable(CaptureError),
    /// As above: it cannot be read twice.
    Once,
}

impl<W: Write, C: Write> Run<'_, W, C> {
    fn all(&mut self) -> Result<ExitCode, Error> {
        let mut code = ExitCode::SUCCESS;
        for path in &self.args.captures {
            let done = self.capture(path);
            self.progress.clear();
            match done {
                Ok(()) => continue,
                Err(Left::Ends(error)) => {
                    self.output.flush()?;
                    return Err(error);
                }
                Err(Left::Unreadable(error)) => self.complain(path, &format!("{error}; {}", remedy(&error))),
                Err(Left::Once) => self.complain(
                    path,
                    "cannot be read twice, which --config auto must; give a file, or a configuration",
                ),
            }
            code = ExitCode::FAILURE;
        }
        if let Some(Sink { path, writer }) = self.writer.take() {
            writer.finish().map_err(|source| Error::Write { path, source })?;
        }
        self.output.summary(&self.summary)?;
        self.output.flush()?;
        Ok(code)
    }

    fn capture(&mut self, path: &Path) -> Result<(), Left> {
        let mut replay = self.prepare(path)?;
        let mut reader = capture::open(path).map_err(Left::Unreadable)?;
        let name = path.display().to_string();
        self.output.begin(&name)?;
        let ended = self.steer(&mut replay, &mut reader, path);
        let mut summary = replay.summary().map_err(|error| left(path, error))?;
        for warning in reader.warnings().messages() {
            self.progress.clear();
            self.complain(path, &warning);
            summary.warnings.push(format!("{name}: {warning}"));
        }
        if self.args.captures.len() > 1 {
            for service in &mut summary.services {
                service.file = Some(name.clone());
            }
        }
        self.output.end()?;
        self.summary.add(summary);
        ended
    }

    /// An engine with the services that are configured, or that the capture asks for.
    fn prepare(&mut self, path: &Path) -> Result<Replay, Left> {
        let choice = match self.args.engine {
            Engine::User => Choice::User,
            Engine::Kernel => Choice::Kernel,
            Engine::Both => Choice::Both,
        };
        let replay = if let Some(services) = &self.services {
            Replay::configured(choice, services, self.args.seed)
        } else {
            let survey = self.survey(path)?;
            Replay::auto(choice, survey, self.args.seed)
        };
        replay.map_err(|error| left(path, error))
    }

    /// The first reading. It ends where the second one will, which then says why.
    fn survey(&mut self, path: &Path) -> Result<Survey, Left> {
        let is_file = fs::metadata(path).map(|metadata| metadata.is_file() || metadata.is_dir());
        if matches!(is_file, Ok(false)) {
            return Err(Left::Once);
        }
        let mut survey = Survey::default();
        let mut reader = capture::open(path).map_err(Left::Unreadable)?;
        while let Ok(Some(frame)) = reader.next() {
            survey.frame(&frame);
            self.tell("surveying", path, frame.number);
        }
        Ok(survey)
    }

    fn steer(&mut self, replay: &mut Replay, reader: &mut Reader, path: &Path) -> Result<(), Left> {
        while let Some(frame) = reader.next().map_err(Left::Unreadable)? {
            let step = replay.step(&frame).map_err(|error| left(path, error))?;
            self.output.step(&frame, &step).map_err(|error| match error {
                output::Failed::Output(error) => Left::Ends(Error::Output(error)),
                output::Failed::Replay(error) => left(path, error),
            })?;
            if let Some(sink) = &mut self.writer {
                match sink.step(&frame, &step).map_err(|error| left(path, error))? {
                    Ok(()) => {}
                    Err(source @ WriteError::Io(_)) => {
                        let path = sink.path.clone();
                        return Err(Left::Ends(Error::Write { path, source }));
                    }
                    Err(unheld) => {
                        self.complain(path, &format!("frame {} is not written: {unheld}", frame.number));
                    }
                }
            }
            self.tell("replaying", path, frame.number);
        }
        Ok(())
    }

    /// Tells how far a capture was read.
    fn tell(&mut self, action: &str, path: &Path, packets: u64) {
        if packets.is_multiple_of(STRIDE) {
            let what = format_args!("{action} {}: {packets} packets", path.display());
            self.progress.tell(Instant::now(), what);
        }
    }

    /// Says something about a capture. Where even that cannot be written there is nobody to tell.
    fn complain(&mut self, path: &Path, what: &str) {
        let _ = writeln!(self.complaints, "pinion: {}: {what}", path.display());
    }
}

impl From<io::Error> for Left {
    fn from(error: io::Error) -> Self {
        Self::Ends(Error::Output(error))
    }
}

fn left(path: &Path, error: ReplayError) -> Left {
    Left::Ends(match error {
        ReplayError::Differ(difference) => {
            Error::Differ { path: path.to_owned(), difference: difference.to_string().trim_end().to_owned() }
        }
        ReplayError::Engine(source) => Error::Engine { source },
    })
}
