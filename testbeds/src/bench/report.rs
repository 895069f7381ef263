use std::io::{self, Write as _};

/// One measured row.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The unit of `value` and `baseline`.
    pub unit: &'static str,
    /// The figure.
    pub value: f64,
    /// The baseline's figure, where there is one.
    pub baseline: Option<f64>,
    /// `value / baseline`.
    pub ratio: Option<f64>,
    /// What it must reach, in words.
    pub goal: &'static str,
}

/// Prints rows as they come, for people or for programs.
pub struct Report {
    json: bool,
    rows: usize,
}

impl Report {
    /// A report of JSON lines, or a table.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self { json, rows: 0 }
    }

    /// Prints a row. A closed pipe is nobody's concern here.
    pub fn row(&mut self, name: &str, unit: &'static str, value: f64, baseline: Option<f64>, goal: &'static str) {
        let ratio = baseline.filter(|baseline| *baseline > 0.0).map(|baseline| value / baseline);
        let row = Row { name: name.to_owned(), unit, value, baseline, ratio, goal };
        let mut out = io::stdout().lock();
        let _ = if self.json {
            serde_json::to_writer(&mut out, &row).map_err(io::Error::other).and_then(|()| writeln!(out))
        } else {
            if self.rows == 0 {
                let _ = writeln!(
                    out,
                    "{:<26} {:>12} {:>10} {:>7}  {:<13} goal",
                    "row", "value", "baseline", "ratio", "unit"
                );
            }
            let shown =
                |figure: Option<f64>, digits: usize| figure.map_or("-".to_owned(), |f| format!("{f:.digits$}"));
            writeln!(
                out,
                "{:<26} {:>12} {:>10} {:>7}  {:<13} {}",
                row.name,
                shown(Some(value), 1),
                shown(baseline, 1),
                shown(ratio, 2),
                unit,
                goal
            )
        };
        self.rows += 1;
    }
}
