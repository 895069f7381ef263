//! Aligned columns, and bars.

use std::fmt::Write as _;

/// How a cell looks on a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Look {
    #[default]
    Plain,
    Good,
    Bad,
    Warning,
    Faint,
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// What one row has in one column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    look: Look,
}

impl Cell {
    /// A cell; what would steer a terminal is replaced.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: printable(&text.into()), look: Look::Plain }
    }

    pub(crate) fn looking(text: impl Into<String>, look: Look) -> Self {
        Self { look, ..Self::new(text) }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// Text without characters that a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{FFFD}' } else { char }).collect()
}

/// Rows under headings. Rows may come in portions: columns grow where a later one needs it.
#[derive(Debug)]
pub(crate) struct Columns {
    heads: Vec<(&'static str, Side)>,
    widths: Vec<usize>,
    coloured: bool,
}

impl Columns {
    pub(crate) fn new(heads: &[(&'static str, Side)], coloured: bool) -> Self {
        let widths = heads.iter().map(|(head, _)| head.chars().count()).collect();
        Self { heads: heads.to_vec(), widths, coloured }
    }

    /// Makes room for rows, without which they would not be aligned.
    pub(crate) fn fit(&mut self, rows: &[Vec<Cell>]) {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
    }

    pub(crate) fn head(&self) -> String {
        let heads: Vec<Cell> = self.heads.iter().map(|(head, _)| Cell::new(*head)).collect();
        let line = Self { coloured: false, heads: self.heads.clone(), widths: self.widths.clone() }.row(&heads);
        if self.coloured { format!("\x1b[1m{}\x1b[0m\n", line.trim_end()) } else { line }
    }

    pub(crate) fn row(&self, cells: &[Cell]) -> String {
        let mut line = String::new();
        for ((cell, width), (_, side)) in cells.iter().zip(&self.widths).zip(&self.heads) {
            if !line.is_empty() {
                line.push_str("  ");
            }
            let room = " ".repeat(width.saturating_sub(cell.width()));
            let text = paint(&cell.text, if self.coloured { cell.look } else { Look::Plain });
            // Writing to a string cannot fail.
            let _ = match side {
                Side::Left => write!(line, "{text}{room}"),
                Side::Right => write!(line, "{room}{text}"),
            };
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

/// A whole table.
pub(crate) fn table(heads: &[(&'static str, Side)], rows: &[Vec<Cell>], coloured: bool) -> String {
    let mut columns = Columns::new(heads, coloured);
    columns.fit(rows);
    let mut text = columns.head();
    for row in rows {
        text.push_str(&columns.row(row));
    }
    text
}

fn paint(text: &str, look: Look) -> String {
    let code = match look {
        Look::Plain => return text.to_owned(),
        Look::Good => "32",
        Look::Bad => "31",
        Look::Warning => "33",
        Look::Faint => "2",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// A bar of at the most `width` characters for `value` of `most`, in eighths; whatever is more than nothing shows.
pub(crate) fn bar(value: u64, most: u64, width: u16) -> String {
    const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    if value == 0 || most == 0 {
        return String::new();
    }
    let steps = u128::from(value.min(most)) * u128::from(width) * 8 / u128::from(most);
    let steps = usize::try_from(steps.max(1)).unwrap_or(0);
    let mut bar = "█".repeat(steps / 8);
    if let Some(part) = (steps % 8).checked_sub(1).and_then(|part| EIGHTHS.get(part)) {
        bar.push(*part);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let heads = [("NAME", Side::Left), ("COUNT", Side::Right), ("WHY", Side::Left)];
        let rows = [
            vec![Cell::new("amf-1"), Cell::new("7"), Cell::new("")],
            vec![Cell::new("é"), Cell::new("1234567"), Cell::new("it answers")],
        ];
        let expected = "NAME     COUNT  WHY\namf-1        7\né      1234567  it answers\n";
        assert_eq!(table(&heads, &rows, false), expected);
    }

    #[test]
    fn colours_take_no_room() {
        let heads = [("A", Side::Left), ("B", Side::Left)];
        let rows = [vec![Cell::looking("up", Look::Good), Cell::new("x")]];
        assert_eq!(table(&heads, &rows, true), "\x1b[1mA   B\x1b[0m\n\x1b[32mup\x1b[0m  x\n");
    }

    #[test]
    fn a_cell_cannot_steer_the_terminal() {
        assert_eq!(Cell::new("a\x1b[2Jb\n").text, "a\u{FFFD}[2Jb\u{FFFD}");
    }

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(0, 10, 4), "");
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(5, 10, 4), "██");
        assert_eq!(bar(9, 10, 4), "███▌");
        assert_eq!(bar(1, u64::MAX, 4), "▏");
        assert_eq!(bar(u64::MAX, u64::MAX, 4), "████");
        assert_eq!(bar(3, 0, 4), "");
    }
}
