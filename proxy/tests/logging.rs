//! What is logged, as it is read.
#![cfg(test)]

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use pinion::logging::{Format, Logging, Options, filter};
use pinion::metrics::registry;
use pinion_networks::missing::skipped;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tracing::subscriber::with_default;
use tracing_subscriber::fmt::MakeWriter;

/// What was written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn objects(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn options(format: Format, level: &str) -> Options {
    Options {
        format,
        filter: filter(Some(level), None).unwrap(),
        colour: false,
        repeats: Options::REPEATS,
        collector: None,
    }
}

fn log(options: Options, emit: impl FnOnce(&Logging)) -> (Written, Registry) {
    let (written, mut registry) = (Written::default(), registry());
    let (logging, subscriber) = Logging::new(options, written.clone(), &mut registry).unwrap();
    with_default(subscriber, || emit(&logging));
    (written, registry)
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn json_is_an_object_a_line_with_the_documented_keys() {
    let (written, _) = log(options(Format::Json, "info"), |_| {
        tracing::info!(endpoint = "amfs/amf-1", paths = 2, "up again\nafter \"10 s\"");
        let reload = tracing::info_span!("reload", services = 3);
        let _entered = reload.enter();
        // Its keys are those of the line, and yet none is lost.
        tracing::warn!(level = "x", target = 7, timestamp = true, "inside");
        tracing::debug!("too much");
    });
    let objects = written.objects();
    assert_eq!(objects.len(), 2);
    assert_eq!(keys(&objects[0]), ["fields", "level", "target", "timestamp"]);
    assert_eq!((&objects[0]["level"], &objects[0]["target"]), (&"INFO".into(), &"logging".into()));
    let fields = &objects[0]["fields"];
    assert_eq!(keys(fields), ["endpoint", "message", "paths"]);
    assert_eq!(fields["message"], "up again\nafter \"10 s\"");
    assert_eq!((&fields["endpoint"], &fields["paths"]), (&"amfs/amf-1".into(), &2.into()));
    let time = objects[0]["timestamp"].as_str().unwrap();
    assert!(time.len() == "2026-01-01T00:00:00.000000Z".len() && time.ends_with('Z'), "{time}");

    assert_eq!(keys(&objects[1]), ["fields", "level", "span", "spans", "target", "timestamp"]);
    assert_eq!((&objects[1]["level"], &objects[1]["fields"]["level"]), (&"WARN".into(), &"x".into()));
    assert_eq!((&objects[1]["span"]["name"], &objects[1]["span"]["services"]), (&"reload".into(), &3.into()));
    assert_eq!(objects[1]["spans"].as_array().unwrap().len(), 1);
    assert_eq!(keys(&objects[1]), documented());
}

/// The keys of docs/logging.md, in alphabetical order.
fn documented() -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/logging.md")).unwrap();
    let table = page.split_once("| key | value |").unwrap().1;
    let cells = table.lines().filter_map(|row| row.strip_prefix("| `")?.split_once(" |"));
    let mut keys: Vec<_> = cells.flat_map(|(keys, _)| keys.split(", ")).map(|it| it.replace('`', "")).collect();
    keys.sort();
    keys
}

#[test]
fn text_is_coloured_only_where_asked() {
    let emit = |_: &Logging| tracing::warn!(endpoint = "amf-1", "down");
    let (plain, _) = log(options(Format::Text, "info"), emit);
    assert!(plain.text().contains(" WARN logging: down endpoint=\"amf-1\""), "{}", plain.text());
    assert!(!plain.text().contains('\x1b'));
    let (coloured, _) = log(Options { colour: true, ..options(Format::Text, "info") }, emit);
    assert!(coloured.text().contains("\x1b["));
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let (written, _) = log(options(Format::Text, "info"), |_| {
        let name = "\x1b[2J";
        tracing::warn!(name, "{name} is down");
    });
    assert!(!written.text().contains('\x1b'), "{:?}", written.text());
}

#[test]
fn a_storm_is_a_few_lines_and_a_number() {
    let begin = std::time::Instant::now();
    let (written, registry) = log(Options { repeats: 3, ..options(Format::Json, "info") }, |logging| {
        for packet in 0..1000 {
            tracing::warn!(packet, "malformed");
        }
        logging.report();
        logging.report();
    });
    if begin.elapsed().as_secs() > 0 {
        return skipped("this machine took more than the second that is counted");
    }
    let messages: Vec<_> = written.objects().iter().map(|it| it["fields"]["message"].clone()).collect();
    assert_eq!(messages, ["malformed", "malformed", "malformed", "997 more suppressed: malformed"]);
    let last = &written.objects()[3]["fields"];
    assert_eq!(last["suppressed"], 997);
    assert!(last["place"].as_str().unwrap().contains("tests/logging.rs:"), "{last}");
    let mut page = String::new();
    encode(&mut page, &registry).unwrap();
    assert!(page.contains("pinion_log_events_total{level=\"warn\"} 1001\n"), "{page}");
    assert!(page.contains("pinion_log_events_suppressed_total 997\n"), "{page}");
}
