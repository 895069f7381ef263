//! Asks the daemon again and again, and comes back when it does.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::super::ask::Daemon;
use super::state::{Action, Snapshot};
use crate::api::{AskError, Client};

/// What was heard.
#[derive(Debug)]
pub(super) enum Heard {
    /// The daemon answers, so long after the beginning.
    Seen(Box<Snapshot>, Duration),
    /// It does not.
    Away(String),
    /// What became of an action.
    Done(String),
}

/// Everything that a screen shows.
pub(super) async fn look(client: &mut Client) -> Result<Snapshot, AskError> {
    Ok(Snapshot {
        services: client.services().await?,
        endpoints: client.endpoints(None).await?,
        stats: client.stats().await?,
    })
}

/// Looks every `interval`, and at once after an action, until nobody listens.
pub(super) async fn run(
    daemon: Daemon,
    interval: Duration,
    mut actions: mpsc::Receiver<Action>,
    heard: mpsc::Sender<Heard>,
) {
    let begun = Instant::now();
    let mut client = None;
    loop {
        let next = Instant::now() + interval;
        let seen = match connected(&daemon, &mut client).await {
            Ok(client) => look(client).await,
            Err(error) => Err(error),
        };
        let tell = match seen {
            Ok(snapshot) => Heard::Seen(Box::new(snapshot), begun.elapsed()),
            Err(error) => {
                client = None;
                Heard::Away(error.to_string())
            }
        };
        if heard.send(tell).await.is_err() {
            return;
        }
        let action = tokio::select! {
            () = sleep_until(next) => continue,
            action = actions.recv() => action,
        };
        let Some(action) = action else {
            return;
        };
        let done = match connected(&daemon, &mut client).await {
            Ok(client) => act(client, action).await,
            Err(error) => error.to_string(),
        };
        if heard.send(Heard::Done(done)).await.is_err() {
            return;
        }
    }
}

async fn connected<'a>(daemon: &Daemon, client: &'a mut Option<Client>) -> Result<&'a mut Client, AskError> {
    Ok(match client {
        Some(client) => client,
        empty => empty.insert(daemon.connect().await?),
    })
}

async fn act(client: &mut Client, action: Action) -> String {
    let (done, endpoint, what) = match action {
        Action::Drain { endpoint, .. } => (client.drain(&endpoint, None).await, endpoint, "gets no new sessions"),
        Action::Undo { endpoint } => (client.undrain(&endpoint).await, endpoint, "gets new sessions again"),
    };
    match done {
        Ok(_) => format!("{endpoint} {what}"),
        Err(error) => error.to_string(),
    }
}
