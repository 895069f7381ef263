//! Pages over flows and pins together.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use pinion::control::{
    ControlError, Origin, PageAsk, SessionFilter, SessionKey, SessionPage, SessionState, SessionView,
};
use pinion::sessions::{Change, Full, Names, NewPin, Owner, Rule, Settings, Table, Ticks, list};
use pinion::store::{self, Memory, Writer};
use pinion_loader::setup::{EndpointSpec, ServiceSpec, Setup};
use pinion_loader::user::UserEngine;
use pinion_loader::{Bounds, Maps};
use pinion_steering::{
    Address, Exhausted, Filter, FilterKey, Flow, FlowKey, Kind, PinKey, Placement, State, Unknown,
};

struct Node {
    owner: Owner<UserEngine>,
    table: Table,
    names: Names,
}

const TICKS: Ticks = Ticks { now: 100, length: Duration::from_millis(1_024) };

/// Two services of two endpoints each.
pub(crate) fn configure(maps: &mut dyn Maps) -> Names {
    let service = |name: &str, kind, protocol, port, last| ServiceSpec {
        name: name.into(),
        kind,
        protocol,
        port,
        addresses: vec![[192, 0, 2, last].into()],
        unknown: Unknown::Drop,
        placement: Placement::Maglev,
        exhausted: Exhausted::Drop,
        endpoints: (1..3)
            .map(|number| EndpointSpec {
                name: format!("{name}-{number}"),
                addresses: vec![[198, 51, 100, last + number].into()],
                port,
                weight: 1,
                up: true,
            })
            .collect(),
        aware: false,
        exits: Vec::new(),
    };
    let services = [service("sip", Kind::Flow, 17, 5060, 10), service("n3", Kind::Gtpu, 17, 2152, 20)];
    let mut setup = Setup::default();
    setup.apply(maps, &services).unwrap();
    let pool = |service: &str| Some(if service == "sip" { "proxies" } else { "upfs" });
    Names::new(&setup, &services, pool, None)
}

fn node() -> Node {
    let mut maps = UserEngine::new(Bounds { flows: 4_096, flows6: 64, pins: 4_096, ..Bounds::default() });
    let names = configure(&mut maps);
    let owner = Owner::new(maps);
    let table = Table::new(&owner, Settings { bound: 4_096, full: Full::Refuse });
    let node = Node { owner, table, names };
    let sip = node.names.record("sip", "proxies/sip-2", 0, 0).unwrap().pin;
    node.owner.blocking(|maps| {
        for port in 0..100 {
            let flow = Flow { target: sip.target, seen: 90, service: sip.service, ..Flow::default() };
            let state = if port % 2 == 0 { State::Established } else { State::Closing };
            let flow = Flow { state: state as u8, ..flow };
            let (near, client) = (Address::v4([192, 0, 2, 10]), Address::v4([203, 0, 113, port as u8 % 4]));
            maps.put_flow(&FlowKey::tuple(near, 5060, client, 10_000 + port, 17), &flow).unwrap();
            let endpoint = Address::v4([198, 51, 100, 12]);
            let back = Flow { target: 0, reply: 1, ..flow };
            maps.put_flow(&FlowKey::tuple(client, 10_000 + port, endpoint, 5060, 17), &back).unwrap();
        }
        let v6 = |last: u8| {
            let mut octets = [0; 16];
            octets[0] = 0x20;
            octets[15] = last;
            Address::v6(octets)
        };
        let established =
            Flow { target: sip.target, state: State::Established as u8, seen: 101, ..Flow::default() };
        maps.put_flow(&FlowKey::tuple(v6(1), 5060, v6(2), 7, 6), &established).unwrap();
        let association = Flow { tag: 0xc11e, peer: 77, state: State::Acked as u8, ..established };
        maps.put_flow(&FlowKey::association(0x5e11, 5060, 4_000), &association).unwrap();
        let back = Flow { reply: 1, tag: 0x5e11, ..association };
        maps.put_flow(&FlowKey::association(0xc11e, 4_000, 5060), &back).unwrap();
        maps.put_flow(&FlowKey::peer(sip.service, 4_000, 77), &association).unwrap();
        maps.put_flow(&FlowKey::tunnel(1, 0xbeef), &established).unwrap();
    });
    node
}

