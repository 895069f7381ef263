//! What passes an interface, kept as a capture file.

use std::fs::File;
use std::io::{self, BufWriter, IoSliceMut, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg, setsockopt,
    socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::failure::Failure;
use crate::namespace::Namespace;

/// A running capture of one interface, in both directions.
///
/// It sees what the kernel's stack sees: a frame that XDP takes away on this
/// very interface, or sends out of it, is not seen here but at the other end.
/// A VLAN tag of a received frame is gone, as the kernel takes it off before.
#[derive(Debug)]
pub struct Capture {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    writer: Option<JoinHandle<io::Result<u64>>>,
}

impl Capture {
    /// Starts to write `interface` of `namespace` to a pcap file at `path`
    /// (nanoseconds, Ethernet). Every frame after the return is in it.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], [`Failure::Socket`], [`Failure::File`].
    pub fn start(namespace: &Namespace, interface: &str, path: &Path) -> Result<Self, Failure> {
        let index = usize::try_from(namespace.interface(interface)?.index).unwrap_or_default();
        let socket = namespace
            .run(open)?
            .map_err(|source| Failure::Socket { what: "packet socket of a capture", source })?;
        let file = File::create(path)
            .and_then(start_file)
            .map_err(|source| Failure::File { what: "capture file", source })?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let writer = thread::spawn(move || copy(&socket, index, file, &stopped));
        Ok(Self { path: path.to_owned(), stop, writer: Some(writer) })
    }

    /// Ends the capture after what has already arrived, and says how many
    /// frames are in the file.
    ///
    /// # Errors
    ///
    /// [`Failure::File`] where receiving or writing failed on the way.
    pub fn finish(mut self) -> Result<u64, Failure> {
        self.join().map_err(|source| Failure::File { what: "capture file", source })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn join(&mut self) -> io::Result<u64> {
        self.stop.store(true, Ordering::Release);
        let Some(writer) = self.writer.take() else {
            return Ok(0);
        };
        writer.join().unwrap_or_else(|_| Err(io::Error::other("the capture's thread panicked")))
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // Whoever wants to know has called `finish`.
        let _ = self.join();
    }
}

/// How long a silent socket is waited on before the stop flag is looked at.
const TICK: i64 = 50;
/// Room for bursts while the writer is off the processor, in bytes.
const QUEUE: usize = 16 << 20;
/// The longest frame kept, in bytes: more than any MTU.
const LONGEST: usize = 1 << 16;

fn open() -> io::Result<OwnedFd> {
    let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)?;
    setsockopt(&socket, sockopt::RcvBufForce, &QUEUE)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::milliseconds(TICK))?;
    Ok(socket)
}

/// Writes a pcap file's header: magic for nanoseconds, version 2.4, Ethernet.
fn start_file(file: File) -> io::Result<BufWriter<File>> {
    let mut file = BufWriter::new(file);
    file.write_all(&0xa1b2_3c4d_u32.to_le_bytes())?;
    file.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    file.write_all(&u32::try_from(LONGEST).unwrap_or(u32::MAX).to_le_bytes())?;
    file.write_all(&1_u32.to_le_bytes())?;
    Ok(file)
}

fn copy(socket: &OwnedFd, interface: usize, mut file: BufWriter<File>, stop: &AtomicBool) -> io::Result<u64> {
    let mut buffer = vec![0; LONGEST];
    let mut frames = 0_u64;
    loop {
        match receive(socket, interface, &mut buffer) {
            Ok(Some(seen)) => {
                write_record(&mut file, &seen, &buffer)?;
                frames = frames.saturating_add(1);
            }
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if stop.load(Ordering::Acquire) {
                    file.flush()?;
                    return Ok(frames);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A frame in the buffer: bytes kept, and when it passed.
struct Seen {
    kept: usize,
    time: Duration,
}

/// Receives one frame; none if it passed another interface.
fn receive(socket: &OwnedFd, interface: usize, buffer: &mut [u8]) -> io::Result<Option<Seen>> {
    let mut slices = [IoSliceMut::new(buffer)];
    let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let message = recvmsg::<LinkAddr>(socket.as_raw_fd(), &mut slices, Some(&mut control), MsgFlags::empty())?;
    let time = message.cmsgs()?.find_map(|part| match part {
        ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
        _ => None,
    });
    let here = message.address.is_some_and(|from| from.ifindex() == interface);
    Ok(here.then_some(Seen { kept: message.bytes, time: time.unwrap_or_default() }))
}

fn write_record(file: &mut impl Write, seen: &Seen, buffer: &[u8]) -> io::Result<()> {
    let frame = buffer.get(..seen.kept).unwrap_or(buffer);
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX).to_le_bytes();
    // The format holds 32 bits of seconds.
    let seconds = u32::try_from(seen.time.as_secs()).unwrap_or(u32::MAX);
    file.write_all(&seconds.to_le_bytes())?;
    file.write_all(&seen.time.subsec_nanos().to_le_bytes())?;
    file.write_all(&length)?;
    file.write_all(&length)?;
    file.write_all(frame)
}
