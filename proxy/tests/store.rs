//! Stores: what is written arrives, whatever becomes of the server; what arrived is restored.
#![cfg(test)]

#[path = "store/breaking.rs"]
mod breaking;
#[path = "shared/daemon.rs"]
mod daemon;
#[path = "shared/free.rs"]
mod free;
#[path = "store/node.rs"]
mod node;
#[path = "store/resources.rs"]
mod resources;
#[path = "store/server.rs"]
mod server;

use std::time::Duration;

use breaking::Breaking;
use node::{NOW, Node, Options, key};
use pinion::sessions::{Change, Moment, PinOrigin};
use pinion::store::{Memories, Memory, Redis, Store as _, StoreError, Stored, Write};
use server::Server;

/// TEIDs and endpoints that the server has.
async fn stored(server: &Server) -> Vec<(u32, String)> {
    server.pins().await.into_iter().map(|(key, stored)| (key.teid, stored.endpoint)).collect()
}

/// Waits until the level says what it should; gives up where it never will.
async fn until(node: &Node, what: impl Fn(&pinion::control::StoreLevel) -> bool) {
    let done = async {
        while !what(&node.behind.level()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), done).await.is_ok(), "never: {:?}", node.behind.level());
}

#[tokio::test]
async fn another_node_restores_what_one_wrote() {
    let store = Memory::default();
    let mut one = Node::new(store.clone(), &Options::default());
    one.run();
    one.put(0..2_500, 0).await;
    one.put(0..10, 1).await;
    one.end(20..30).await;
    let mut late = one.pin(40, 2);
    late.record.ends = Some(NOW);
    let mut later = one.pin(41, 2);
    later.record.ends = Some(NOW.after(Duration::from_secs(1)));
    let _ = one.table.commit(vec![Change::Replace(late), Change::Replace(later)]).await.unwrap();
    one.settle().await;

    // The other node knows two of the three endpoints, and of one key something newer.
    let mut other = Node::new(store, &Options { name: "b", endpoints: 2, ..Options::default() });
    other.put(3..4, 0).await;
    let restored = other.writer.as_mut().unwrap().restore(&other.table, &other.names, NOW).await.unwrap();
    assert_eq!((restored.known, restored.ended, restored.unusable), (1, 0, 2));
    assert_eq!(restored.pins, 2_500 - 10 - 1 - 2);
    assert_eq!(restored.examples[0].why, "service n3 has no endpoint upfs/upf-2 here");
    let mut expected = one.pins(0..2_500).await;
    expected.retain(|(_, endpoint)| endpoint != "upfs/upf-2");
    expected[3].1 = "upfs/upf-0".into();
    assert_eq!(other.pins(0..2_500).await, expected);
    let record = other.table.get(&key(5)).await.unwrap();
    assert_eq!((record.origin, record.pin.teid), (PinOrigin::Restored, 6));
}

#[tokio::test]
async fn what_ended_and_what_cannot_be_read_stays_out() {
    let mut store = Memory::default();
    let stored = Stored {
        origin: PinOrigin::Learned,
        path: 0,
        flags: 0,
        teid: 1,
        ends: Some(Moment(NOW.0 - 1)),
        node: "a".into(),
        service: "n3".into(),
        endpoint: "upfs/upf-0".into(),
    };
    let good = Stored { ends: None, ..stored.clone() }.encode().unwrap();
    let mut future = good.clone();
    future[0] = 9;
    let write = |teid, value: Vec<u8>| {
        let at = std::time::SystemTime::UNIX_EPOCH;
        Write { key: key(teid).into(), value: Some((value, None)), at }
    };
    let writes = [write(1, stored.encode().unwrap()), write(2, good), write(3, future), write(4, vec![1])];
    store.write(&writes).await.unwrap();
    let mut node = Node::new(store, &Options::default());
    let restored = node.writer.as_mut().unwrap().restore(&node.table, &node.names, NOW).await.unwrap();
    assert_eq!(
        restored.to_string(),
        "1 pins restored, 0 known already, 1 had ended, 2 cannot be used; TEID 0x00000003 at 192.0.2.1: it is of \
         version 9, and this build reads version 1: run the version that wrote it; TEID 0x00000004 at 192.0.2.1: it \
         ends within origin, at byte 1"
    );
}

#[tokio::test]
async fn more_than_fits_is_restored_as_far_as_it_goes() {
    let store = Memory::default();
    let mut one = Node::new(store.clone(), &Options::default());
    one.run();
    one.put(0..50, 0).await;
    one.settle().await;
    let mut other = Node::new(store, &Options { name: "b", bound: 30, ..Options::default() });
    let restored = other.writer.as_mut().unwrap().restore(&other.table, &other.names, NOW).await.unwrap();
    assert_eq!((restored.pins, restored.unusable), (30, 20));
    assert!(restored.examples[0].why.starts_with("all 30 pins are taken"));
}

