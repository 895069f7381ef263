//! Very many pins and flows at once, and a client that exchanges datagrams all the while.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::IpAddr;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use aya::maps::MapData;
use pinion::sessions::PinOrigin;
use pinion::store::Stored;
use pinion_loader::kernel::Kernel;
use pinion_loader::{Bounds, Maps as _, schema};
use serde_json::Value;

use super::{Configuration, Place, Redis, Served};
use crate::bystander::{Bystanders, Seen, put_silent_sessions};
use crate::failure::Failure;
use crate::figures::resident;
use crate::scenario::Service;
use crate::topology::{Plan, Topology};

/// How long anything of it may take.
const LONG: Duration = Duration::from_secs(180);

/// What became of a crowd.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// Nothing happened.
    pub quiet: Seen,
    /// A daemon started and took all pins from the store.
    pub inserted: Seen,
    /// Bytes of the daemon's maps, as the kernel counts them.
    pub maps: u64,
    /// Bytes of the daemon's own memory.
    pub resident: u64,
    /// `pinion sessions`, from its start to its end.
    pub first_page: Duration,
    /// The same with a filter that every pin is looked at for and none passes, and what it prints.
    pub nobody: (Duration, String),
    /// How many pins `pinion sessions --all` lists, and how long that took.
    pub all: (usize, Duration),
    /// Flows were put into the table, long silent, and ended by the daemon.
    pub expired: Seen,
}

impl Crowd {
    /// Has a daemon of the program `binary` take `pins` pins from Redis, and end `flows` UDP sessions.
    ///
    /// # Errors
    ///
    /// Whatever does not work, or is not done after minutes.
    pub fn gather(binary: &Path, redis: &Path, pins: u32, flows: u32) -> Result<Self, Failure> {
        let topology = Topology::build(&Plan { clients: 1, endpoints: 1, ..Plan::default() })?;
        let (udp, gtpu) = (Service::udp(false), Service::gtpu(false));
        let mut bystanders = Bystanders::of(&topology, &udp)?;
        let place = Place::new(binary)?;
        let socket = place.file("redis.sock");
        let _redis = Redis::start(redis, &topology.balancer, &socket)?;
        let bounds = Bounds { pins, flows: 2 * flows + 1000, ..Bounds::default() };
        let services = vec![Served::by_all(udp, &topology), Served::by_all(gtpu, &topology)];
        let more = format!(
            "store: '{}'\nbounds: {{ pins: {}, flows: {} }}\n",
            Redis::address(&socket),
            bounds.pins,
            bounds.flows
        );
        place.configure(&Configuration { more, ..Configuration::of(&topology, services) })?;
        // Packets flow from the start: the daemon before left the way.
        drop(place.start(&topology.balancer)?);

        let quiet = bystanders.quiet()?;
        store(&socket, &gtpu, pins).map_err(|error| tool("redis-server", &error))?;
        let mut daemon = None;
        let inserted = bystanders.during(|| {
            daemon = Some(place.start(&topology.balancer)?);
            place.until(|stats| used(stats, "PINS") == u64::from(pins))
        })?;
        let daemon = daemon.ok_or(tool("pinion run", &"it did not start"))?;
        let maps = place.map_bytes()?;
        let resident = resident(daemon.program.id()).unwrap_or_default();
        let first_page = place.timed(&["sessions"])?.0;
        let endpoint = format!("{}/endpoint1", udp.name);
        let nobody = place.timed(&["sessions", "--service", gtpu.name, "--endpoint", &endpoint])?;
        let (took, all) = place.timed(&["sessions", "--all"])?;
        let all = (all.matches("\"tunnel\"").count(), took);
        let expired = bystanders.during(|| {
            place.fill(bounds, flows)?;
            // One is the client's.
            place.until(|stats| sessions(stats) <= u64::from(pins) + 1)
        })?;
        Ok(Self { quiet, inserted, maps, resident, first_page, nobody, all, expired })
    }
}

