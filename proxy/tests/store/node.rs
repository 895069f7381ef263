//! A node: a session table with a store behind it.

use std::sync::Arc;
use std::time::Duration;

use pinion::sessions::{Change, Full, Moment, Names, NewPin, Owner, Settings, Table};
use pinion::store::{self, Behind, Store, Writer};
use pinion_loader::Bounds;
use pinion_loader::setup::{EndpointSpec, ServiceSpec, Setup};
use pinion_loader::user::UserEngine;
use pinion_steering::{Address, Exhausted, Kind, PinKey, Placement, Unknown};
use tokio::task::JoinHandle;

pub(crate) const NOW: Moment = Moment(1_800_000_000);

pub(crate) struct Node {
    pub(crate) table: Table,
    pub(crate) names: Arc<Names>,
    pub(crate) behind: Behind,
    pub(crate) writer: Option<Writer>,
    task: Option<JoinHandle<()>>,
}

pub(crate) struct Options {
    pub(crate) name: &'static str,
    pub(crate) backlog: usize,
    pub(crate) wait: Option<Duration>,
    pub(crate) endpoints: u8,
    pub(crate) bound: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { name: "a", backlog: 100_000, wait: None, endpoints: 3, bound: 10_000 }
    }
}

impl Node {
    pub(crate) fn new(store: impl Store, options: &Options) -> Self {
        let bounds = Bounds { pins: options.bound, ..Bounds::default() };
        let mut maps = UserEngine::new(bounds);
        let service = ServiceSpec {
            name: "n3".into(),
            kind: Kind::Gtpu,
            protocol: 17,
            port: 2152,
            addresses: vec![[192, 0, 2, 1].into()],
            unknown: Unknown::Drop,
            placement: Placement::Maglev,
            exhausted: Exhausted::Drop,
            endpoints: (0..options.endpoints)
                .map(|number| EndpointSpec {
                    name: format!("upf-{number}"),
                    addresses: vec![[198, 51, 100, number].into()],
                    port: 2152,
                    weight: 1,
                    up: true,
                })
                .collect(),
            aware: false,
            exits: Vec::new(),
        };
        let services = [service];
        let mut setup = Setup::default();
        setup.apply(&mut maps, &services).unwrap();
        let names = Arc::new(Names::new(&setup, &services, |_| Some("upfs"), None));
        let settings = store::Settings { backlog: options.backlog, node: options.name.into(), seed: 7 };
        let (writer, behind) = Writer::new(store, settings);
        let settings = Settings { bound: options.bound, full: Full::Refuse };
        let table = Table::stored(&Owner::new(maps), settings, behind.clone(), options.wait);
        Self { table, names, behind, writer: Some(writer), task: None }
    }

    /// Begins to write.
    pub(crate) fn run(&mut self) {
        let names = Arc::clone(&self.names);
        let writer = self.writer.take().unwrap();
        self.task = Some(tokio::spawn(writer.run(self.table.clone(), move || Arc::clone(&names), || NOW)));
    }

    pub(crate) fn pin(&self, teid: u32, endpoint: u32) -> NewPin {
        let record = self.names.record("n3", &format!("upfs/upf-{endpoint}"), 0, teid + 1).unwrap();
        NewPin { key: key(teid), record }
    }

    /// Pins some keys, in one batch.
    pub(crate) async fn put(&self, teids: impl Iterator<Item = u32>, endpoint: u32) {
        let batch = teids.map(|teid| Change::Replace(self.pin(teid, endpoint))).collect();
        let _ = self.table.commit(batch).await.unwrap();
    }

    pub(crate) async fn end(&self, teids: impl Iterator<Item = u32>) {
        let _ = self.table.commit(teids.map(|teid| Change::Remove(key(teid))).collect()).await.unwrap();
    }

    /// Waits until the store has all; gives up where it never will.
    pub(crate) async fn settle(&self) {
        let settled = async {
            while !self.behind.settled() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(60), settled).await;
        assert!(done.is_ok(), "never: {:?}", self.behind.level());
    }

    /// TEIDs and endpoints that the table has.
    pub(crate) async fn pins(&self, teids: std::ops::Range<u32>) -> Vec<(u32, String)> {
        let mut pins = Vec::new();
        for teid in teids {
            if let Some(record) = self.table.get(&key(teid)).await {
                pins.push((teid, record.place.endpoint.to_string()));
            }
        }
        pins
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

pub(crate) fn key(teid: u32) -> PinKey {
    PinKey { address: Address::v4([192, 0, 2, 1]), teid }
}
