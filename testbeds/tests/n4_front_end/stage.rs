//! Who is there, and what all tests do with them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use pinion_n4::{Bounds, Mode, Placement, Serves, Settings, Timers};
use testbeds::n4::{Between, Machine, Smf, SmfConfig, Timing, Tunnel, Upf, UpfConfig, Wire, Wish};
use testbeds::packets::ip::Ip;
use testbeds::packets::transport::{Payload, Udp};

pub(crate) const N4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
pub(crate) const GNB: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const STEP: Duration = Duration::from_millis(500);

/// Two SMFs, the front end, three UPFs whose TEIDs are the same.
pub(crate) struct Core {
    pub(crate) smfs: Vec<Smf>,
    pub(crate) between: Between,
    pub(crate) upfs: Vec<Upf>,
    wire: Wire,
    pub(crate) clock: Duration,
}

impl Core {
    /// All of them, once the SMFs are associated with the front end. `smf` and `upf` change what each is configured with.
    pub(crate) fn new(
        wire: Wire,
        n1: u8,
        smf: impl Fn(SmfConfig) -> SmfConfig,
        upf: impl Fn(UpfConfig) -> UpfConfig,
        settings: impl Fn(&[Upf]) -> Settings,
    ) -> Self {
        let timing = Timing { n1: n1.into(), ..Timing::default() };
        let smfs = [1, 2]
            .map(|number: u8| Smf::new(smf(SmfConfig { timing, ..SmfConfig::at([192, 0, 2, number].into()) })));
        let upfs = [11, 12, 13].map(|number: u8| {
            let config = UpfConfig::at([192, 0, 2, number].into(), [198, 51, 100, number].into());
            Upf::new(upf(UpfConfig { pool: Some(([10, number, 0, 1].into(), 60_000)), timing, ..config }))
        });
        let between = Between::new(settings(&upfs));
        let mut core = Self { smfs: smfs.into(), between, upfs: upfs.into(), wire, clock: Duration::ZERO };
        core.pass(5);
        for smf in &mut core.smfs {
            smf.associate(core.between.socket(), core.clock);
        }
        core.settle();
        assert!(core.smfs.iter().all(|smf| smf.associations()[&core.between.socket()].is_up()));
        core
    }

    /// Half seconds pass.
    pub(crate) fn pass(&mut self, steps: u32) {
        let until = self.clock + STEP * steps;
        let mut machines: Vec<&mut dyn Machine> = vec![&mut self.between];
        machines.extend(self.smfs.iter_mut().map(|smf| smf as &mut dyn Machine));
        machines.extend(self.upfs.iter_mut().map(|upf| upf as &mut dyn Machine));
        self.wire.run_until(&mut machines, self.clock, until, STEP);
        self.clock = until + STEP;
    }

    /// Until nobody waits.
    pub(crate) fn settle(&mut self) {
        self.pass(1);
        while !self.smfs.iter().all(Smf::is_quiet) || !self.upfs.iter().all(Upf::is_quiet) {
            self.pass(1);
        }
    }

    /// Does something with each session of each SMF.
    pub(crate) fn each(&mut self, mut task: impl FnMut(&mut Smf, u64, Duration)) {
        for smf in &mut self.smfs {
            for seid in smf.sessions().keys().copied().collect::<Vec<_>>() {
                task(smf, seid, self.clock);
            }
        }
        self.settle();
    }

    /// Sessions of each SMF; which has chosen the users' addresses where `chosen`.
    pub(crate) fn establish(&mut self, sessions: u64, chosen: bool) {
        let to = self.between.socket();
        for (which, smf) in self.smfs.iter_mut().enumerate() {
            for number in 0..sessions {
                let ue = chosen.then(|| Ipv4Addr::new(10, 100, which as u8, number as u8));
                let wish = Wish { ue, urr: true, endpoint: number % 2 == 0, ..Wish::default() };
                smf.establish(to, &wish, self.clock);
            }
        }
        self.settle();
        self.each(|smf, seid, now| smf.activate(seid, gnb(smf, seid), now));
    }

    /// UPFs report what each session used.
    pub(crate) fn report_usage(&mut self) {
        for upf in &mut self.upfs {
            for seid in upf.sessions().keys().copied().collect::<Vec<_>>() {
                upf.report_usage(seid, self.clock);
            }
        }
        self.settle();
    }

    /// How many sessions each UPF has.
    pub(crate) fn shares(&self) -> Vec<usize> {
        self.upfs.iter().map(|upf| upf.sessions().len()).collect()
    }

    /// Nobody saw a violation of the protocol.
    pub(crate) fn flawless(&self) {
        for smf in &self.smfs {
            assert_eq!(smf.violations(), []);
        }
        for upf in &self.upfs {
            assert_eq!(upf.violations(), []);
        }
    }
}

/// A front end before UPFs, without a user plane.
pub(crate) fn settings(upfs: &[Upf], n1: u8, mode: Mode, placement: Placement) -> Settings {
    let of = |upf: &Upf| pinion_n4::Upf {
        name: name(upf).into(),
        address: upf.socket().ip(),
        weight: 1,
        priority: 0,
        drained: false,
        serves: Serves::default(),
    };
    Settings {
        address: N4.into(),
        upfs: upfs.iter().map(of).collect(),
        user_plane: Vec::new(),
        breakouts: Vec::new(),
        placement,
        restore: false,
        smf_teids: false,
        mode,
        timers: Timers { t1: 2 * STEP, n1, ..Timers::default() },
        bounds: Bounds::default(),
    }
}

pub(crate) fn name(upf: &Upf) -> String {
    format!("upfs/{}", upf.n3_address())
}

/// A user's packet, or one for a user.
pub(crate) fn packet(from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
    Ip::new(from.into(), to.into(), Payload::Udp(Udp::default())).bytes()
}

fn gnb(smf: &Smf, seid: u64) -> Tunnel {
    let IpAddr::V4(address) = smf.socket().ip() else { return Tunnel { teid: 0, address: GNB } };
    Tunnel { teid: u32::from(address.octets()[3]) << 24 | seid as u32, address: GNB }
}
