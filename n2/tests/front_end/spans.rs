//! A span for each procedure that is answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pinion_n2::{Leg, SPANS, Settings};
use pinion_protocols::ngap::{Outcome, Procedure};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::messages::{First, about, down, ids, release_command, release_complete, tmsi};
use crate::stage::{Stage, settings};

/// What a span carries.
#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

/// Keeps spans, as they end.
#[derive(Clone, Default)]
struct Keep(Arc<Mutex<Vec<Fields>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Keep {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        assert_eq!(attributes.metadata().target(), SPANS);
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let fields = context.span(&id).unwrap().extensions().get::<Fields>().unwrap().clone();
        self.0.lock().unwrap().push(fields);
    }
}

/// The spans that end while something is done.
fn spans(act: impl FnOnce()) -> Vec<BTreeMap<&'static str, String>> {
    let keep = Keep::default();
    // With one subscriber alone, what a thread without one comes upon first is taken to interest nobody, for good.
    let _another = tracing::Dispatch::new(Registry::default());
    tracing::subscriber::with_default(Registry::default().with(keep.clone()), || {
        tracing::callsite::rebuild_interest_cache();
        act();
    });
    std::mem::take(&mut *keep.0.lock().unwrap()).into_iter().map(|it| it.0).collect()
}

fn with(fields: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

const COMMON: [(&str, &str); 2] = [("service", "n2"), ("gnb", "001-01-gnb-000001/24")];

#[test]
fn ng_setup_is_a_span_for_each_amf_and_one_for_the_gnb() {
    let settings = Settings { service: "n2".into(), ..settings(2) };
    let spans = spans(|| drop(Stage::set_up(settings, 1)));
    let setup = [("otel.name", "NG Setup"), ("procedure", "NG Setup"), ("outcome", "successful")];
    let to = |amf| [&COMMON[..], &setup, &[("answered_by", "amf"), ("amf", amf)]].concat();
    let all = [&COMMON[..], &setup, &[("answered_by", "pinion")]].concat();
    assert_eq!(spans, [with(&to("amfs/0")), with(&to("amfs/1")), with(&all)]);
}

#[test]
fn a_span_says_whose_procedure_it_was_and_how_it_ended() {
    let settings = Settings { service: "n2".into(), ..settings(2) };
    let mut stage = Stage::set_up(settings, 1);
    let spans = spans(|| {
        stage.say(Leg::Gnb(1), 3, &First::with(5, tmsi(1, 0)).bytes());
        // Another AMF of the set answers.
        let amf = stage.upstream(1);
        stage.say(amf, 1, &down(7, 5, b"first"));
        let setup = |outcome| about(outcome, Procedure::InitialContextSetup, ids(7, 5), &[]);
        stage.say(amf, 1, &setup(Outcome::Initiating));
        stage.say(Leg::Gnb(1), 3, &setup(Outcome::Unsuccessful));
        stage.say(amf, 1, &setup(Outcome::Initiating));
        stage.say(amf, 1, &release_command(7, Some(5)));
        stage.say(Leg::Gnb(1), 3, &release_complete(7, 5));
    });
    let ue = [("ran_ue_ngap_id", "5"), ("amf_ue_ngap_id", "7"), ("amf", "amfs/1")];
    let of = |name, by, outcome, ids: &[(&'static str, &'static str)]| {
        let own = [("otel.name", name), ("procedure", name), ("answered_by", by), ("outcome", outcome)];
        with(&[&COMMON[..], &own, ids].concat())
    };
    assert_eq!(
        spans,
        [
            of("Initial UE Message", "amf", "successful", &ue),
            of("Initial Context Setup", "gnb", "unsuccessful", &ue),
            of("UE Context Release", "gnb", "successful", &ue),
            // Nobody answered it before the UE was gone.
            of("Initial Context Setup", "gnb", "lost", &ue),
        ]
    );
}