/// A store with 3,500 pins, which are four pages.
async fn four_pages() -> (Memory, Node) {
    let store = Memory::default();
    let mut one = Node::new(store.clone(), &Options::default());
    one.run();
    one.put(0..3_500, 0).await;
    one.settle().await;
    (store, one)
}

#[tokio::test]
async fn restoring_goes_on_at_the_page_where_the_store_broke_off() {
    let (store, one) = four_pages().await;
    let store = Breaking::new(store, &[2, 1], Memories::Whole);
    let mut other = Node::new(store.clone(), &Options { name: "b", ..Options::default() });
    let restored = other.writer.as_mut().unwrap().restore(&other.table, &other.names, NOW).await.unwrap();
    assert_eq!((restored.pins, restored.known), (3_500, 0));
    let pages = [None, Some(1000), Some(2000), Some(2000), Some(3000), Some(3000)];
    assert_eq!(store.asked(), pages);
    assert_eq!(other.pins(0..3_500).await, one.pins(0..3_500).await);
}

#[tokio::test]
async fn a_store_that_breaks_off_twice_at_a_page_is_left_for_later_and_not_begun_again() {
    let (store, one) = four_pages().await;
    let store = Breaking::new(store, &[2, 0], Memories::Whole);
    let mut other = Node::new(store.clone(), &Options { name: "b", ..Options::default() });
    let error = other.writer.as_mut().unwrap().restore(&other.table, &other.names, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Down(_)), "{error}");
    assert_eq!(store.asked(), [None, Some(1000), Some(2000), Some(2000)]);
    assert_eq!(other.pins(0..3_500).await.len(), 2_000, "what was read is in force");
    // What the table says by now is newer than what the store does.
    other.put(2_500..2_600, 1).await;
    other.end(0..10).await;
    other.run();
    other.settle().await;
    assert_eq!(store.asked(), [Some(2000), Some(3000)]);
    let mut expected = one.pins(10..3_500).await;
    for (_, endpoint) in &mut expected[2_490..2_590] {
        "upfs/upf-1".clone_into(endpoint);
    }
    assert_eq!(other.pins(0..3_500).await, expected);
}

#[tokio::test]
async fn a_server_that_began_anew_is_read_from_its_beginning() {
    let (store, one) = four_pages().await;
    let store = Breaking::new(store, &[3], Memories::Doubtful);
    let mut other = Node::new(store.clone(), &Options { name: "b", ..Options::default() });
    let restored = other.writer.as_mut().unwrap().restore(&other.table, &other.names, NOW).await.unwrap();
    let pages = [None, Some(1000), Some(2000), Some(3000), None, Some(1000), Some(2000), Some(3000)];
    assert_eq!(store.asked(), pages);
    assert_eq!((restored.pins, restored.known), (3_500, 3_000));
    assert_eq!(other.pins(0..3_500).await, one.pins(0..3_500).await);
}

#[tokio::test]
async fn redis_holds_pins_as_documented() {
    let Some(server) = Server::start(None).await else { return };
    let mut one = Node::new(server.store(), &Options::default());
    one.run();
    let mut ending = one.pin(0xab, 1);
    // In the year 2100.
    ending.record.ends = Some(Moment(4_102_444_800));
    let _ = one.table.commit(vec![Change::Insert(ending)]).await.unwrap();
    one.settle().await;
    let value = server.ask(&["GET", "test:pin:192.0.2.1/000000ab"]).await;
    let expected = b"\x01\x00\x00\x00\x00\x00\xac\xf4\x86\x57\x00\x00\x01a\x00\x02n3\x00\x0aupfs/upf-1";
    assert_eq!(value, redis::Value::BulkString(expected.to_vec()));
    let end = server.ask(&["EXPIRETIME", "test:pin:192.0.2.1/000000ab"]).await;
    assert_eq!(end, redis::Value::Int(4_102_444_800));
}

#[tokio::test]
async fn redis_gone_in_the_middle_and_back_empty_gets_all_again() {
    let Some(mut server) = Server::start(None).await else { return };
    let mut node = Node::new(server.store(), &Options::default());
    node.run();
    node.put(0..3_000, 0).await;
    until(&node, |level| level.written > 0).await;
    server.kill();
    // Nothing stalls: these commits do not wait.
    node.put(1_000..4_000, 1).await;
    node.end(2_000..2_500).await;
    until(&node, |level| !level.up && level.lag > Duration::ZERO).await;
    assert!(node.behind.level().why.starts_with("the store does not answer"), "{:?}", node.behind.level());
    server.resume().await;
    node.settle().await;
    assert_eq!(stored(&server).await, node.pins(0..4_000).await);
    assert_eq!(node.behind.level().lost, 0);
}

