//! What becomes of the project's own captures, reviewed by hand and kept.

use std::fmt::Write as _;

use pinion_pcaps::replay::Choice;

use crate::{auto, corpus, file, run};

#[test]
fn the_projects_captures_come_to_what_they_came_to() {
    for path in corpus::own() {
        let open = file(&path);
        let mut report = String::new();
        let mut replay = auto(Choice::User, &open).unwrap();
        let summary = run(&mut replay, &open, |frame, step| {
            let pin = step.pin().unwrap().map(|pin| pin.to_string());
            let fields = [step.service(), step.endpoint(), pin.as_deref()];
            let fields: Vec<_> = fields.into_iter().flatten().collect();
            let (verdict, reason) = (step.verdict.name(), step.reason.name());
            let line = format!("{:>4} {verdict:<8} {reason:<18} {}", frame.number, fields.join(" | "));
            writeln!(report, "{}", line.trim_end()).unwrap();
        });
        let summary = serde_json::to_string_pretty(&summary.unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, format!("{report}\n{summary}"));
        });
    }
}
