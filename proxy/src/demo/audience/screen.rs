//! A live screen on a terminal, which is given back as it was however this ends.

mod draw;

use std::io;
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::lines::line;
use super::{Audience, Event, Picture};
use crate::demo::error::DemoError;

/// The screen.
pub(crate) struct Screen {
    terminal: DefaultTerminal,
    events: Vec<Event>,
}

impl Screen {
    /// Takes the terminal; a panic gives it back by itself.
    ///
    /// # Errors
    /// [`DemoError::Terminal`].
    pub(crate) fn open() -> Result<Self, DemoError> {
        let terminal = ratatui::try_init().map_err(DemoError::Terminal)?;
        Ok(Self { terminal, events: Vec::new() })
    }
}

impl Audience for Screen {
    fn hear(&mut self, event: &Event) -> Result<(), DemoError> {
        self.events.push(event.clone());
        Ok(())
    }

    fn see(&mut self, picture: &Picture) -> Result<(), DemoError> {
        let Self { terminal, events } = self;
        terminal.draw(|frame| draw::draw(picture, events, frame)).map_err(DemoError::Terminal)?;
        while event::poll(Duration::ZERO).map_err(DemoError::Terminal)? {
            if let event::Event::Key(key) = event::read().map_err(DemoError::Terminal)?
                && ends(key)
            {
                return Err(DemoError::Interrupted);
            }
        }
        Ok(())
    }
}

impl Drop for Screen {
    /// What happened stays to be read.
    fn drop(&mut self) {
        ratatui::restore();
        let mut out = io::stdout().lock();
        for event in &self.events {
            // There is nobody left to tell that nobody can be told.
            let _ = line(&mut out, event);
        }
    }
}

/// Whether a key ends it. The terminal makes no signal of Ctrl-C meanwhile.
fn ends(key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind != KeyEventKind::Release
        && match key.code {
            KeyCode::Char('c') => control,
            KeyCode::Char('q') | KeyCode::Esc => true,
            _ => false,
        }
}
