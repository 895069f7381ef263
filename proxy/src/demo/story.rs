//! What happens, in order. The same on every stage.

mod sbi;

use std::collections::BTreeMap;
use std::time::Duration;

use pinion_protocols::sctp::endpoint::Reach;

use super::audience::{Audience, Kind};
use super::cast::{self, Member, Network, Role};
use super::error::DemoError;
use super::ledger::Tally;
use super::stage::{Seen, Stage};
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
    steered(theatre).await?;
    let core = sbi::kill_a_udm(theatre).await?;
    let (associations, tunnels) = (theatre.associations(), theatre.tunnels());
    let now = theatre.stage.now();
    Ok(Summary::new(S::ENGINE, now, &associations, &tunnels, &theatre.ues, theatre.control(), core))
}

/// Plays what is steered, and N2 and N4: it knows no time but the stage's.
///
/// # Errors
/// As [`play`].
pub(crate) async fn steered<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    begin(theatre).await?;
    cut_a_network(theatre).await?;
    kill_the_daemon(theatre).await?;
    bring_ues(theatre).await?;
    kill_an_amf(theatre).await?;
    kill_a_upf(theatre).await?;
    end(theatre).await
}

async fn begin<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    let (gnbs, amfs, upfs) = (cast::GNBS, cast::AMFS, cast::UPFS);
    theatre.tell(Kind::Build, format!("{gnbs} gNBs and {amfs} AMFs on two networks (N2 a, N2 b)"))?;
    theatre.tell(Kind::Build, format!("{upfs} UPFs on a third (N3); an SMF joins them on a fourth (N4)"))?;
    theatre.stage.start()?;
    theatre.daemon = true;
    let took = theatre.until("the start of the daemon", PATIENCE, |theatre| theatre.stage.ready()).await?;
    theatre.tell(Kind::Build, format!("the daemon is ready after {}", time(took)))?;
    let up = |theatre: &mut Theatre<S, A>| {
        let seen = theatre.stage.endpoints();
        let mut servers = cast::members().filter(|member| matches!(member.role, Role::Amf | Role::Upf));
        Ok(servers.all(|member| Seen::of(&seen, member).is_some_and(|seen| seen.up == Some(true))))
    };
    theatre.until("the rise of AMFs and UPFs", PATIENCE, up).await?;
    let now = theatre.stage.now();
    theatre.smf_mut().into_iter().for_each(|smf| smf.begin(now));
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
    let made = theatre.control().made;
    theatre.tell(Kind::Seen, format!("the SMF makes {made} sessions by PFCP; Pinion learns their tunnels"))?;
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
        "{elsewhere} of {} associations use {}: {}",
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
    theatre.stage.start()?;
    theatre.daemon = true;
    let took = theatre.until("the restart of the daemon", PATIENCE, |theatre| theatre.stage.ready()).await?;
    let meanwhile = both(theatre, &associations, &tunnels);
    theatre.tell(Kind::Mend, format!("the daemon is back after {}", time(took)))?;
    theatre.tell(Kind::Seen, format!("until then: {meanwhile}"))
}

/// They would not outlast a daemon that is killed, and so they come when that is over.
async fn bring_ues<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    let amfs = cast::AMFS;
    theatre.tell(Kind::Build, format!("each gNB sets up N2 with Pinion, the one AMF that is all {amfs}"))?;
    let now = theatre.stage.now();
    theatre.gnbs_mut().for_each(|gnb| gnb.join(now));
    let up = |theatre: &mut Theatre<S, A>| Ok(theatre.ues.is_set_up());
    theatre.until("NG Setup with every AMF", PATIENCE, up).await?;
    theatre.ues.begin(theatre.stage.now());
    let registered = |theatre: &mut Theatre<S, A>| Ok(theatre.ues.have_all_begun());
    theatre.until("the registration of every UE", PATIENCE, registered).await?;
    let text =
        format!("{} UEs register: {}", theatre.ues.tally().sessions, shares(&theatre.ues.owners(), Role::Amf));
    theatre.tell(Kind::Seen, text)?;
    let before = theatre.ues.tally();
    theatre.play(Duration::from_millis(500)).await?;
    let lively = |theatre: &mut Theatre<S, A>| Ok(theatre.ues.deeds().are_all());
    theatre.until("UEs that idle, are paged and move", PATIENCE, lively).await?;
    let text = since(&before, &theatre.ues.tally(), "messages");
    theatre.tell(Kind::Seen, format!("they idle, are paged, move: {text}"))
}

async fn kill_an_amf<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    let (before, ues_before) = (theatre.associations(), theatre.ues.tally());
    let ues = theatre.ues.owners().get(&AMF.number).copied().unwrap_or_default();
    let begin = theatre.stage.now();
    fall(theatre, AMF, &format!("associations and {ues} UEs"), "the end of an AMF").await?;
    let answered = |theatre: &mut Theatre<S, A>| Ok(theatre.associations().silent == 0);
    theatre.until("new associations for old", PATIENCE, answered).await?;
    let took = time(theatre.stage.now().since(begin));
    let text = format!("new associations after {took}: {}", shares(&theatre.owners(Role::Amf), Role::Amf));
    theatre.tell(Kind::Seen, text)?;
    theatre.tell(Kind::Seen, since(&before, &theatre.associations(), "messages"))?;
    let back = |theatre: &mut Theatre<S, A>| {
        if is_all_down(theatre, AMF) {
            theatre.ues.come_back();
        }
        Ok(theatre.ues.silent() == 0)
    };
    theatre.until("the return of its UEs", PATIENCE, back).await?;
    let took = time(theatre.stage.now().since(begin));
    let text = format!("its UEs are back after {took}: {}", shares(&theatre.ues.owners(), Role::Amf));
    theatre.tell(Kind::Mend, text)?;
    theatre.tell(Kind::Seen, others(&ues_before, &theatre.ues.tally()))?;
    theatre.play(Duration::from_secs(1)).await
}

