//! What every host of a topology sends and receives.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::capture::Capture;
use crate::checksums::{Judge, Wrong};
use crate::failure::Failure;
use crate::topology::{Host, Topology};

/// Captures at the hosts' end of every link: what XDP let through, as it arrived.
#[derive(Debug)]
pub struct Captures {
    running: Vec<(String, Capture)>,
    folder: TempDir,
}

impl Captures {
    /// Starts one for each link.
    ///
    /// # Errors
    ///
    /// As [`Capture::start`].
    pub fn start(topology: &Topology) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|source| Failure::File { what: "folder of captures", source })?;
        let mut running = Vec::new();
        for host in topology.hosts() {
            for link in &host.links {
                let name = name(host, link.path);
                let file = folder.path().join(format!("{name}.pcap"));
                running.push((name, Capture::start(&host.namespace, &link.host.interface.name, &file)?));
            }
        }
        Ok(Self { running, folder })
    }

    /// Ends them; the files stay until this is dropped.
    ///
    /// # Errors
    ///
    /// As [`Capture::finish`].
    pub fn finish(&mut self) -> Result<u64, Failure> {
        let mut frames = 0_u64;
        for (_, capture) in self.running.drain(..) {
            frames = frames.saturating_add(capture.finish()?);
        }
        Ok(frames)
    }

    /// The file of a host's link.
    #[must_use]
    pub fn file(&self, host: &Host, path: usize) -> PathBuf {
        self.folder.path().join(format!("{}.pcap", name(host, path)))
    }

    /// Every wrong checksum of every link.
    ///
    /// # Errors
    ///
    /// As [`Judge::wrong_checksums`].
    pub fn wrong_checksums(&self, judge: &Judge, topology: &Topology) -> Result<Vec<(String, Wrong)>, Failure> {
        let mut all = Vec::new();
        for host in topology.hosts() {
            for link in &host.links {
                let wrong = judge.wrong_checksums(&self.file(host, link.path))?;
                all.extend(wrong.into_iter().map(|wrong| (name(host, link.path), wrong)));
            }
        }
        Ok(all)
    }
}

fn name(host: &Host, path: usize) -> String {
    format!("{}-p{path}", host.name)
}
