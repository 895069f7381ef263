//! Where Pinion itself speaks for every service, the daemon runs as an ordinary user without a single capability, but for
//! SCTP of its own, and touches neither BPF nor an interface; all that it is asked is answered.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;
use testbeds::missing::{Missing, find_program, probe};
use testbeds::namespace::{Namespace, Process, Veth};
use testbeds::need;
use testbeds::patience::wait_for;

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
const PATIENCE: Duration = Duration::from_secs(20);
/// Nobody on Debian; any number that is not root's does.
const USER: u32 = 65534;
const METRICS: &str = "127.0.0.1:9090";

/// What to do where there is no nghttpd.
const NGHTTPD: &str = "install nghttp2-server";

/// Services that are spoken for.
const SPOKEN: &str = "services:
  - {name: sgw, protocol: gtpv2-c, addresses: [127.0.0.1], endpoints: [{name: sgw-1, addresses: [192.0.2.61]}]}
  - {name: upf, protocol: pfcp, addresses: [127.0.0.1], endpoints: [{name: upf-1, addresses: [192.0.2.41]}]}
";
/// NGAP, over SCTP of the daemon's own.
const NGAP: &str = "services:
  - {name: amf, protocol: ngap, addresses: [192.0.2.1], endpoints: [{name: amf-1, addresses: [192.0.2.21]}], ngap: {transport: userspace}}
";
/// One that is steered.
const STEERED: &str = "  - {name: dns, protocol: udp, port: 53, addresses: [192.0.2.1], endpoints: [{name: dns-1, addresses: [192.0.2.53]}]}
";

/// An SCP at these ports.
fn sbi(ports: &[u16]) -> String {
    let listeners: Vec<_> = ports.iter().map(|port| format!("{{address: 127.0.0.1, port: {port}}}")).collect();
    format!("sbi:\n  fqdn: scp.example\n  listeners: [{}]\n", listeners.join(", "))
}

/// What it may have beside, a producer where nobody is.
const PRODUCER: &str = "  producers:
    - nf_instance_id: 8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2b
      nf_type: UDM
      nf_services: [{service_name: nudm-sdm, versions: [v2], api_root: 'http://127.0.0.1:8000'}]
";

/// A daemon without any capability, in a namespace of its own.
struct Bare {
    namespace: Namespace,
    _other: Namespace,
    folder: TempDir,
    process: Option<Process>,
}

impl Bare {
    fn start(services: &str, capabilities: &[&str]) -> Result<Self, Missing> {
        probe()?;
        let setpriv = find_program("setpriv", "install util-linux")?;
        let folder = tempfile::tempdir().unwrap();
        chown(folder.path(), Some(USER), Some(USER)).unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        // The user may not be allowed where this lies.
        fs::copy(BINARY, folder.path().join("pinion")).unwrap();
        let (namespace, other) = (Namespace::new().unwrap(), Namespace::new().unwrap());
        namespace.link_to(&other, &Veth::named("n2", "far")).unwrap();
        namespace.add_address("n2", [192, 0, 2, 2].into(), 24).unwrap();
        let mut bare = Self { namespace, _other: other, folder, process: None };
        bare.configure(services);
        let mut command = Command::new(setpriv);
        command.args(["--pdeathsig", "KILL", "--reuid", &USER.to_string(), "--regid", &USER.to_string()]);
        let set: String = capabilities.iter().map(|it| format!(",+{it}")).collect();
        command.args(["--clear-groups", "--no-new-privs"]);
        command.args(["bounding-set", "inh-caps", "ambient-caps"].map(|it| format!("--{it}=-all{set}"))).arg("--");
        command.arg(bare.file("pinion")).arg("run").arg(bare.file("pinion.yaml"));
        command.arg("--pins").arg(bare.file("bpf")).arg("--state").arg(bare.file("state"));
        command.stderr(File::create(bare.file("log")).unwrap());
        bare.process = Some(bare.namespace.spawn(command).unwrap());
        Ok(bare)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, services: &str) {
        let api = self.file("api.sock");
        let yaml = format!("api: {{unix: {}}}\nmetrics: {METRICS}\n{services}", api.display());
        fs::write(self.file("pinion.yaml"), yaml).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let api = format!("unix:{}", self.file("api.sock").display());
        Command::new(BINARY).args(arguments).args(["--api", &api]).output().unwrap()
    }

