//! What an idle association costs. Alone in its process: the memory of the whole process is measured.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::net::IpAddr;
use std::time::Duration;

use pinion_protocols::sctp::endpoint::{Config, Endpoint, Event, Message, Time, memory};

/// Associations, each with two paths.
const COUNT: u32 = 3_000;
/// Bytes that one may cost at each end.
const MOST: usize = 4096;

/// Bytes of the process that are in memory, where the system tells.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[test]
fn three_thousand_idle_associations_are_small_and_go_on() {
    let (here, there): ([IpAddr; 2], [IpAddr; 2]) =
        ([[10, 0, 0, 1].into(), [10, 1, 0, 1].into()], [[10, 0, 0, 2].into(), [10, 1, 0, 2].into()]);
    let mut now = Time::ZERO;
    let mut client = Endpoint::new(Config::default(), [1; 32]);
    let mut server = Endpoint::new(Config::default(), [2; 32]);
    server.listen(38412, &there);
    let before = resident();
    let mut messages = 0;
    let mut take = |endpoint: &mut Endpoint| {
        while let Some((_, event)) = endpoint.poll_event() {
            assert!(!event.is_last() && !matches!(event, Event::PathDown(_)), "{event:?}");
            messages += u32::from(matches!(event, Event::Message(_)));
        }
    };
    for number in 0..COUNT {
        let port = 10_000 + u16::try_from(number).unwrap();
        let id = client.connect(now, (&here, port), (&there, 38412)).unwrap();
        for stream in 0..4 {
            client.send(now, id, Message::new(stream, 60, vec![0; 2000].into())).unwrap();
        }
        memory::exchange(&mut client, &mut server, now);
        take(&mut client);
        take(&mut server);
    }
    // Heartbeats, twice on each path.
    let end = now.after(Duration::from_secs(70));
    while now < end {
        let due = [client.deadline(), server.deadline()].into_iter().flatten().min().unwrap();
        now = due.max(now.after(Duration::from_millis(10)));
        client.expire(now);
        server.expire(now);
        memory::exchange(&mut client, &mut server, now);
        take(&mut client);
        take(&mut server);
    }
    assert_eq!(messages, 4 * COUNT);
    assert_eq!((client.associations().count(), server.associations().count()), (3_000, 3_000));
    let (Some(before), Some(after)) = (before, resident()) else { return };
    let each = (after - before) / usize::try_from(2 * COUNT).unwrap();
    println!("{each} bytes for an idle association");
    assert!(each <= MOST, "{each} bytes for an idle association");
}
