//! Messages that ended or confused AMFs.

use std::io::Write as _;
use std::path::Path;

use pinion_protocols::ngap::{ElementType, Error, Message, Wrong};

use super::vectors::octets;

// open5gs issues 4376 and its like: identifiers of 2^40 and more.
#[test]
fn identifiers_out_of_range_are_told() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pcaps/malformed-ngap.tsv");
    let Ok(text) = std::fs::read_to_string(&file) else {
        let _ = writeln!(std::io::stderr(), "\nskipped: no ../shared/pcaps/malformed-ngap.tsv");
        return;
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let (mut seen, mut out_of_range) = (0, 0);
    for line in lines {
        let fields: Vec<_> = line.split('\t').collect();
        let bytes = octets(fields[1]);
        let found = Message::parse(&bytes).and_then(|message| {
            // Each element is passed over, or told what is wrong of it.
            for raw in message.elements() {
                raw?.parse()?;
            }
            message.ids()
        });
        match found {
            // What is wrong with it is behind what is interpreted.
            Ok(_) => {}
            Err(Error::Element { kind, wrong: Wrong::Range { offset } }) => {
                assert_eq!(kind, ElementType::AmfUeNgapId, "{}", fields[0]);
                out_of_range += usize::from(bytes.get(offset..offset + 6).is_some_and(|octets| octets[0] > 0));
            }
            Err(Error::Frame(Wrong::Cut { offset })) => assert!(offset <= bytes.len(), "{}", fields[0]),
            Err(error) => panic!("{}: {error}", fields[0]),
        }
        seen += 1;
    }
    assert!(seen > 0 && out_of_range > 0);
}
