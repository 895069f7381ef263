//! Network namespaces of a test's own, and what is done in them.

use std::future::Future;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::thread;

use nix::sched::{CloneFlags, unshare};
use pinion_networks::missing::skipped;

/// Runs a future on a thread of its own, in a network namespace of its own with loopback alone. Says so and does
/// nothing where that is not permitted, or `ip` is missing.
pub(crate) fn alone<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let thread = thread::spawn(|| {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
            skipped(format_args!("no network namespace can be made: {error}; run this as root"));
            return;
        }
        if let Err(error) = shell("ip link set lo up") {
            skipped(format_args!("loopback cannot be set up: {error}; install iproute2"));
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test());
    });
    thread.join().unwrap();
}

/// Another namespace, which ends with this.
pub(crate) struct Other(Child);

/// It forwards, knows no way on, and says so as often as it is asked.
const THERE: &str = "\
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
echo 0 >/proc/sys/net/ipv6/icmp/ratelimit
echo made
read forever";

impl Other {
    /// A namespace that is reached over a veth: this side is 10.99.0.1 and fd99::1, that one 10.99.0.2 and fd99::2.
    /// Everything else is routed there, and nothing gets
    /// back from there to 192.0.2.9 and fd98::9.
    ///
    /// # Errors
    ///
    /// Where `unshare`, `nsenter` or `ip` is missing or fails.
    pub(crate) fn reached() -> io::Result<Self> {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", THERE]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut other = Self(command.spawn()?);
        if let Some(output) = &mut other.0.stdout {
            output.read_exact(&mut [0; 4])?;
        }
        let id = other.0.id();
        shell(&format!(
            "ip link add here type veth peer name there netns {id}
            ip address add 10.99.0.1/24 dev here
            ip address add fd99::1/64 dev here nodad
            ip link set here up
            there() {{ nsenter --target {id} --net \"$@\"; }}
            there ip address add 10.99.0.2/24 dev there
            there ip address add fd99::2/64 dev there nodad
            there ip route add blackhole 192.0.2.9
            there ip -6 route add blackhole fd98::9
            there ip link set there up
            ip route add default via 10.99.0.2
            ip -6 route add default via fd99::2"
        ))?;
        Ok(other)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a script until its first command that fails.
pub(crate) fn shell(script: &str) -> io::Result<()> {
    let output = Command::new("sh").args(["-e", "-c", script]).output()?;
    if output.status.success() { Ok(()) } else { Err(io::Error::other(String::from_utf8_lossy(&output.stderr))) }
}
