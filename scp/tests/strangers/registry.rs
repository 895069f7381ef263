//! Model D with an NRF that others made: curl asks the SCP, which asks hypercorn, and then nghttpd.

use std::path::PathBuf;
use std::process::Command;

use pinion_scp::api_root::ApiRoot;
use pinion_scp::authorization::Policy;
use pinion_scp::nrf::{NrfSettings, Registration};
use pinion_scp::settings::Settings;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clear::scp;
use crate::profiles::{ONE, OWN, udm};
use crate::programs::{Server, nghttpd, program, python, said, script};
use crate::running::{SCP, comes, settings};

/// The NF instance of a consumer.
const AMF: &str = "54804518-4191-46b3-955c-ac631f953ea1";

/// The NRF of `tests/peers/nrf.py`.
pub(crate) struct Registry {
    pub server: Server,
    python: PathBuf,
    folder: TempDir,
}

impl Registry {
    /// One that finds these; none where there is no hypercorn.
    pub(crate) async fn with(profiles: &[Value]) -> Option<Self> {
        let python = python("hypercorn, h2")?;
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("profiles.json"), Value::from(profiles).to_string()).unwrap();
        std::fs::write(folder.path().join("asked"), "").unwrap();
        let server = Server::start(|port| {
            let mut command = script(&python, "nrf.py");
            command.arg(port.to_string()).arg(folder.path());
            command
        })
        .await;
        Some(Self { server, python, folder })
    }

    /// Ends it at once, and starts another at the same port when told to.
    pub(crate) fn kill(self) -> (u16, PathBuf, TempDir) {
        (self.server.port, self.python, self.folder)
    }

    /// Starts it again.
    pub(crate) async fn again((port, python, folder): (u16, PathBuf, TempDir)) -> Self {
        let mut command = script(&python, "nrf.py");
        command.arg(port.to_string()).arg(folder.path());
        let server = Server::at(port, command).await;
        Self { server, python, folder }
    }

    /// What it was asked, by method and what the path begins with.
    pub(crate) fn asked(&self, method: &str, path: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("asked")).unwrap();
        let lines = text.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
        lines.filter(|it| it["method"] == method && it["path"].as_str().unwrap().starts_with(path)).collect()
    }

    /// Settings of an SCP that asks it.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = settings();
        settings.nrf = Some(NrfSettings::new(vec![ApiRoot::parse(&self.server.root()).unwrap()]));
        settings
    }

    async fn until(&self, method: &str, path: &str, times: usize) {
        let came = comes(3_000, || self.asked(method, path).len() >= times).await;
        assert!(came, "{method} {path} never came {times} times");
    }
}

/// Files of a UDM.
pub(crate) fn files() -> TempDir {
    let folder = TempDir::new().unwrap();
    let service = folder.path().join("nudm-sdm/v2/imsi-001010000000001");
    std::fs::create_dir_all(&service).unwrap();
    std::fs::write(service.join("nssai"), "{\"nssai\":[{\"sst\":1}]}").unwrap();
    folder
}

