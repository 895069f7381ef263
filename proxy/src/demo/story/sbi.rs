//! The part of SBI: resources are made and found, and a UDM is killed with those that it has.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{PATIENCE, meanwhile, shared, time};
use crate::demo::audience::{Audience, Kind as Told};
use crate::demo::error::DemoError;
use crate::demo::ledger::Tally;
use crate::demo::sbi::cast::{AMFS, Function, Kind, SMFS, UDMS};
use crate::demo::sbi::{Core, SbiSummary};
use crate::demo::stage::Stage;
use crate::demo::theatre::Theatre;

/// The UDM that is killed.
const UDM: Function = Function { kind: Kind::Udm, number: 2 };

/// Plays it; what it came to.
pub(super) async fn kill_a_udm<S: Stage, A: Audience>(
    theatre: &mut Theatre<S, A>,
) -> Result<SbiSummary, DemoError> {
    begin(theatre).await?;
    theatre.play(Duration::from_millis(1_500)).await?;
    let (before, theirs) =
        (tally(theatre), owners(theatre, UDM.kind).get(&UDM.number).copied().unwrap_or_default());
    let under_way = theatre.core.as_mut().map_or(0, |core| core.kill(UDM));
    let text = format!("{UDM} is killed with its {theirs} subscriptions; changes under way: {under_way}");
    theatre.tell(Told::Break, text)?;
    let moved = |theatre: &mut Theatre<S, A>| Ok(tally(theatre).silent == 0);
    let took = theatre.until("an answer for every resource", PATIENCE, moved).await?;
    let text = format!("others of its set have them after {}: {}", time(took), shares(theatre, UDM.kind));
    theatre.tell(Told::Mend, text)?;
    theatre.play(Duration::from_millis(1_500)).await?;
    let (answered, lost) = meanwhile(&before, &tally(theatre));
    let lost = match lost {
        0 => "0 lost".to_owned(),
        lost => format!("{lost} lost: changes that {UDM} may have made already"),
    };
    let text = format!("{answered} requests answered since, {lost}");
    theatre.tell(Told::Seen, text)?;
    end(theatre).await
}

async fn begin<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    let [plain, binds] = AMFS;
    let text =
        format!("an NRF, {UDMS} UDMs and {SMFS} SMFs are on a fifth (SBI), with Pinion as the SCP before them");
    theatre.tell(Told::Build, text)?;
    let ground = theatre.stage.ground();
    let mut core = Core::open(ground)?;
    let scp = theatre.stage.scp(core.nrf())?;
    core.begin(scp).await?;
    theatre.core = Some(core);
    let made = |theatre: &mut Theatre<S, A>| Ok(tally(theatre).silent == 0);
    theatre.until("the making of every resource", PATIENCE, made).await?;
    let count = |theatre: &Theatre<S, A>, kind| owners(theatre, kind).values().sum::<u64>();
    let text = format!("{} subscriptions, by capacity: {}", count(theatre, Kind::Udm), shares(theatre, Kind::Udm));
    theatre.tell(Told::Seen, text)?;
    let text = format!("{} SM contexts, by priority: {}", count(theatre, Kind::Smf), shares(theatre, Kind::Smf));
    theatre.tell(Told::Seen, text)?;
    if let Some(core) = &theatre.core {
        let (made, searches) = (core.tally().sessions, core.summary().searches);
        let text = format!(
            "{binds} keeps bindings, {plain} knows of none; the NRF was asked {searches} times for {made} requests"
        );
        core.busy();
        theatre.tell(Told::Seen, text)?;
    }
    Ok(())
}

async fn end<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<SbiSummary, DemoError> {
    theatre.core.iter().for_each(Core::end);
    let ended = |theatre: &mut Theatre<S, A>| Ok(theatre.core.as_mut().is_none_or(Core::ended));
    theatre.until("the end of every resource", PATIENCE, ended).await?;
    let Some(core) = &theatre.core else { return Err(DemoError::Interrupted) };
    let (left, summary) = (core.left(), core.summary());
    let left = if left == 0 { "no UDM or SMF has any left".to_owned() } else { format!("{left} are left") };
    theatre.tell(Told::Seen, format!("AMFs end what they made; {left}"))?;
    Ok(summary)
}

fn tally<S: Stage, A: Audience>(theatre: &Theatre<S, A>) -> Tally {
    theatre.core.as_ref().map(Core::tally).unwrap_or_default()
}

fn owners<S: Stage, A: Audience>(theatre: &Theatre<S, A>, kind: Kind) -> BTreeMap<u8, u64> {
    theatre.core.as_ref().map(|core| core.owners(kind)).unwrap_or_default()
}

fn shares<S: Stage, A: Audience>(theatre: &Theatre<S, A>, kind: Kind) -> String {
    shared(&owners(theatre, kind), |number| Function { kind, number })
}
