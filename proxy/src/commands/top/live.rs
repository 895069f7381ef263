//! The screen on a terminal, which is given back as it was however this ends.

use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::super::ask::Error;
use super::poll::{self, Heard};
use super::state::{Key, Outcome, State};
use super::{Args, draw};

/// How often the reader of keys looks whether it is still wanted.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes the terminal back when it is dropped; a panic gives it back by itself.
struct Screen {
    terminal: DefaultTerminal,
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Draws until a key or a signal ends it.
pub(super) async fn run(args: &Args) -> Result<(), Error> {
    let listen = |kind| signal(kind).map_err(Error::Runtime);
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let (act, actions) = mpsc::channel(1);
    let (tell, mut heard) = mpsc::channel(1);
    tokio::spawn(poll::run(args.daemon.clone(), args.interval, actions, tell));

    let mut screen = Screen { terminal: ratatui::try_init()? };
    let mut keys = keys();
    let mut state = State::new(args.daemon.target().to_string());
    loop {
        screen.terminal.draw(|frame| draw::draw(&state, frame))?;
        let pressed = tokio::select! {
            pressed = keys.recv() => pressed,
            Some(heard) = heard.recv() => {
                match heard {
                    Heard::Seen(snapshot, at) => state.observe(*snapshot, at),
                    Heard::Away(why) => state.away = Some(why),
                    Heard::Done(note) => state.note = Some(note),
                }
                continue;
            }
            _ = terminate.recv() => None,
            _ = hangup.recv() => None,
            _ = interrupt.recv() => None,
        };
        // No key any more: the terminal is gone, or it is time to end.
        let Some(pressed) = pressed else {
            return Ok(());
        };
        let outcome = pressed.map_or(Outcome::Nothing, |key| state.key(key));
        match outcome {
            Outcome::Nothing => {}
            Outcome::Quit => return Ok(()),
            Outcome::Do(action) => {
                if act.try_send(action).is_err() {
                    state.note = Some("the daemon has not answered what it was asked before".to_owned());
                }
            }
        }
    }
}

/// Keys as they are pressed, `None` where only the size changed. Reading them blocks a thread of its own.
fn keys() -> mpsc::Receiver<Option<Key>> {
    let (press, pressed) = mpsc::channel(16);
    std::thread::spawn(move || {
        while !press.is_closed() {
            let key = match event::poll(PAUSE) {
                Ok(false) => continue,
                Ok(true) => event::read(),
                Err(error) => Err(error),
            };
            let key = match key {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Some(meaning(key)),
                Ok(Event::Resize(..)) => None,
                Ok(_) => continue,
                Err(_) => return,
            };
            if press.blocking_send(key).is_err() {
                return;
            }
        }
    });
    pressed
}

fn meaning(key: KeyEvent) -> Key {
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Quit,
        KeyCode::Char('q') | KeyCode::Esc => Key::Quit,
        KeyCode::Tab | KeyCode::Right => Key::Next,
        KeyCode::BackTab | KeyCode::Left => Key::Previous,
        KeyCode::Up | KeyCode::Char('k') => Key::Up,
        KeyCode::Down | KeyCode::Char('j') => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::First,
        KeyCode::End => Key::Last,
        KeyCode::Char('d') => Key::Drain,
        KeyCode::Char('s') => Key::Sort,
        KeyCode::Char('y' | 'Y') => Key::Yes,
        _ => Key::Other,
    }
}