#[tokio::test]
async fn an_nrf_is_registered_with_asked_and_subscribed_to_in_its_own_words() {
    let Some(curl) = program("curl", "install curl") else { return };
    let files = files();
    let Some(producer) = nghttpd(files.path(), &[]).await else { return };
    let Some(registry) = Registry::with(&[udm(ONE, producer.port)]).await else { return };
    let mut settings = registry.settings();
    settings.authorization.tokens = Policy::Always;
    let nrf = settings.nrf.as_mut().unwrap();
    nrf.notify = Some(ApiRoot::parse("http://scp.example/scp").unwrap());
    nrf.registration = Some(Registration {
        instance: OWN.to_owned(),
        ports: [("http".to_owned(), 7777)].into(),
        ..Registration::default()
    });
    let running = scp(settings).await;
    let (scp, drained) = (running.scp.clone(), running.drain.subscribe());
    let tended = tokio::spawn(async move { scp.tend(drained).await });

    let mut command = Command::new(curl);
    command.args(["--silent", "--show-error", "--max-time", "60", "--http2-prior-knowledge", "--include"]);
    command.args(["--connect-to", &format!("{SCP}:80:{}", running.address)]);
    for header in [
        "3gpp-Sbi-Discovery-target-nf-type: UDM",
        "3gpp-Sbi-Discovery-requester-nf-type: AMF",
        &format!("3gpp-Sbi-Discovery-requester-nf-instance-id: {AMF}"),
        "3gpp-Sbi-Discovery-service-names: nudm-sdm,nudm-uecm",
        "3gpp-Sbi-Discovery-snssais: [{\"sst\": 1, \"sd\": \"A08923\"}]",
        "3gpp-Sbi-Discovery-dnn: internet.mnc012.mcc345.gprs",
        "3gpp-Sbi-Discovery-of-a-later-release: 100% x&y=z+\"\u{e9}\"",
        "3gpp-Sbi-Access-Scope: nudm-sdm",
        "3gpp-Sbi-Client-Credentials: eyJhbGciOiJub25lIn0.eyJzdWIiOiI1NDgwIn0.AA",
    ] {
        command.args(["--header", header]);
    }
    command.arg(format!("http://{SCP}/nudm-sdm/v2/imsi-001010000000001/nssai"));
    let said = said(command).await;
    assert!(said.starts_with("HTTP/2 200"), "{said}");
    assert!(said.ends_with("{\"nssai\":[{\"sst\":1}]}"), "{said}");
    for told in ["access-token: Bearer token-1", &format!("producer-id: nfinst={ONE}")] {
        assert!(said.contains(told), "{told}: {said}");
    }

    let search = registry.asked("GET", "/nnrf-disc/v1/nf-instances").remove(0);
    assert_eq!(search["version"], "2");
    let mut query: Vec<&str> = search["query"].as_str().unwrap().split('&').collect();
    query.sort_unstable();
    // What `urllib.parse.quote(value, safe="")` makes of each, with the commas of an array that is not exploded left alone.
    let wanted = [
        "dnn=internet.mnc012.mcc345.gprs",
        "of-a-later-release=100%25%20x%26y%3Dz%2B%22%C3%A9%22",
        &format!("requester-nf-instance-id={AMF}"),
        "requester-nf-type=AMF",
        "service-names=nudm-sdm,nudm-uecm",
        "snssais=%5B%7B%22sd%22%3A%22A08923%22%2C%22sst%22%3A1%7D%5D",
        "target-nf-type=UDM",
    ];
    assert_eq!(query, wanted);

    let token = registry.asked("POST", "/oauth2/token").remove(0);
    assert_eq!(token["headers"]["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(token["headers"]["3gpp-sbi-client-credentials"], "eyJhbGciOiJub25lIn0.eyJzdWIiOiI1NDgwIn0.AA");
    let mut form: Vec<&str> = token["body"].as_str().unwrap().split('&').collect();
    form.sort_unstable();
    let wanted = [
        "grant_type=client_credentials",
        &format!("nfInstanceId={AMF}"),
        "nfType=AMF",
        "scope=nudm-sdm",
        "targetNfType=UDM",
        "targetSnssaiList=%5B%7B%22sd%22%3A%22A08923%22%2C%22sst%22%3A1%7D%5D",
    ];
    assert_eq!(form, wanted);

    let own = format!("/nnrf-nfm/v1/nf-instances/{OWN}");
    registry.until("PATCH", &own, 2).await;
    registry.until("POST", "/nnrf-nfm/v1/subscriptions", 1).await;
    let put = registry.asked("PUT", &own).remove(0);
    let profile: Value = serde_json::from_str(put["body"].as_str().unwrap()).unwrap();
    assert_eq!((&profile["nfType"], &profile["scpInfo"]["scpPorts"]["http"]), (&"SCP".into(), &7777.into()));
    let beat = registry.asked("PATCH", &own).remove(0);
    assert_eq!(beat["headers"]["content-type"], "application/json-patch+json");
    let beat: Value = serde_json::from_str(beat["body"].as_str().unwrap()).unwrap();
    let status = json!({"op": "replace", "path": "/nfStatus", "value": "REGISTERED"});
    assert!(beat.as_array().unwrap().contains(&status), "{beat}");
    let subscription = registry.asked("POST", "/nnrf-nfm/v1/subscriptions").remove(0);
    let subscription: Value = serde_json::from_str(subscription["body"].as_str().unwrap()).unwrap();
    let notified = subscription["nfStatusNotificationUri"].as_str().unwrap();
    assert!(notified.starts_with("http://scp.example/scp/"), "{notified}");
    running.drain.send(true).unwrap();
    tended.await.unwrap();
    running.served.await.unwrap();
    assert_eq!(registry.asked("DELETE", &own).len(), 1);
}
