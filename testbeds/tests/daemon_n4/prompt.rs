//! A tunnel is in force when the SMF hears of it.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use testbeds::n4::{Machine as _, Smf, SmfConfig, State};
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::scenario::probe;

use super::bed::{Bed, Options, PATIENCE, address, front_end, n3, plain, user};

const ROUNDS: usize = 1_000;
/// How many sessions are asked for at once.
const WINDOWS: [usize; 2] = [1, 20];

/// The gNB sends in the moment that the response arrives at the SMF: no packet is lost.
#[test]
fn no_packet_after_the_response_is_dropped() {
    need!(probe());
    let options = Options::default();
    let mut bed = Bed::new(&options);
    let _daemon = bed.start(&options);
    // It is asked by no thread, so that nothing is between a response and the packet.
    drop(bed.smfs.remove(0));
    let host = &bed.topology.clients[0];
    let mut smf = Smf::new(SmfConfig::at(address(host)));
    let socket = host.namespace.run(|| UdpSocket::bind(smf.socket())).unwrap().unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let began = std::time::Instant::now();
    let mut buffer = vec![0; 2_000];
    let mut turn = |smf: &mut Smf| {
        for datagram in smf.take() {
            socket.send_to(&datagram.bytes, datagram.to).unwrap();
        }
        let came = socket.recv_from(&mut buffer);
        let now = began.elapsed();
        if let Ok((length, from)) = came {
            smf.receive(from, &buffer[..length], now);
        }
        smf.tick(now);
    };
    smf.associate(front_end(), began.elapsed());
    while !smf.associations()[&front_end()].is_up() {
        turn(&mut smf);
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        // Another SMF has enough to do for all.
        let other = &bed.smfs[0];
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let seids: Vec<u64> =
                    other.with(|smf, now| (0..30).map(|it| smf.establish(front_end(), &plain(it), now)).collect());
                assert!(other.until(PATIENCE, Smf::is_quiet));
                other.with(|smf, now| seids.iter().for_each(|seid| smf.delete(*seid, now)));
                assert!(other.until(PATIENCE, Smf::is_quiet));
            }
        });
        let gnb = &mut bed.gnbs[0];
        for window in WINDOWS {
            for round in 0..ROUNDS / window {
                let mut asked: Vec<u64> = (0..window)
                    .map(|number| smf.establish(front_end(), &plain(round + number), began.elapsed()))
                    .collect();
                while !asked.is_empty() {
                    turn(&mut smf);
                    asked.retain(|seid| match smf.session(*seid).unwrap().state {
                        State::Establishing => true,
                        state => {
                            assert_eq!(state, State::Established);
                            gnb.tell(n3(), &user(&smf, 0, *seid), 64).unwrap();
                            false
                        }
                    });
                }
            }
        }
        done.store(true, Ordering::Release);
    });
    let all: Vec<_> = smf.sessions().values().map(|session| session.ue.unwrap()).collect();
    assert_eq!(all.len(), ROUNDS * WINDOWS.len());
    let came = |ue| bed.upfs.iter().find_map(|core| core.upf.with(|upf, _| Some(upf.session_of(ue)?.1.uplink.0)));
    wait_for(PATIENCE, || all.iter().all(|ue| came(*ue) == Some(1)));
    bed.flawless();
}
