//! What is said to who runs it, where peers do what they should not.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::messages::ng_setup;
use crate::stage::{Stage, settings};

/// Keeps warnings: each field and its value, one after another.
#[derive(Clone, Default)]
struct Keep(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!("{}={value:?} ", field.name());
    }
}

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::WARN {
            let mut line = Line(String::new());
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }
    }
}

/// The warnings that come while something is done.
fn warnings(act: impl FnOnce()) -> Vec<String> {
    let keep = Keep::default();
    // With one subscriber alone, what a thread without one comes upon first is taken to interest nobody, for good.
    let _another = tracing::Dispatch::new(Registry::default());
    tracing::subscriber::with_default(Registry::default().with(keep.clone()), || {
        tracing::callsite::rebuild_interest_cache();
        act();
    });
    std::mem::take(&mut *keep.0.lock().unwrap())
}

// TS 38.412 7: NGAP is payload protocol identifier 60, over DTLS 66.
#[test]
fn another_protocol_is_told_of_once_for_each_association() {
    let mut stage = Stage::new(settings(1));
    let (one, other) = (stage.accept(), stage.accept());
    let said = warnings(|| {
        for (association, protocol) in [(one, 0), (one, 0), (other, 66), (one, 66)] {
            stage.front_end.receive(stage.now, association, 0, protocol, &ng_setup(1));
        }
    });
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("protocol=0 ") && said[0].contains("NGAP is number 60"), "{said:?}");
    assert!(said[1].contains("protocol=66 ") && said[1].contains("DTLS is not spoken here"), "{said:?}");
    assert_eq!(stage.front_end.counts().other_protocol, 4);

    let mut stage = Stage::set_up(settings(1), 1);
    let amf = stage.upstream(0);
    let said = warnings(|| {
        for _ in 0..2 {
            stage.front_end.receive(stage.now, amf, 0, 0x3c00_0000, &ng_setup(1));
        }
    });
    assert_eq!(said.len(), 1, "{said:?}");
}