#[tokio::test]
async fn redis_stopped_makes_changes_wait_and_none_is_overtaken() {
    let Some(server) = Server::start(None).await else { return };
    let mut node = Node::new(server.store(), &Options::default());
    node.run();
    node.put(0..100, 0).await;
    node.settle().await;
    server.signal("STOP");
    // More than a socket's buffer, so that some of it is read only after later connections were made.
    for round in 0..6 {
        node.put(0..2_000, round % 3).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    node.end(0..50).await;
    assert!(node.behind.level().waiting >= 2_000);
    assert!(node.behind.level().lag > Duration::ZERO);
    server.signal("CONT");
    node.settle().await;
    assert_eq!(stored(&server).await, node.pins(0..2_000).await);
    // What the connection before may have left in its socket is not carried out after what came later.
    let redis::Value::BulkString(calls) = server.ask(&["INFO", "commandstats"]).await else { panic!() };
    assert!(String::from_utf8(calls).unwrap().contains("cmdstat_client|kill:"));
}

#[tokio::test]
async fn redis_full_is_shown_and_takes_what_makes_room() {
    let Some(server) = Server::start(None).await else { return };
    let mut node = Node::new(server.store(), &Options::default());
    node.run();
    node.put(0..1_000, 0).await;
    node.settle().await;
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]).await;
    node.put(1_000..3_000, 1).await;
    node.end(0..500).await;
    until(&node, |level| level.up && level.why.contains("OOM")).await;
    // Removals are not held up by what does not fit.
    let removed = async {
        while stored(&server).await.len() != 500 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), removed).await.is_ok());
    assert_eq!(node.behind.level().waiting, 2_000);
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]).await;
    node.settle().await;
    assert_eq!(stored(&server).await, node.pins(0..3_000).await);
    assert_eq!(node.behind.level().why, "");
}

#[tokio::test]
async fn what_the_backlog_had_no_room_for_is_written_again() {
    let Some(mut server) = Server::start(None).await else { return };
    let mut node = Node::new(server.store(), &Options { backlog: 700, ..Options::default() });
    let mut other = Node::new(server.store(), &Options { name: "b", ..Options::default() });
    node.run();
    other.run();
    for begin in (0..5_000).step_by(500) {
        node.put(begin..begin + 500, 0).await;
        node.settle().await;
    }
    other.put(9_000..9_010, 2).await;
    other.settle().await;
    server.signal("STOP");
    node.put(0..3_000, 1).await;
    node.end(3_000..5_000).await;
    let level = node.behind.level();
    assert_eq!((level.waiting, level.lost), (700, 4_300));
    server.signal("CONT");
    node.settle().await;
    let mut expected = node.pins(0..5_000).await;
    assert_eq!(expected.len(), 3_000);
    // What another node wrote is none of its business.
    expected.extend(other.pins(9_000..9_010).await);
    assert_eq!(stored(&server).await, expected);
    server.kill();
}

#[tokio::test]
async fn a_store_that_was_gone_at_the_start_is_restored_when_it_is_back() {
    let Some(mut server) = Server::start(None).await else { return };
    let mut one = Node::new(server.store(), &Options::default());
    one.run();
    one.put(0..100, 0).await;
    one.settle().await;
    drop(one);
    server.signal("STOP");
    let mut two = Node::new(server.store(), &Options::default());
    let error = two.writer.as_mut().unwrap().restore(&two.table, &two.names, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Down(_)), "{error}");
    two.run();
    two.put(50..60, 1).await;
    server.signal("CONT");
    two.settle().await;
    let pins = two.pins(0..100).await;
    assert_eq!(pins.len(), 100);
    assert!(pins.iter().all(|(teid, endpoint)| (endpoint == "upfs/upf-1") == (50..60).contains(teid)));
    assert_eq!(stored(&server).await, pins);
    server.kill();
}

#[tokio::test]
async fn a_commit_waits_for_the_store_where_it_is_told_to() {
    let Some(server) = Server::start(None).await else { return };
    let wait = Some(Duration::from_secs(30));
    let mut node = Node::new(server.store(), &Options { wait, ..Options::default() });
    node.run();
    node.put(0..1_500, 0).await;
    assert_eq!(stored(&server).await.len(), 1_500);
    assert_eq!(node.table.level().unstored, 0);

    let wait = Some(Duration::from_millis(50));
    let mut node = Node::new(server.store(), &Options { wait, ..Options::default() });
    node.run();
    node.settle().await;
    server.signal("STOP");
    node.put(2_000..2_001, 1).await;
    assert_eq!(node.table.level().unstored, 1);
    assert!(node.table.get(&key(2_000)).await.is_some(), "it is in force all the same");
    server.signal("CONT");
    node.settle().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_none_is_shown() {
    let Some(server) = Server::start(Some("right-one")).await else { return };
    let mut node = Node::new(server.store(), &Options::default());
    node.run();
    node.put(0..10, 0).await;
    node.settle().await;
    let address = server.address().replace("right-one", "wrong-one");
    let mut node = Node::new(Redis::new(&address, "test:").unwrap(), &Options::default());
    node.run();
    until(&node, |level| level.why.starts_with("the store refuses")).await;
    assert!(!format!("{:?}", node.behind.level()).contains("wrong-one"));
}