async fn kill_a_upf<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    let (before, sessions) = (theatre.tunnels(), theatre.control());
    let took = fall(theatre, UPF, "sessions", "the end of a UPF").await?;
    let answered = |theatre: &mut Theatre<S, A>| Ok(theatre.tunnels().silent == 0);
    let took = took + theatre.until("an answer in every tunnel", PATIENCE, answered).await?;
    let text =
        format!("its sessions restored after {}: {}", time(took), shares(&theatre.owners(Role::Upf), Role::Upf));
    theatre.tell(Kind::Mend, text)?;
    theatre.play(theatre::PATIENCE + Duration::from_millis(200)).await?;
    let (tunnels, control) = (theatre.tunnels(), theatre.control());
    let text = format!(
        "{} sessions, {} of them restored, gNBs' TEIDs as they were",
        control.sessions,
        control.restored.saturating_sub(sessions.restored),
    );
    theatre.tell(Kind::Seen, text)?;
    let (answered, lost) = meanwhile(&before, &tunnels);
    theatre.tell(Kind::Seen, format!("gNBs noticed nothing but {lost} lost packets; {answered} were answered"))
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
    theatre.tell(Kind::Seen, format!("{member} down after {}: {}", time(took), why(theatre, member)))?;
    Ok(took)
}

/// Lets the last answers come, has the SMF end its sessions, and counts.
async fn end<S: Stage, A: Audience>(theatre: &mut Theatre<S, A>) -> Result<(), DemoError> {
    theatre.gnbs_mut().for_each(super::actor::gnb::Gnb::quiet);
    theatre.ues.quiet();
    theatre.play(Duration::from_secs(1)).await?;
    let now = theatre.stage.now();
    for gnb in theatre.gnbs_mut() {
        gnb.messages.give_up(now, Duration::ZERO);
        gnb.users.iter_mut().for_each(|user| user.ledger.give_up(now, Duration::ZERO));
    }
    theatre.smf_mut().into_iter().for_each(|smf| smf.end(now));
    let ended = |theatre: &mut Theatre<S, A>| {
        let control = theatre.control();
        Ok(control.sessions == 0 && control.on_upfs == 0)
    };
    theatre.until("the end of every session on its UPF", PATIENCE, ended).await?;
    let settled = |theatre: &mut Theatre<S, A>| Ok(theatre.ues.are_settled());
    match theatre.until("the end of what UEs began", PATIENCE, settled).await {
        // What is wrong then, the summary says.
        Ok(_) | Err(DemoError::Late { .. }) => {}
        Err(error) => return Err(error),
    }
    theatre.tell(Kind::Seen, "the SMF ends its sessions; no UPF has any left")
}

fn is_down<S: Stage, A: Audience>(theatre: &Theatre<S, A>, member: Member) -> bool {
    Seen::of(&theatre.stage.endpoints(), member).is_some_and(|seen| seen.up == Some(false))
}

/// Whether everybody who asks takes it to be down: who looks after UEs asks for itself how AMFs are.
fn is_all_down<S: Stage, A: Audience>(theatre: &Theatre<S, A>, member: Member) -> bool {
    theatre.stage.endpoints().iter().filter(|seen| seen.is(member)).all(|seen| seen.up == Some(false))
}

/// Why the daemon takes an endpoint to be as it is.
fn why<S: Stage, A: Audience>(theatre: &Theatre<S, A>, member: Member) -> String {
    let seen = theatre.stage.endpoints();
    // What is said of its other paths, and of times before, is the same.
    Seen::of(&seen, member)
        .and_then(|seen| Some(seen.why.split([';', ',']).next()?.to_owned()))
        .unwrap_or_default()
}

/// Who has how many.
fn shares(owners: &BTreeMap<u8, u64>, role: Role) -> String {
    shared(owners, |number| Member { role, number })
}

/// The same of whoever has such a number.
fn shared<N: std::fmt::Display>(owners: &BTreeMap<u8, u64>, name: impl Fn(u8) -> N) -> String {
    let share = |(number, count): (&u8, &u64)| format!("{} has {count}", name(*number));
    owners.iter().map(share).collect::<Vec<_>>().join(", ")
}

/// How many were answered meanwhile, and how many lost.
fn meanwhile(before: &Tally, after: &Tally) -> (u64, u64) {
    (after.answered.saturating_sub(before.answered), after.lost.saturating_sub(before.lost))
}

/// The same in words.
fn since(before: &Tally, after: &Tally, what: &str) -> String {
    let (answered, lost) = meanwhile(before, after);
    format!("{answered} {what} answered, {lost} lost")
}

/// What the UEs noticed of other AMFs than the one that died.
fn others(before: &Tally, after: &Tally) -> String {
    let lost = |tally: &Tally| tally.lost.saturating_sub(tally.had_to_be_lost);
    let lost = lost(after).saturating_sub(lost(before));
    let answered = after.answered.saturating_sub(before.answered);
    format!("nobody else noticed: {answered} messages of UEs, {lost} lost")
}

/// The same of messages and packets.
fn both<S: Stage, A: Audience>(theatre: &Theatre<S, A>, associations: &Tally, tunnels: &Tally) -> String {
    let (messages, lost_messages) = meanwhile(associations, &theatre.associations());
    let (packets, lost_packets) = meanwhile(tunnels, &theatre.tunnels());
    let lost = lost_messages.saturating_add(lost_packets);
    format!("{messages} messages and {packets} packets answered, {lost} lost")
}

fn time(time: Duration) -> String {
    crate::commands::ask::time::shown(time)
}
