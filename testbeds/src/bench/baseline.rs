use std::time::Duration;

use aya::maps::{Array, HashMap, MapData};
use aya::programs::{TestRun as _, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};

use super::BenchError;
use super::frames::{CLIENT, CLIENT_PORT, SERVICE, SERVICE_PORT};

static OBJECT: &[u8] = aya::include_bytes_aligned!("../../object/baseline.bpf.o");

/// The hand-written balancer, and the program that does nothing.
pub(super) struct Baseline {
    ebpf: Ebpf,
}

impl Baseline {
    /// Loads both, and gives the balancer as many flows as Pinion has, the measured one among them.
    pub(super) fn load(flows: u32) -> Result<Self, BenchError> {
        let wrong = |error: &dyn std::fmt::Display| BenchError::Baseline(error.to_string());
        let mut ebpf = EbpfLoader::new().load(OBJECT).map_err(|error| wrong(&error))?;
        for name in ["empty", "baseline"] {
            program(&mut ebpf, name)?.load().map_err(|error| wrong(&error))?;
        }
        let map = ebpf.take_map("FLOWS").ok_or_else(|| wrong(&"no map FLOWS"))?;
        let mut table: HashMap<MapData, [u8; 16], u32> = HashMap::try_from(map).map_err(|error| wrong(&error))?;
        for extra in 0..flows {
            table.insert(key(extra), 0, 0).map_err(|error| wrong(&error))?;
        }
        let map = ebpf.take_map("ENDPOINTS").ok_or_else(|| wrong(&"no map ENDPOINTS"))?;
        let mut endpoints: Array<MapData, [u8; 16]> = Array::try_from(map).map_err(|error| wrong(&error))?;
        let [a, b, c, d] = SERVICE;
        endpoints.set(0, [a, b, c, d, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], 0).map_err(|error| wrong(&error))?;
        Ok(Self { ebpf })
    }

    /// Runs one of the programs.
    pub(super) fn run(&mut self, name: &str, frame: &[u8], repeat: u32) -> Result<(u32, Duration), BenchError> {
        let mut out = vec![0; 1 << 14];
        let options =
            TestRunOptions { data_in: Some(frame), data_out: Some(&mut out), repeat, ..TestRunOptions::default() };
        let result = program(&mut self.ebpf, name)?
            .test_run(options)
            .map_err(|error| BenchError::Baseline(error.to_string()))?;
        Ok((result.return_value, result.duration))
    }
}

fn program<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut Xdp, BenchError> {
    let program = ebpf.program_mut(name).ok_or_else(|| BenchError::Baseline(format!("no program {name}")))?;
    program.try_into().map_err(|error: aya::programs::ProgramError| BenchError::Baseline(error.to_string()))
}

/// Key of the flow from the client's port plus `extra`; of the measured flow where that is 0.
fn key(extra: u32) -> [u8; 16] {
    let [a, b, c, d] = CLIENT;
    let [e, f, g, h] = SERVICE;
    let [i, j] = CLIENT_PORT.wrapping_add(extra as u16).to_be_bytes();
    let [k, l] = SERVICE_PORT.wrapping_add((extra >> 16) as u16).to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j, k, l, 17, 0, 0, 0]
}