impl Node {
    async fn pin(&self, teids: std::ops::Range<u32>) {
        let batch = teids.map(|teid| {
            let endpoint = if teid % 2 == 0 { "upfs/n3-1" } else { "upfs/n3-2" };
            let record = self.names.record("n3", endpoint, 0, teid + 1).unwrap();
            Change::Insert(NewPin { key: PinKey { address: Address::v4([192, 0, 2, 20]), teid }, record })
        });
        let _ = self.table.commit(batch.collect()).await.unwrap();
    }

    async fn page(
        &self,
        filter: &SessionFilter,
        limit: u32,
        cursor: Option<String>,
    ) -> Result<SessionPage, ControlError> {
        let ask = PageAsk { limit, cursor };
        list(&self.owner, &self.table, &self.names, filter, &ask, TICKS).await
    }

    async fn all(&self, filter: &SessionFilter, limit: u32) -> Vec<SessionView> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.page(filter, limit, cursor).await.unwrap();
            assert!(page.sessions.len() <= limit as usize);
            all.extend(page.sessions);
            cursor = page.next;
            if cursor.is_none() {
                return all;
            }
        }
    }
}

fn keys(sessions: &[SessionView]) -> HashSet<SessionKey> {
    let keys: HashSet<_> = sessions.iter().map(|session| session.key).collect();
    assert_eq!(keys.len(), sessions.len(), "a session is shown twice");
    keys
}

#[tokio::test]
async fn each_session_is_shown_once_whatever_the_page() {
    let node = node();
    node.pin(0..300).await;
    let one = node.all(&SessionFilter::default(), 10_000).await;
    // 100 UDP flows, one TCP flow over IPv6, an association, a tunnel that was placed, 300 pins.
    assert_eq!(one.len(), 100 + 1 + 1 + 1 + 300);
    for limit in [1, 7, 100] {
        assert_eq!(keys(&node.all(&SessionFilter::default(), limit).await), keys(&one));
    }
}

#[tokio::test]
async fn a_session_is_shown_as_it_is() {
    let node = node();
    node.pin(7..8).await;
    let all = node.all(&SessionFilter::default(), 1_000).await;
    let find = |key: SessionKey| all.iter().find(|session| session.key == key).unwrap().clone();
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    assert_eq!(
        find(SessionKey::Flow { client: address("203.0.113.1:10001"), service: address("192.0.2.10:5060") }),
        SessionView {
            service: "sip".into(),
            endpoint: "proxies/sip-2".into(),
            key: SessionKey::Flow { client: address("203.0.113.1:10001"), service: address("192.0.2.10:5060") },
            state: SessionState::Closing,
            origin: Origin::Placed,
            idle: Some(Duration::from_secs(10)),
        }
    );
    let v6 = find(SessionKey::Flow { client: address("[2000::2]:7"), service: address("[2000::1]:5060") });
    assert_eq!(v6.idle, Some(Duration::ZERO), "a packet may be seen while the page is made");
    let association =
        SessionKey::Association { client_port: 4_000, service_port: 5060, tag: 0x5e11, client_tag: 0xc11e };
    assert_eq!(find(association).state, SessionState::Opening);
    let placed = find(SessionKey::Tunnel { address: None, teid: 0xbeef, endpoint_teid: 0xbeef });
    assert_eq!(placed.origin, Origin::Placed);
    let learned = SessionKey::Tunnel { address: Some([192, 0, 2, 20].into()), teid: 7, endpoint_teid: 8 };
    let learned = find(learned);
    assert_eq!((learned.service.as_str(), learned.endpoint.as_str()), ("n3", "upfs/n3-2"));
    assert_eq!((learned.origin, learned.idle), (Origin::Learned, None));
}

