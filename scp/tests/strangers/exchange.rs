//! Messages as they are on the wire, sent and answered by Python's h2: `tests/peers/exchange.py`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::programs::{Server, python, said, script};

/// Fields in their order, a character for each octet.
pub(crate) type Fields = Vec<(String, String)>;

/// A request or a response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub headers: Fields,
    /// In hexadecimal.
    pub body: String,
    pub trailers: Fields,
}

impl Message {
    /// The first value of a field.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.headers.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value)
    }

    /// Another value of a field, in its place or at the end.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match self.headers.iter_mut().find(|(it, _)| it == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.headers.push((name.to_owned(), value.to_owned())),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(it, _)| it != name);
    }

    /// The same, in the order of names; the order of fields of one name counts, that of others does not (RFC 9110 5.3).
    pub(crate) fn ordered(mut self) -> Self {
        self.headers.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.trailers.sort_by(|(a, _), (b, _)| a.cmp(b));
        self
    }
}

/// What is answered, once, to who asks for this.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Prepared {
    pub method: String,
    pub path: String,
    pub answer: Message,
}

/// A server that answers as it is told, and tells what it saw.
pub(crate) struct Exchange {
    pub server: Server,
    python: PathBuf,
    folder: TempDir,
}

impl Exchange {
    /// One with these answers; none where there is no h2 for Python.
    pub(crate) async fn start(answers: &[Prepared]) -> Option<Self> {
        let python = python("h2")?;
        let folder = TempDir::new().unwrap();
        write(&folder.path().join("answers"), answers);
        let server = Server::start(|port| {
            let mut command = script(&python, "exchange.py");
            command.args(["serve", &port.to_string()]);
            command.arg(folder.path().join("answers")).arg(folder.path().join("seen"));
            command
        })
        .await;
        Some(Self { server, python, folder })
    }

    /// Sends requests to a port, one after the other on one connection; the answers.
    pub(crate) async fn ask(&self, port: u16, requests: &[Message]) -> Vec<Message> {
        let path = self.folder.path().join("requests");
        write(&path, requests);
        let mut command = script(&self.python, "exchange.py");
        command.args(["ask", &port.to_string()]).arg(path);
        serde_json::from_str(&said(command).await).unwrap()
    }

    /// What the server saw, in order.
    pub(crate) fn seen(&self) -> Vec<Message> {
        let text = std::fs::read_to_string(self.folder.path().join("seen")).unwrap();
        text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    }
}

fn write<T: Serialize + ?Sized>(path: &Path, value: &T) {
    std::fs::write(path, serde_json::to_vec(value).unwrap()).unwrap();
}
