//! The engines that a replay runs on, alone or in lockstep.

use pinion_loader::kernel::{Kernel, PROGRAM};
use pinion_loader::user::UserEngine;
use pinion_loader::{Bounds, Engine, INGRESS, LoadError, Maps, Ran};
use pinion_steering::{Link, Reason, Verdict};

/// Which engine steers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The steering crate over tables in memory.
    User,
    /// The BPF object in the kernel (BPF_PROG_TEST_RUN), which needs its privileges.
    Kernel,
    /// Both, packet by packet, until they differ.
    Both,
}

/// The link address of the interface that packets come in on.
const ADDRESS: [u8; 6] = [2, 0, 0, 0, 0, 1];

pub(super) enum Engines {
    User(Box<UserEngine>),
    Kernel(Box<Kernel>),
    Both(Box<UserEngine>, Box<Kernel>),
}

/// What the engines made of one frame.
pub(super) enum Made {
    /// Verdict and reason; what leaves was written where it was wanted.
    Alike(Verdict, Reason),
    /// What the user-space engine and the kernel made of it.
    Different(Box<[Ran; 2]>),
}

impl Engines {
    pub(super) fn open(choice: Choice) -> Result<Self, LoadError> {
        let mut engines = match choice {
            Choice::User => Self::User(Box::new(UserEngine::new(bounds()))),
            Choice::Kernel => Self::Kernel(kernel()?),
            Choice::Both => Self::Both(Box::new(UserEngine::new(bounds())), kernel()?),
        };
        let link = Link { lower: INGRESS, vlan: 0, address: ADDRESS };
        engines.each(|engine| engine.put_link(INGRESS, &link))?;
        Ok(engines)
    }

    /// Does something to each engine.
    pub(super) fn each(
        &mut self,
        mut act: impl FnMut(&mut dyn Engine) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        match self {
            Self::User(user) => act(user.as_mut()),
            Self::Kernel(kernel) => act(kernel.as_mut()),
            Self::Both(user, kernel) => {
                act(user.as_mut())?;
                act(kernel.as_mut())
            }
        }
    }

    /// Where to look something up: both engines have the same, as long as they do not differ.
    pub(super) fn maps(&self) -> &dyn Maps {
        match self {
            Self::User(user) | Self::Both(user, _) => user.as_ref(),
            Self::Kernel(kernel) => kernel.as_ref(),
        }
    }

    /// Runs one frame; what leaves goes to `out`.
    pub(super) fn run(
        &mut self,
        tick: u32,
        random: u32,
        frame: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Made, LoadError> {
        out.clear();
        match self {
            Self::User(user) => {
                user.imagine(tick, random)?;
                let (outcome, bytes) = user.steer(frame);
                if outcome.verdict != Verdict::Drop {
                    out.extend_from_slice(bytes);
                }
                Ok(Made::Alike(outcome.verdict, outcome.reason))
            }
            Self::Kernel(kernel) => {
                kernel.imagine(tick, random)?;
                let ran = kernel.run(frame)?;
                out.extend_from_slice(&ran.bytes);
                Ok(Made::Alike(ran.verdict, ran.reason))
            }
            Self::Both(user, kernel) => {
                user.imagine(tick, random)?;
                kernel.imagine(tick, random)?;
                let rans = [user.run(frame)?, kernel.run(frame)?];
                let [mine, theirs] = &rans;
                if mine != theirs {
                    return Ok(Made::Different(Box::new(rans)));
                }
                out.extend_from_slice(&mine.bytes);
                Ok(Made::Alike(mine.verdict, mine.reason))
            }
        }
    }

    /// Takes what the last frame left for user space, and says how many copies that were.
    pub(super) fn drain(&mut self) -> Result<u64, LoadError> {
        let mut most = 0;
        self.each(|engine| {
            let copies = engine.events()?.len().saturating_add(engine.copies()?.len());
            most = most.max(copies as u64);
            Ok(())
        })?;
        Ok(most)
    }
}

fn kernel() -> Result<Box<Kernel>, LoadError> {
    let mut kernel = Kernel::load_imagined(bounds())?;
    kernel.verify(PROGRAM)?;
    Ok(Box::new(kernel))
}

/// Room for as many services as [`super::MOST_SERVICES`], with three endpoints on four paths each.
fn bounds() -> Bounds {
    Bounds { flows: 1 << 18, sources: 1 << 16, targets: 1 << 17, maglev: 1 << 22, ..Bounds::default() }
}
