//! The daemon on a kernel's SCTP, in a host's place: where this kernel has none, within a User-Mode Linux.

use std::net::IpAddr;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use testbeds::missing::probe;
use testbeds::n2::Field;
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::sctp::{Peer, Stack};
use testbeds::topology::Topology;

use crate::story::{AMFS, BINARY, Balancer, Death, PATIENCE, Size, play, topology, write_configuration};

/// The daemon on a peer's kernel.
struct Apart {
    peer: Peer,
    amfs: Vec<(String, Vec<IpAddr>)>,
    service: Vec<IpAddr>,
    /// Where the configuration is, which both kernels see.
    folder: TempDir,
    /// Where its kernel may write.
    own: PathBuf,
    commands: usize,
}

impl Apart {
    fn start(stack: &Stack, topology: &Topology) -> Self {
        let place = &topology.endpoints[usize::from(AMFS)];
        let folder = tempfile::tempdir().unwrap();
        let own = match stack {
            Stack::Native(_) => folder.path().to_owned(),
            Stack::Uml(_) => "/run".into(),
        };
        let endpoints = topology.endpoints.iter().take(AMFS.into());
        let amfs = endpoints.map(|host| (host.name.clone(), host.addresses(false))).collect();
        let peer = stack.start(place).unwrap();
        let mut apart = Self { peer, amfs, service: place.addresses(false), folder, own, commands: 0 };
        apart.configure(apart.amfs.len() - 1);
        apart.peer.ready().unwrap();
        let (pins, state) = (apart.own.join("pins"), apart.own.join("state"));
        let mut arguments = words(&[BINARY, "run"]);
        arguments.push(apart.configuration().display().to_string());
        arguments.extend(
            [("--pins", pins), ("--state", state)]
                .iter()
                .flat_map(|(name, path)| [(*name).to_owned(), path.display().to_string()]),
        );
        apart.peer.run("pinion", &arguments).unwrap();
        wait_for(PATIENCE, || apart.command(&["endpoints"]).is_some());
        apart
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("pinion.yaml")
    }

    fn api(&self) -> PathBuf {
        self.own.join("api.sock")
    }

    fn configure(&self, amfs: usize) {
        let (api, ngap) = (self.api(), "{ transport: kernel }");
        let yaml = write_configuration(&api, &[], &self.amfs[..amfs], &self.service, ngap);
        // At once: the daemon may read it any time.
        let new = self.folder.path().join("new");
        std::fs::write(&new, yaml).unwrap();
        std::fs::rename(&new, self.configuration()).unwrap();
    }

    /// Runs a command beside the daemon; what it says, if it does what it should.
    fn command(&mut self, arguments: &[&str]) -> Option<String> {
        self.commands += 1;
        let name = format!("command {}", self.commands);
        let api = format!("unix:{}", self.api().display());
        let words = words(&[&[BINARY], arguments, &["--api", &api]].concat());
        self.peer.run(&name, &words).unwrap();
        let mut ran = None;
        wait_for(PATIENCE, || {
            let daemon = self.peer.ran("pinion").unwrap();
            assert_eq!(daemon.status, None, "{}", daemon.output);
            ran = Some(self.peer.ran(&name).unwrap()).filter(|ran| ran.status.is_some());
            ran.is_some()
        });
        ran.filter(|ran| ran.status == Some(0)).map(|ran| ran.output)
    }
}

impl Balancer for Apart {
    fn drain(&mut self, amf: usize) {
        let endpoint = format!("amfs/{}", self.amfs[amf].0);
        self.command(&["drain", &endpoint]).unwrap();
    }

    fn add(&mut self) {
        self.configure(self.amfs.len());
        self.command(&["reload"]).unwrap();
    }

    fn stats(&mut self) -> Value {
        let said = self.command(&["stats", "--format", "json"]).unwrap();
        serde_json::from_str::<Value>(&said).unwrap()["n2"][0].take()
    }

    fn finish(mut self) -> String {
        let log = self.peer.ran("pinion").unwrap().output;
        assert!(!log.contains("panicked"), "{log}");
        format!("{} lines of log", log.lines().count())
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A system call of a User-Mode Linux takes long: a tenth of the UEs, unless this kernel has SCTP.
#[test]
fn a_kernels_sctp_loses_nothing_of_living_amfs() {
    need!(probe());
    let stack = need!(Stack::find());
    let full = Size::full();
    let size = match stack {
        Stack::Native(_) => full,
        Stack::Uml(_) => Size { ues: full.ues / 10, ..full },
    };
    let topology = topology();
    let mut field = Field::new(&topology, size.plan()).unwrap();
    let apart = Apart::start(&stack, &topology);
    let service = apart.service.clone();
    let place = &topology.endpoints[usize::from(AMFS)];
    play(&mut field, &topology, apart, (&service, size, Death::Told), &[place]);
}