    fn ask(&self, arguments: &[&str]) -> Value {
        let output = self.command(&[arguments, &["--format", "json"]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}{}", self.log());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap()
    }

    fn metrics(&self) -> String {
        self.get(METRICS, "/metrics")
    }

    /// What is answered over HTTP/1.1.
    fn get(&self, at: &str, path: &str) -> String {
        let asked = self.namespace.run(|| {
            let mut stream = TcpStream::connect(at)?;
            stream
                .write_all(format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").as_bytes())?;
            let mut page = String::new();
            stream.read_to_string(&mut page).map(|_| page)
        });
        asked.unwrap().unwrap()
    }

    fn signal(&mut self, signal: Signal) {
        self.process.as_mut().unwrap().signal(signal).unwrap();
    }
}

fn names(services: &Value) -> Vec<&str> {
    services.as_array().unwrap().iter().map(|service| service["name"].as_str().unwrap()).collect()
}

#[test]
fn an_ordinary_user_needs_no_capability_where_nothing_is_steered() {
    let mut daemon = need!(Bare::start(SPOKEN, &[]));
    wait_for(PATIENCE, || daemon.log().contains("ready: "));
    assert!(daemon.log().contains("ready: 2 services, no packet path"), "{}", daemon.log());

    assert_eq!(names(&daemon.ask(&["services"])), ["sgw", "upf"]);
    assert_eq!(names(&daemon.ask(&["endpoints"])), ["sgw-1", "upf-1"]);
    assert_eq!(daemon.ask(&["sessions"]), Value::Array(vec![]));
    assert_eq!(daemon.ask(&["sessions", "n4"]), Value::Array(vec![]));
    let stats = daemon.ask(&["stats"]);
    assert_eq!((&stats["sessions"], &stats["interfaces"]), (&0.into(), &Value::Array(vec![])), "{stats}");
    assert_eq!(daemon.ask(&["explain", "192.0.2.7"]), Value::Array(vec![]));
    assert_eq!(daemon.ask(&["drain", "sgw-1"])["state"], "drained");
    assert_eq!(daemon.ask(&["drain", "--undo", "sgw-1"])["state"], "unknown");
    let metrics = daemon.metrics();
    assert!(metrics.contains(r#"pinion_service_endpoints{service="sgw"} 1"#), "{metrics}");

    // What needs the kernel is refused whole, in words.
    daemon.configure(&format!("{SPOKEN}{STEERED}"));
    let refused = daemon.command(&["reload"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("packet path") && said.contains("restart it"), "{said}");
    assert_eq!(names(&daemon.ask(&["services"])), ["sgw", "upf"]);
    // And what does not is in force.
    daemon.configure(&SPOKEN.replace("sgw-1", "sgw-2"));
    assert!(daemon.command(&["reload"]).status.success(), "{}", daemon.log());
    assert_eq!(names(&daemon.ask(&["endpoints"])), ["sgw-2", "upf-1"]);

    daemon.signal(Signal::SIGTERM);
    assert!(daemon.process.take().unwrap().wait().unwrap().success(), "{}", daemon.log());
    assert!(!daemon.file("bpf").exists());
}

#[test]
fn an_scp_needs_no_capability_and_no_service() {
    let mut daemon = need!(Bare::start(&sbi(&[7777]), &[]));
    wait_for(PATIENCE, || daemon.log().contains("ready: 0 services, SBI at 1 sockets, no packet path"));
    let answer = daemon.get("127.0.0.1:7777", "/nudm-sdm/v2/imsi-1/nssai").to_ascii_lowercase();
    assert!(answer.contains("server: scp-scp.example") && answer.contains("application/problem+json"), "{answer}");
    assert_eq!(names(&daemon.ask(&["services"])), [""; 0]);
    let stats = daemon.ask(&["stats"]);
    assert_eq!(
        (&stats["sbi"]["fqdn"], &stats["sbi"]["responses"][0]["responses"]),
        (&"scp.example".into(), &1.into())
    );
    let metrics = daemon.metrics();
    assert!(metrics.contains("pinion_sbi_info{fqdn=\"scp.example\",nf_instance=\""), "{metrics}");
    assert_eq!(daemon.ask(&["sessions", "sbi"]), Value::Array(vec![]));
    assert_eq!(daemon.ask(&["explain", "http://192.0.2.61/a/v1/b"]), Value::Array(vec![]));

    // A request that names nobody is told what it lacks, and a resource that is not pinned what becomes of requests for it.
    assert!(daemon.get("127.0.0.1:7777", "/nudm-sdm/v2/imsi-1").contains("it needs 3gpp-Sbi-Target-apiRoot"));
    let explained = daemon.command(&["explain", "http://192.0.2.61/a/v1/b"]);
    assert!(String::from_utf8_lossy(&explained.stdout).contains("`pinion sessions sbi` lists"), "{explained:?}");
    // A producer is drained by where it is or who it is; what is none is said to be none, and where they are listed.
    daemon.configure(&format!("{}{PRODUCER}", sbi(&[7777])));
    assert!(daemon.command(&["reload"]).status.success(), "{}", daemon.log());
    let state = |daemon: &Bare| daemon.ask(&["stats"])["sbi"]["producers"][0]["state"].clone();
    assert_eq!(state(&daemon), "unknown");
    for name in ["127.0.0.1:8000", "http://127.0.0.1:8000", "sbi/8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2b"] {
        assert_eq!(daemon.ask(&["drain", name])["state"], "draining");
        assert_eq!(state(&daemon), "draining", "{name}");
        assert_eq!(daemon.ask(&["drain", "--undo", name])["state"], "up");
        assert_eq!(state(&daemon), "unknown", "{name}");
    }
    for (arguments, expected) in [
        (&["drain", "127.0.0.1:8001"][..], "`pinion endpoints` and `pinion stats` list them"),
        (&["drain", "127.0.0.1:8000", "--deadline", "5m"], "leave the deadline out"),
    ] {
        let said = String::from_utf8_lossy(&daemon.command(arguments).stderr).into_owned();
        assert!(said.contains(expected), "{said}");
    }

    daemon.configure(&sbi(&[7777, 7778]));
    assert!(daemon.command(&["reload"]).status.success(), "{}", daemon.log());
    assert!(daemon.get("127.0.0.1:7778", "/").to_ascii_lowercase().contains("server: scp-scp.example"));
    // What cannot be had is refused whole.
    daemon.configure(&sbi(&[7778, 9090]));
    let said = String::from_utf8_lossy(&daemon.command(&["reload"]).stderr).into_owned();
    assert!(said.contains("127.0.0.1:9090: cannot listen there for SBI"), "{said}");
    assert!(daemon.get("127.0.0.1:7777", "/").to_ascii_lowercase().contains("server: scp-scp.example"));

    daemon.signal(Signal::SIGTERM);
    assert!(daemon.process.take().unwrap().wait().unwrap().success(), "{}", daemon.log());
}

/// As the README has it.
#[test]
fn the_sample_of_an_scp_finds_the_producer_that_it_names() {
    let [nghttpd, curl] = [need!(find_program("nghttpd", NGHTTPD)), need!(find_program("curl", "install curl"))];
    let sample =
        String::from_utf8(Command::new(BINARY).args(["init", "--for", "sbi", "-"]).output().unwrap().stdout);
    let sample = sample.unwrap();
    let (_, sbi) = sample.split_once("\nsbi:").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("nudm-sdm/v2/imsi-1");
    fs::create_dir_all(&users).unwrap();
    fs::write(users.join("am-data"), "what the UDM has").unwrap();
    let daemon = need!(Bare::start(SPOKEN, &[]));
    for host in [14, 60, 61] {
        daemon.namespace.add_address("lo", [192, 0, 2, host].into(), 32).unwrap();
    }
    let mut udm = testbeds::namespace::tied(nghttpd);
    udm.args(["--no-tls", "-a", "192.0.2.61", "-d"]).arg(folder.path()).arg("8000");
    let _udm = daemon.namespace.spawn(udm).unwrap();
    wait_for(PATIENCE, || daemon.log().contains("ready: "));
    daemon.configure(&format!("sbi:{sbi}"));
    assert!(daemon.command(&["reload"]).status.success(), "{}", daemon.log());
    let mut last = String::new();
    wait_for(PATIENCE, || {
        let mut get = Command::new(&curl);
        get.args(["-sS", "--http2-prior-knowledge", "-i", "http://192.0.2.14:7777/nudm-sdm/v2/imsi-1/am-data"]);
        get.args(["-H", "3gpp-Sbi-Discovery-target-nf-type: UDM"]);
        get.args(["-H", "3gpp-Sbi-Discovery-service-names: nudm-sdm"]);
        let got = daemon.namespace.run(|| get.output()).unwrap().unwrap();
        last = String::from_utf8(got.stdout).unwrap();
        last.ends_with("what the UDM has")
    });
    assert!(last.contains("3gpp-sbi-target-apiroot: http://192.0.2.61:8000"), "{last}");
}

#[test]
fn sctp_of_its_own_needs_one_capability() {
    let daemon = need!(Bare::start(NGAP, &["net_raw"]));
    wait_for(PATIENCE, || daemon.log().contains("ready: 1 services, no packet path"));
    assert_eq!(names(&daemon.ask(&["services"])), ["amf"]);

    let mut without = need!(Bare::start(NGAP, &[]));
    assert_eq!(without.process.as_mut().unwrap().wait().unwrap().code(), Some(1));
    let log = without.log();
    assert!(log.contains("CAP_NET_RAW is missing") && !log.contains("CAP_BPF"), "{log}");
}

#[test]
fn a_steered_service_needs_the_four() {
    let mut daemon = need!(Bare::start(&format!("services:\n{STEERED}"), &[]));
    let status = daemon.process.as_mut().unwrap().wait().unwrap();
    let log = daemon.log();
    assert_eq!(status.code(), Some(1), "{log}");
    for name in ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_NET_RAW"] {
        assert!(log.contains(&format!("{name} is missing")), "{log}");
    }
}