#[tokio::test]
async fn a_cursor_survives_what_it_points_at() {
    let node = node();
    node.pin(0..100).await;
    let whole = keys(&node.all(&SessionFilter::default(), 10_000).await);
    let mut seen = HashSet::new();
    let mut ended = HashSet::new();
    let mut cursor = None;
    loop {
        let page = node.page(&SessionFilter::default(), 3, cursor).await.unwrap();
        for key in keys(&page.sessions) {
            assert!(seen.insert(key), "shown twice: {key:?}");
            // Everything that was shown is ended, the one that the cursor names too.
            match key {
                SessionKey::Tunnel { address: Some(address), teid, .. } => {
                    let key = PinKey { address: address.into(), teid };
                    let _ = node.table.commit(vec![Change::Remove(key)]).await.unwrap();
                }
                SessionKey::Flow { client, service } => node.owner.blocking(|maps| {
                    let (near, far) = (service.ip().into(), client.ip().into());
                    maps.remove_flow(&FlowKey::tuple(near, service.port(), far, client.port(), 17)).unwrap();
                }),
                _ => {}
            }
            ended.insert(key);
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, whole);
}

#[tokio::test]
async fn filters_let_through_what_they_name() {
    let node = node();
    node.pin(0..10).await;
    let count = async |filter: SessionFilter| node.all(&filter, 50).await.len();
    let none = SessionFilter::default();
    assert_eq!(count(SessionFilter { service: Some("n3".into()), ..none.clone() }).await, 10);
    assert_eq!(count(SessionFilter { endpoint: Some("n3-1".into()), ..none.clone() }).await, 5);
    assert_eq!(count(SessionFilter { endpoint: Some("upfs/n3-1".into()), ..none.clone() }).await, 5);
    assert_eq!(count(SessionFilter { client: Some([203, 0, 113, 1].into()), ..none.clone() }).await, 25);
    assert_eq!(count(SessionFilter { state: Some(SessionState::Closing), ..none.clone() }).await, 50);
    assert_eq!(count(SessionFilter { state: Some(SessionState::Opening), ..none.clone() }).await, 1);
    assert_eq!(count(SessionFilter { state: Some(SessionState::Closed), ..none.clone() }).await, 0);
    let both = SessionFilter { service: Some("sip".into()), endpoint: Some("n3-1".into()), ..none };
    assert_eq!(count(both).await, 0);
}

#[tokio::test]
async fn a_restarted_table_takes_over_what_the_kernel_holds() {
    let node = node();
    node.pin(0..2_500).await;
    let settings = Settings { bound: 4_096, full: Full::Refuse };
    let table = Table::new(&node.owner, settings);
    let known = node.names.record("n3", "upfs/n3-1", 0, 1).unwrap();
    let key = |teid| PinKey { address: Address::v4([192, 0, 2, 20]), teid };
    let _ = table.commit(vec![Change::Insert(NewPin { key: key(0), record: known })]).await.unwrap();
    let stranger = pinion_steering::Pin { target: 999, ..Default::default() };
    node.owner.blocking(|maps| maps.put_pin(&key(9_999), &stranger)).unwrap();
    let adopted = table.adopt(&node.names).await.unwrap();
    assert_eq!((adopted.pins, adopted.strangers), (2_499, 1));
    for teid in [0, 1, 2_499] {
        let (before, now) = (node.table.get(&key(teid)).await.unwrap(), table.get(&key(teid)).await.unwrap());
        assert_eq!((before.pin, &before.place.endpoint), (now.pin, &now.place.endpoint));
    }
    let none = SessionFilter::default();
    let ask = PageAsk { limit: 10_000, cursor: None };
    let page = list(&node.owner, &table, &node.names, &none, &ask, TICKS).await.unwrap();
    assert_eq!(page.sessions.iter().filter(|session| session.origin == Origin::Restored).count(), 2_499);
}

/// TS 29.281 7.3.1: an endpoint names its tunnel as it knows it.
#[tokio::test]
async fn what_leads_back_comes_and_goes_with_its_pin() {
    let node = node();
    node.pin(0..4).await;
    let key = PinKey { address: Address::v4([192, 0, 2, 20]), teid: 2 };
    let led = |endpoint, teid| {
        let way = PinKey::back(Address::v4([198, 51, 100, endpoint]), teid);
        node.owner.blocking(move |maps| maps.read_pin(&way)).unwrap().map(|pin| pin.teid)
    };
    assert_eq!([(21, 1), (22, 2), (21, 3), (22, 4)].map(|(at, teid)| led(at, teid)), [0, 1, 2, 3].map(Some));
    let moved = node.names.record("n3", "upfs/n3-2", 0, 77).unwrap();
    let _ = node.table.commit(vec![Change::Replace(NewPin { key, record: moved })]).await.unwrap();
    assert_eq!([led(21, 3), led(22, 77)], [None, Some(2)]);
    let _ = node.table.commit(vec![Change::Remove(key)]).await.unwrap();
    assert_eq!([led(22, 77), led(22, 2)], [None, Some(1)]);
    // They are no sessions.
    let none = SessionFilter::default();
    let pinned = node.all(&none, 10_000).await.into_iter().filter(|session| session.origin == Origin::Learned);
    assert_eq!(pinned.count(), 3);
}

/// TS 23.501 5.6.4.2: some of a tunnel's packets go elsewhere for as long as it is where it is.
#[tokio::test]
async fn filters_stay_with_a_tunnel_that_stays() {
    let node = node();
    node.pin(0..4).await;
    let key = |teid| PinKey { address: Address::v4([192, 0, 2, 20]), teid };
    let branch = node.names.branch("n3", "upfs/n3-2", 0).unwrap();
    assert_eq!((branch, node.names.branch("n3", "upfs/n3-9", 0)), ((branch.0, false), None));
    let rules =
        ["udp from any to 203.0.113.0/24 53 via upfs/n3-2 teid 9", "ip from any to any via upfs/n3-2 teid 8"];
    let filters = |rules: &[&str]| -> Vec<Filter> {
        rules.iter().map(|rule| rule.parse::<Rule>().unwrap().filter(branch.0)).collect()
    };
    let (two, one) = (filters(&rules), filters(&rules[1..]));
    node.table.classify(vec![(key(2), two.clone()), (key(9), one.clone())]).await.unwrap();
    assert_eq!(
        [node.table.filters(&key(2)).await.unwrap(), node.table.filters(&key(9)).await.unwrap()],
        [two, vec![]]
    );
    node.table.classify(vec![(key(2), one.clone())]).await.unwrap();
    // Said again, as by N4 after a restart.
    let again = node.names.record("n3", "upfs/n3-1", 0, 3).unwrap();
    let _ = node.table.commit(vec![Change::Learn(NewPin { key: key(2), record: again })]).await.unwrap();
    assert_eq!(node.table.filters(&key(2)).await.unwrap(), one);
    // The next table finds them too.
    let next = Table::new(&node.owner, Settings { bound: 4_096, full: Full::Refuse });
    assert_eq!(next.adopt(&node.names).await.unwrap().pins, 4);
    assert_eq!(next.filters(&key(2)).await.unwrap(), one);
    let moved = node.names.record("n3", "upfs/n3-2", 0, 3).unwrap();
    let _ = node.table.commit(vec![Change::Replace(NewPin { key: key(2), record: moved })]).await.unwrap();
    assert_eq!(node.table.filters(&key(2)).await.unwrap(), []);
    let first = FilterKey::first(&key(2), true);
    assert_eq!(node.owner.blocking(move |maps| maps.read_filter(&first)).unwrap(), None);
}

#[tokio::test]
async fn taking_over_does_not_wait_for_a_store_that_writes_nothing() {
    let node = node();
    node.pin(0..2_500).await;
    let settings = store::Settings { backlog: 10_000, node: "a".into(), seed: 7 };
    // It is never run.
    let (_writer, behind) = Writer::new(Memory::default(), settings);
    let settings = Settings { bound: 4_096, full: Full::Refuse };
    let table = Table::stored(&node.owner, settings, behind.clone(), Some(Duration::from_millis(50)));
    assert_eq!(table.adopt(&node.names).await.unwrap().pins, 2_500);
    assert_eq!((table.level().unstored, behind.level().waiting), (0, 2_500));
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let node = node();
    let none = SessionFilter::default();
    let service = SessionFilter { service: Some("nope".into()), ..none.clone() };
    assert!(matches!(node.page(&service, 1, None).await, Err(ControlError::NoService(name)) if name == "nope"));
    let endpoint = SessionFilter { endpoint: Some("proxies/n3-1".into()), ..none.clone() };
    assert!(matches!(node.page(&endpoint, 1, None).await, Err(ControlError::NoEndpoint(_))));
    let cursor = node.page(&none, 1, Some("p99".into())).await;
    assert!(matches!(cursor, Err(ControlError::Cursor(text)) if text == "p99"));
}
