//! What happens, in order. The same on every stage.

use std::collections::BTreeMap;
use std::time::Duration;

use pinion_protocols::sctp::endpoint::Reach;

use super::audience::{Audience, Kind};
use super::cast::{self, Member, Network, Role};
use super::error::DemoError;
use super::ledger::Tally;
use super::stage::Stage;
use super::summary::Summary;
use super::theatre::{self, Theatre};

/// How long anything may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// The AMF and the UPF that are killed.
const AMF: Member = Member { role: Role::Amf, number: 2 };
const UPF: Member = Member { role: Role::Upf, number: 2 };

/// Plays it; what it came to.
///
/// # Errors
/// [`DemoError`] where it breaks off.
pub(crate) async fn play<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<Summary, DemoError> {
    begin(theatre).await?;
    cut_a_network(theatre).await?;
    kill_the_daemon(theatre).await?;
    kill_an_amf(theatre).await?;
    kill_a_upf(theatre).await?;
    end(theatre).await
}

async fn begin<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    let (gnbs, amfs, upfs) = (cast::GNBS, cast::AMFS, cast::UPFS);
    theatre.tell(
        Kind::Build,
        format!("{gnbs} gNBs and {amfs} AMFs on two networks (N2 a, N2 b), {upfs} UPFs on a third (N3)"),
    )?;
    theatre.stage.start(&cast::tunnels())?;
    theatre.daemon = true;
    let took = theatre.until("the start of the daemon", PATIENCE, |theatre| theatre.stage.ready()).await?;
    theatre.tell(Kind::Build, format!("the daemon is ready after {}", time(took)))?;
    let now = theatre.stage.now();
    theatre.gnbs_mut().for_each(|gnb| gnb.begin(now));
    let answered =
        |theatre: &mut Theatre<S, A>| Ok(theatre.associations().silent == 0 && theatre.tunnels().silent == 0);
    theatre.until("an answer to every session", PATIENCE, answered).await?;
    let text = format!(
        "{} associations: {}",
        theatre.associations().sessions,
        shares(&theatre.owners(Role::Amf), Role::Amf)
    );
    theatre.tell(Kind::Seen, text)?;
    let text =
        format!("{} tunnels: {}", theatre.tunnels().sessions, shares(&theatre.owners(Role::Upf), Role::Upf));
    theatre.tell(Kind::Seen, text)?;
    theatre.play(Duration::from_secs(2)).await
}

async fn cut_a_network<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    let network = Network::First;
    theatre.tell(Kind::Break, format!("{network} is cut between the gNBs and Pinion"))?;
    let before = theatre.associations();
    theatre.stage.cut(network, true)?;
    theatre.cut = Some(network);
    theatre.play(Duration::from_secs(3)).await?;
    let elsewhere = theatre
        .gnbs()
        .filter(|gnb| {
            gnb.established() && matches!(gnb.paths()[..], [first, Reach::Active] if first != Reach::Active)
        })
        .count();
    let text = format!(
        "{elsewhere} of {} associations go on over {}; {}",
        before.sessions,
        Network::Second,
        since(&before, &theatre.associations(), "messages")
    );
    theatre.tell(Kind::Seen, text)?;
    theatre.stage.cut(network, false)?;
    theatre.cut = None;
    theatre.tell(Kind::Mend, format!("{network} is there again"))?;
    let back = |theatre: &mut Theatre<S, A>| {
        let mut gnbs = theatre.gnbs();
        Ok(gnbs.all(|gnb| matches!(gnb.paths()[..], [Reach::Active, Reach::Active])))
    };
    let took = theatre.until("the return of the first path", PATIENCE, back).await?;
    theatre.tell(Kind::Seen, format!("every association has both paths again after {}", time(took)))?;
    theatre.play(Duration::from_secs(1)).await
}

async fn kill_the_daemon<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    theatre.tell(Kind::Break, "the daemon is killed (kill -9)")?;
    let (associations, tunnels) = (theatre.associations(), theatre.tunnels());
    theatre.stage.kill()?;
    theatre.daemon = false;
    theatre.play(Duration::from_secs(2)).await?;
    let meanwhile = both(theatre, &associations, &tunnels);
    theatre.tell(Kind::Seen, format!("without it: {meanwhile}"))?;
    let (associations, tunnels) = (theatre.associations(), theatre.tunnels());
    theatre.stage.start(&cast::tunnels())?;
    theatre.daemon = true;
    let took = theatre.until("the restart of the daemon", PATIENCE, |theatre| theatre.stage.ready()).await?;
    let meanwhile = both(theatre, &associations, &tunnels);
    theatre.tell(Kind::Mend, format!("the daemon is back after {}: {meanwhile}", time(took)))?;
    theatre.play(Duration::from_millis(1500)).await
}

