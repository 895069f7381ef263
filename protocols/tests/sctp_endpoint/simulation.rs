//! Every message arrives once and in its stream's order, or its sender is told that it may not have:
//! whatever the network does, whoever crashes, and wherever an association is taken over.

use crate::world::{Tally, World};

fn simulate(seed: u64) -> Tally {
    let mut world = World::new(seed);
    let pace = 1 + world.dice.below(60_000);
    let mischiefs = 100 + world.dice.below(500);
    world.run(mischiefs * pace / 2, pace);
    world.finish();
    let mut tally = world.tally;
    tally.delivered = world.oracles.iter().map(|oracle| oracle.delivered).sum();
    tally.failed = world.oracles.iter().map(|oracle| oracle.failed).sum();
    tally.packets = world.network.packets;
    tally
}

/// `PINION_SIMULATIONS` says how many, `PINION_SIMULATIONS_FROM` from which one on, `PINION_SIMULATION` which
/// one only.
#[test]
fn every_message_arrives_once_in_order_or_is_reported() {
    if let Some(seed) = number("PINION_SIMULATION") {
        println!("{:?}", simulate(seed));
        return;
    }
    let count = number("PINION_SIMULATIONS").unwrap_or(40);
    let from = number("PINION_SIMULATIONS_FROM").unwrap_or(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let run =
            |worker| (from..from + count).skip(worker as usize).step_by(workers as usize).map(named).collect();
        let workers: Vec<_> =
            (0..workers).map(|worker| scope.spawn(move || -> Vec<Tally> { run(worker) })).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no simulation fails")).collect()
    });
    let sum = |field: fn(&Tally) -> u64| tallies.iter().map(field).sum::<u64>();
    println!(
        "{count} simulations: {} messages delivered, {} reported as failed, {} packets, {} restarts, {} losses, {} \
         paths down, {} hand-overs, {} changes of addresses",
        sum(|tally| tally.delivered),
        sum(|tally| tally.failed),
        sum(|tally| tally.packets),
        sum(|tally| tally.restarts),
        sum(|tally| tally.losses),
        sum(|tally| tally.path_downs),
        sum(|tally| tally.hand_overs),
        sum(|tally| tally.address_changes),
    );
    // The simulation would say nothing if nothing happened in it.
    assert!(sum(|tally| tally.delivered) > 100 * count);
    assert!(sum(|tally| tally.restarts) > 0 && sum(|tally| tally.hand_overs) > count);
    assert!(sum(|tally| tally.path_downs) > 0 && sum(|tally| tally.failed) > 0);
}

/// Runs a simulation and, where it fails, says which one.
fn named(seed: u64) -> Tally {
    struct Name(u64);
    impl Drop for Name {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("simulation {} failed: run it alone with PINION_SIMULATION={}", self.0, self.0);
            }
        }
    }
    let _name = Name(seed);
    simulate(seed)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Simulations that once found a mistake.
#[test]
fn what_went_wrong_once_goes_right() {
    for seed in [32, 60, 70, 98, 144, 222, 341, 354, 410, 422, 1708, 6816, 8575, 2_000_202, 4_008_873, 9_003_213] {
        named(seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(simulate(7), simulate(7));
}