impl Place {
    fn until(&self, done: impl Fn(&Value) -> bool) -> Result<(), Failure> {
        let end = Instant::now() + LONG;
        loop {
            let stats = self.ask(&["stats"])?;
            if done(&stats) {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(tool("pinion", &format!("not done after {LONG:?}: {stats}")));
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// What a command takes, and prints.
    fn timed(&self, arguments: &[&str]) -> Result<(Duration, String), Failure> {
        let begin = Instant::now();
        let output = self.command(arguments)?;
        let took = begin.elapsed();
        if !output.status.success() {
            return Err(tool("pinion", &String::from_utf8_lossy(&output.stderr)));
        }
        Ok((took, String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// The memory of all pinned maps.
    fn map_bytes(&self) -> Result<u64, Failure> {
        let mut bytes = 0;
        for map in schema::MAPS {
            let path = self.pins().root().join(schema::hash()).join(map.name);
            let map = MapData::from_pin(path).map_err(|error| tool("a pinned map", &error))?;
            let info = format!("/proc/self/fdinfo/{}", map.fd().as_fd().as_raw_fd());
            let info = std::fs::read_to_string(info).map_err(super::wrong("memory of a map"))?;
            let memory = info.lines().find_map(|line| line.strip_prefix("memlock:"));
            bytes += memory.and_then(|bytes| bytes.trim().parse::<u64>().ok()).unwrap_or_default();
        }
        Ok(bytes)
    }

    /// Puts sessions into the maps that nobody has used for long, both directions.
    fn fill(&self, bounds: Bounds, flows: u32) -> Result<(), Failure> {
        let mut kernel = Kernel::load_pinned(bounds, &self.pins().folder)?;
        // At once and before there is any that ends: the daemon counts what it ends in the same place.
        kernel.end_sessions(1, i32::try_from(flows).unwrap_or(i32::MAX).saturating_neg())?;
        put_silent_sessions(&mut kernel, flows)?;
        Ok(())
    }
}

/// Writes pins of a service's tunnels to Redis, as another node would, a thousand at once.
fn store(socket: &Path, service: &Service, pins: u32) -> io::Result<()> {
    let stored = Stored {
        origin: PinOrigin::Learned,
        path: 0,
        flags: 0,
        teid: 0,
        ends: None,
        node: "another".to_owned(),
        service: service.name.to_owned(),
        endpoint: format!("{}/endpoint1", service.name),
    };
    let address: IpAddr = service.socket().ip();
    let mut stream = UnixStream::connect(socket)?;
    let mut answers = BufReader::new(stream.try_clone()?).lines();
    for first in (1..=pins).step_by(1000) {
        let teids = first..=pins.min(first.saturating_add(999));
        let mut command = format!("*{}\r\n$4\r\nMSET\r\n", 1 + 2 * teids.clone().count()).into_bytes();
        for teid in teids {
            let key = format!("pinion:pin:{address}/{teid:08x}");
            let value = Stored { teid, ..stored.clone() }.encode().unwrap_or_default();
            command.extend(format!("${}\r\n{key}\r\n${}\r\n", key.len(), value.len()).bytes());
            command.extend(value);
            command.extend(b"\r\n");
        }
        stream.write_all(&command)?;
        let answer = answers.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
        if answer != "+OK" {
            return Err(io::Error::other(answer));
        }
    }
    Ok(())
}

fn used(stats: &Value, table: &str) -> u64 {
    let tables = stats.get("tables").and_then(Value::as_array).into_iter().flatten();
    let mut levels = tables.filter(|level| level.get("name").is_some_and(|name| name == table));
    levels.next().and_then(|level| level.get("used")).and_then(Value::as_u64).unwrap_or_default()
}

fn sessions(stats: &Value) -> u64 {
    stats.get("sessions").and_then(Value::as_u64).unwrap_or(u64::MAX)
}

fn tool(program: &'static str, reason: &dyn ToString) -> Failure {
    Failure::Tool { program, reason: reason.to_string() }
}
