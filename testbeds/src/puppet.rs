//! A peer program that is told what to do: one JSON object a line in, one out.
//!
//! Every order `{"do": NAME, ...}` is answered once, by `{"ok": ANSWER}` or
//! `{"error": WORDS}`; an empty line is no order and is not answered. Other lines are its chatter: a kernel's boot messages,
//! a traceback. The last of it is told when the peer fails.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;
use crate::namespace::{Namespace, Process};

/// A running peer program. Dropping it ends it.
#[derive(Debug)]
pub struct Puppet {
    name: String,
    orders: ChildStdin,
    answers: Receiver<Value>,
    chatter: Chatter,
    // Its drop closes the pipes that the readers end by: before them.
    process: Option<Process>,
    readers: Vec<JoinHandle<()>>,
}

/// How long an answer is waited for before the program is nudged by an empty line: on a busy machine a User-Mode
/// Linux was seen to sleep on an order that lay before it, until something else woke it.
const NUDGE: Duration = Duration::from_secs(1);

/// Whether the program is the first process of a process namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cage {
    /// It is: what it leaves running is killed with it.
    Closed,
    /// It is an ordinary process.
    Open,
}

impl Puppet {
    /// Starts `command` inside `namespace`. It may take orders at once; the
    /// answer to the first says that it has started.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`].
    pub fn start(name: &str, namespace: &Namespace, mut command: Command, cage: Cage) -> Result<Self, Failure> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = match cage {
            Cage::Closed => namespace.spawn_caged(command)?,
            Cage::Open => namespace.spawn(command)?,
        };
        let gone = || Failure::PeerGone { name: name.to_owned(), tail: String::new() };
        let orders = process.stdin().ok_or_else(gone)?;
        let output = process.stdout().ok_or_else(gone)?;
        let complaints = process.stderr().ok_or_else(gone)?;
        let (sender, answers) = channel();
        let chatter = Chatter::default();
        let readers = vec![
            spawn_reader(output, Some(sender), chatter.clone()),
            spawn_reader(complaints, None, chatter.clone()),
        ];
        Ok(Self { name: name.to_owned(), orders, answers, chatter, process: Some(process), readers })
    }

    /// Gives an order and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`Failure::PeerGone`], [`Failure::PeerSilent`], [`Failure::PeerRefused`],
    /// [`Failure::PeerAnswer`].
    pub fn order<T: DeserializeOwned>(&mut self, order: &Value, wait: Duration) -> Result<T, Failure> {
        self.tell(order)?;
        self.answer(wait)
    }

    /// Gives an order; its answer is fetched by [`Puppet::answer`]. Answers
    /// come in the order of orders.
    ///
    /// # Errors
    ///
    /// [`Failure::PeerGone`].
    pub fn tell(&mut self, order: &Value) -> Result<(), Failure> {
        let line = format!("{order}\n");
        self.orders.write_all(line.as_bytes()).map_err(|_| self.gone())
    }

    /// Waits for the answer of the oldest order that has none yet.
    ///
    /// # Errors
    ///
    /// As [`Puppet::order`].
    pub fn answer<T: DeserializeOwned>(&mut self, wait: Duration) -> Result<T, Failure> {
        let mut answer = self.wait_for_answer(wait)?;
        if let Some(reason) = answer.get("error") {
            let reason = reason.as_str().map_or_else(|| reason.to_string(), str::to_owned);
            return Err(Failure::PeerRefused { name: self.name.clone(), reason });
        }
        let content = answer.get_mut("ok").map(Value::take).unwrap_or_default();
        serde_json::from_value(content.clone()).map_err(|source| Failure::PeerAnswer {
            name: self.name.clone(),
            answer: content.to_string(),
            source,
        })
    }

    fn wait_for_answer(&mut self, wait: Duration) -> Result<Value, Failure> {
        let mut left = wait;
        loop {
            let now = left.min(NUDGE);
            match self.answers.recv_timeout(now) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => return Err(self.gone()),
                Err(RecvTimeoutError::Timeout) => left = left.saturating_sub(now),
            }
            if left.is_zero() {
                return Err(Failure::PeerSilent {
                    name: self.name.clone(),
                    after: wait,
                    tail: self.chatter.tail(),
                });
            }
            // Whether it takes it is what the wait finds out.
            let _ = self.orders.write_all(b"\n");
        }
    }

    /// The program's process.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    fn gone(&self) -> Failure {
        Failure::PeerGone { name: self.name.clone(), tail: self.chatter.tail() }
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        drop(self.process.take());
        for reader in self.readers.drain(..) {
            // A reader that panicked has nothing more to read either.
            let _ = reader.join();
        }
    }
}

/// The last lines that were no answers.
#[derive(Debug, Clone, Default)]
struct Chatter(Arc<Mutex<VecDeque<String>>>);

impl Chatter {
    const LINES: usize = 20;

    fn add(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == Self::LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn tail(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().fold(String::new(), |tail, line| tail + "\n" + line)
    }
}

fn spawn_reader(
    from: impl Read + Send + 'static,
    answers: Option<Sender<Value>>,
    chatter: Chatter,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            match (&answers, as_answer(&line)) {
                // Nobody is left to hear it once the owner is dropped.
                (Some(answers), Some(answer)) => drop(answers.send(answer)),
                _ => chatter.add(line),
            }
        }
    })
}

fn as_answer(line: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(line).ok()?;
    (value.get("ok").is_some() || value.get("error").is_some()).then_some(value)
}