async fn kill_an_amf<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    let before = theatre.associations();
    let took = fall(theatre, AMF, "associations", "the end of an AMF").await?;
    let answered = |theatre: &mut Theatre<S, A>| Ok(theatre.associations().silent == 0);
    let took = took + theatre.until("new associations for old", PATIENCE, answered).await?;
    let text = format!(
        "new associations after {}: {}; {}",
        time(took),
        shares(&theatre.owners(Role::Amf), Role::Amf),
        since(&before, &theatre.associations(), "messages")
    );
    theatre.tell(Kind::Seen, text)?;
    theatre.play(Duration::from_secs(1)).await
}

async fn kill_a_upf<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    let before = theatre.tunnels();
    let took = fall(theatre, UPF, "tunnels", "the end of a UPF").await?;
    theatre.tell(Kind::Mend, "a new configuration gives its tunnels to the others")?;
    theatre.stage.configure(&cast::without(&cast::tunnels(), UPF.number))?;
    let answered = |theatre: &mut Theatre<S, A>| Ok(theatre.tunnels().silent == 0);
    let took = took + theatre.until("an answer in every tunnel", PATIENCE, answered).await?;
    let text = format!(
        "every tunnel is answered again after {}: {}",
        time(took),
        shares(&theatre.owners(Role::Upf), Role::Upf)
    );
    theatre.tell(Kind::Seen, text)?;
    theatre.play(theatre::PATIENCE + Duration::from_millis(200)).await?;
    theatre.tell(Kind::Seen, since(&before, &theatre.tunnels(), "packets"))
}

/// Kills a member with its sessions; after how long the daemon knows. `end` is what is waited for.
async fn fall<S: Stage, A: Audience>(
    theatre: &mut Theatre<S, A>,
    member: Member,
    sessions: &str,
    end: &str,
) -> Result<Duration, DemoError> {
    let its = theatre.owners(member.role).get(&member.number).copied().unwrap_or_default();
    theatre.tell(Kind::Break, format!("{member} is killed with its {its} {sessions}"))?;
    theatre.kill(member);
    let took = theatre.until(end, PATIENCE, |theatre| Ok(is_down(theatre, member))).await?;
    theatre.tell(Kind::Seen, format!("{member} is down after {}: {}", time(took), why(theatre, member)))?;
    Ok(took)
}

/// Lets the last answers come, and counts.
async fn end<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<Summary, DemoError> {
    theatre.gnbs_mut().for_each(super::actor::gnb::Gnb::quiet);
    theatre.play(Duration::from_secs(1)).await?;
    let now = theatre.stage.now();
    for gnb in theatre.gnbs_mut() {
        gnb.messages.give_up(now, Duration::ZERO);
        gnb.tunnels.iter_mut().for_each(|(_, ledger)| ledger.give_up(now, Duration::ZERO));
    }
    Ok(Summary::new(S::ENGINE, now, &theatre.associations(), &theatre.tunnels()))
}

fn is_down<S: Stage, A: Audience>(theatre: &Theatre<S, A>, member: Member) -> bool {
    let name = member.to_string();
    theatre.stage.endpoints().iter().any(|seen| seen.name == name && seen.up == Some(false))
}

/// Why the daemon takes an endpoint to be as it is.
fn why<S: Stage, A: Audience>(theatre: &Theatre<S, A>, member: Member) -> String {
    let name = member.to_string();
    let seen = theatre.stage.endpoints().into_iter().find(|seen| seen.name == name);
    // What is said of its other paths is the same.
    seen.and_then(|seen| Some(seen.why.split("; ").next()?.to_owned())).unwrap_or_default()
}

/// Who has how many.
fn shares(owners: &BTreeMap<u8, u64>, role: Role) -> String {
    let share = |(number, count): (&u8, &u64)| format!("{} has {count}", Member { role, number: *number });
    owners.iter().map(share).collect::<Vec<_>>().join(", ")
}

/// What was asked and answered meanwhile.
fn since(before: &Tally, after: &Tally, what: &str) -> String {
    let (answered, lost) =
        (after.answered.saturating_sub(before.answered), after.lost.saturating_sub(before.lost));
    format!("{answered} {what} answered, {lost} lost")
}

/// The same of messages and packets.
fn both<S: Stage, A: Audience>(theatre: &Theatre<S, A>, associations: &Tally, tunnels: &Tally) -> String {
    let (messages, packets) = (theatre.associations(), theatre.tunnels());
    let lost = |before: &Tally, after: &Tally| after.lost.saturating_sub(before.lost);
    format!(
        "{} messages and {} packets answered, {} lost",
        messages.answered.saturating_sub(associations.answered),
        packets.answered.saturating_sub(tunnels.answered),
        lost(associations, &messages).saturating_add(lost(tunnels, &packets))
    )
}

fn time(time: Duration) -> String {
    crate::commands::ask::time::shown(time)
}
