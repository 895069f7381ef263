//! What the daemon tells the service manager: systemd's notify protocol, `sd_notify(3)`.
//!
//! Each message is one datagram of `KEY=VALUE` lines. The socket's name is an argument, as systemd gives it in
//! `NOTIFY_SOCKET`; without one every message is dropped, so that callers need not ask who started them.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// Why the service manager is not told.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// `NOTIFY_SOCKET` is neither a path nor an abstract name.
    #[error("NOTIFY_SOCKET={0} is neither an absolute path nor begins with @; start the daemon without it")]
    Name(String),
    /// The name is too long for a socket's, or has a zero byte.
    #[error("NOTIFY_SOCKET={name}: {source}")]
    Address {
        /// The name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The socket could not be made.
    #[error("a socket for the service manager: {0}")]
    Socket(#[source] io::Error),
    /// Nobody reads there, or not fast enough.
    #[error("telling the service manager {message}: {source}")]
    Send {
        /// The first line of what was not told.
        message: String,
        /// What the system said.
        source: io::Error,
    },
    /// `WATCHDOG_USEC` is no number of microseconds above 0.
    #[error("WATCHDOG_USEC={0} is no number of microseconds; start the daemon without it")]
    Watchdog(String),
}

/// Tells the service manager how the daemon is.
#[derive(Debug)]
pub struct Notifier {
    manager: Option<(UnixDatagram, SocketAddr)>,
}

impl Notifier {
    /// Tells it at `name`, the value of `NOTIFY_SOCKET`; nobody where that is absent or empty.
    ///
    /// # Errors
    /// [`NotifyError::Name`], [`NotifyError::Address`], [`NotifyError::Socket`].
    pub fn new(name: Option<&OsStr>) -> Result<Self, NotifyError> {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(Self { manager: None }) };
        let shown = || name.to_string_lossy().into_owned();
        let address = match name.as_bytes() {
            [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest),
            [b'/', ..] => SocketAddr::from_pathname(name),
            _ => return Err(NotifyError::Name(shown())),
        };
        let address = address.map_err(|source| NotifyError::Address { name: shown(), source })?;
        let socket = UnixDatagram::unbound().map_err(NotifyError::Socket)?;
        // A manager that does not read must not stop the daemon.
        socket.set_nonblocking(true).map_err(NotifyError::Socket)?;
        Ok(Self { manager: Some((socket, address)) })
    }

    /// Whether anybody is told.
    #[must_use]
    pub const fn is_heard(&self) -> bool {
        self.manager.is_some()
    }

    /// The configuration is in force: at the start, and after each reload, also one that was refused.
    ///
    /// # Errors
    /// [`NotifyError::Send`].
    pub fn ready(&self, status: &str) -> Result<(), NotifyError> {
        self.send(&format!("READY=1\nSTATUS={}", line(status)))
    }

    /// A reload has begun; `now` is the time of [`monotonic`]. [`Notifier::ready`] ends it.
    ///
    /// # Errors
    /// [`NotifyError::Send`].
    pub fn reloading(&self, now: Duration) -> Result<(), NotifyError> {
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reading the configuration", now.as_micros()))
    }

    /// The daemon ends.
    ///
    /// # Errors
    /// [`NotifyError::Send`].
    pub fn stopping(&self, status: &str) -> Result<(), NotifyError> {
        self.send(&format!("STOPPING=1\nSTATUS={}", line(status)))
    }

    /// What `systemctl status` shows.
    ///
    /// # Errors
    /// [`NotifyError::Send`].
    pub fn status(&self, status: &str) -> Result<(), NotifyError> {
        self.send(&format!("STATUS={}", line(status)))
    }

    /// The daemon is alive.
    ///
    /// # Errors
    /// [`NotifyError::Send`].
    pub fn alive(&self) -> Result<(), NotifyError> {
        self.send("WATCHDOG=1")
    }

    /// Says that the daemon is alive, twice in each `limit`, for as long as it is polled and `alive` says so.
    pub async fn keep_alive(&self, limit: Duration, mut alive: impl FnMut() -> bool) {
        let mut ticks = interval((limit / 2).max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if alive() {
                if let Err(error) = self.alive() {
                    tracing::warn!(%error, "the watchdog was not told");
                }
            } else {
                tracing::warn!("the daemon is stuck: the watchdog is not told");
            }
        }
    }

    fn send(&self, message: &str) -> Result<(), NotifyError> {
        let Some((socket, address)) = &self.manager else { return Ok(()) };
        let told = socket.send_to_addr(message.as_bytes(), address);
        told.map(drop).map_err(|source| {
            let message = message.lines().next().unwrap_or_default().to_owned();
            NotifyError::Send { message, source }
        })
    }
}

/// The time that the watchdog gives, from `WATCHDOG_USEC` and `WATCHDOG_PID`; `None` where there is no watchdog, or
/// it is meant for another process than `own`.
///
/// # Errors
/// [`NotifyError::Watchdog`].
pub fn watchdog(usec: Option<&str>, pid: Option<&str>, own: u32) -> Result<Option<Duration>, NotifyError> {
    let Some(usec) = usec else { return Ok(None) };
    if pid.is_some_and(|pid| pid.parse() != Ok(own)) {
        return Ok(None);
    }
    match usec.parse() {
        Ok(usec @ 1..) => Ok(Some(Duration::from_micros(usec))),
        _ => Err(NotifyError::Watchdog(usec.to_owned())),
    }
}

/// The time since the system started, of the clock that the service manager compares with (CLOCK_MONOTONIC).
#[must_use]
pub fn monotonic() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    // The clock never shows less than zero.
    Duration::try_from(now).unwrap_or_default()
}

/// A status is one line: a second one would be another key.
fn line(status: &str) -> String {
    status.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_is_read() {
        let half_minute = Some(Duration::from_secs(30));
        assert_eq!(watchdog(Some("30000000"), Some("42"), 42).unwrap(), half_minute);
        assert_eq!(watchdog(Some("30000000"), None, 42).unwrap(), half_minute);
        assert_eq!(watchdog(Some("30000000"), Some("41"), 42).unwrap(), None);
        assert_eq!(watchdog(Some("30000000"), Some("x"), 42).unwrap(), None);
        assert_eq!(watchdog(None, Some("42"), 42).unwrap(), None);
        for wrong in ["", "0", "-1", "30s", "99999999999999999999"] {
            let message = watchdog(Some(wrong), None, 42).unwrap_err().to_string();
            assert!(message.contains(&format!("WATCHDOG_USEC={wrong} ")), "{message}");
        }
    }

    #[test]
    fn a_name_is_read() {
        assert!(!Notifier::new(None).unwrap().is_heard());
        assert!(!Notifier::new(Some(OsStr::new(""))).unwrap().is_heard());
        let wrong = |name: &str| Notifier::new(Some(OsStr::new(name))).unwrap_err();
        assert!(matches!(wrong("run/notify"), NotifyError::Name(_)));
        assert!(matches!(wrong("vsock:2:1234"), NotifyError::Name(_)));
        assert!(matches!(wrong(&format!("/{}", "x".repeat(200))), NotifyError::Address { .. }));
        assert!(matches!(wrong(&format!("@{}", "x".repeat(200))), NotifyError::Address { .. }));
    }
}
