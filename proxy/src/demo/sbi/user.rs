//! What an AMF does for one user: it subscribes to changes at a UDM and has an SM context at an SMF, asks and changes, and ends
//! both.

use std::time::Duration;

use hyper::header::{HeaderValue, LOCATION};
use hyper::http::request::Builder;
use hyper::{HeaderMap, Uri};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;

use super::amf::Amf;
use super::book::{Asked, Book};
use super::cast::Kind;
use super::{BINDING, BY, NUMBER, TARGET};

/// Between an answer and the next request.
const PACE: Duration = Duration::from_millis(50);

/// What AMFs do for their users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// They make what they need.
    Begin,
    /// They ask and change.
    Busy,
    /// They end it.
    End,
}

/// A user.
#[derive(Debug)]
pub(super) struct User {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Whose it is.
    pub(super) amf: Amf,
    /// What is written down.
    pub(super) book: Book,
    /// The resources of it in the book: the subscription, the SM context.
    pub(super) pages: [usize; 2],
}

/// A resource as its AMF knows it.
#[derive(Debug)]
struct Resource {
    page: usize,
    kind: Kind,
    /// Whom to ask for it, as the URI says that its producer gave it, or an answer since.
    root: HeaderValue,
    path: String,
    /// What its producer said of others that have it, for an AMF that knows what that is.
    binding: Option<HeaderValue>,
}

impl User {
    /// All that is done for it.
    pub(super) async fn live(self, mut mood: watch::Receiver<Mood>) {
        let [subscription, context] = self.pages;
        let collection = format!("/nudm-sdm/v2/{}/sdm-subscriptions", self.supi());
        let Some(mut subscription) = self.make(subscription, Kind::Udm, &collection).await else { return };
        let Some(mut context) = self.make(context, Kind::Smf, "/nsmf-pdusession/v1/sm-contexts").await else {
            return;
        };
        if mood.wait_for(|mood| *mood != Mood::Begin).await.is_err() {
            return;
        }
        // No two do the same at the same time.
        sleep(Duration::from_millis(self.number.saturating_mul(5))).await;
        let later = json!([{"op": "replace", "path": "/expires", "value": "2030-01-01T00:00:00Z"}]);
        let idle = json!({"upCnxState": "DEACTIVATED"});
        while *mood.borrow() == Mood::Busy {
            self.query().await;
            sleep(PACE).await;
            self.on(&mut subscription, "PATCH", "", Some(&later)).await;
            sleep(PACE).await;
            self.on(&mut context, "POST", "/modify", Some(&idle)).await;
            sleep(PACE).await;
        }
        self.on(&mut subscription, "DELETE", "", None).await;
        self.on(&mut context, "POST", "/release", Some(&json!({"cause": "REL_DUE_TO_HO"}))).await;
    }

    fn supi(&self) -> String {
        format!("imsi-00101{:010}", self.number)
    }

    /// Has a resource made by whom the SCP finds (model D).
    async fn make(&self, page: usize, kind: Kind, collection: &str) -> Option<Resource> {
        let asked = self.book.ask(Some(page), true);
        let content = json!({"supi": self.supi(), "nfInstanceId": self.amf.function.instance()});
        let request = found(self.amf.request("POST", collection), kind);
        let headers = self.say(asked, request, Some(&content)).await?;
        let location: Option<Uri> = headers.get(LOCATION).and_then(|it| it.to_str().ok()?.parse().ok());
        let root = location.as_ref().and_then(|it| Some(format!("{}://{}", it.scheme_str()?, it.authority()?)));
        let Some((root, location)) = root.and_then(|it| HeaderValue::try_from(it).ok()).zip(location) else {
            self.book.fault(format!("what was made in {collection} has no absolute URI"));
            return None;
        };
        let binding = headers.get(BINDING).filter(|_| self.amf.binds()).cloned();
        Some(Resource { page, kind, root, path: location.path().to_owned(), binding })
    }

    /// Asks for what every UDM has.
    async fn query(&self) {
        let asked = self.book.ask(None, false);
        let request = self.amf.request("GET", &format!("/nudm-sdm/v2/{}/am-data", self.supi()));
        self.say(asked, found(request, Kind::Udm), None).await;
    }

    /// Changes a resource.
    async fn on(&self, resource: &mut Resource, method: &str, what: &str, content: Option<&Value>) {
        let asked = self.book.ask(Some(resource.page), true);
        let mut request =
            self.amf.request(method, &format!("{}{what}", resource.path)).header(TARGET, &resource.root);
        if let Some(binding) = &resource.binding {
            request = found(request.header("3gpp-sbi-routing-binding", binding), resource.kind);
        }
        let headers = self.say(asked, request, content).await;
        if let Some(root) = headers.as_ref().and_then(|headers| headers.get(TARGET)).filter(|_| self.amf.binds()) {
            resource.root.clone_from(root);
        }
    }

    /// Asks, and writes down what comes of it; the headers of a good answer.
    async fn say(&self, asked: Asked, request: Builder, content: Option<&Value>) -> Option<HeaderMap> {
        let answer = self.amf.ask(request.header(NUMBER, asked.number), content).await;
        let (why, headers) = match answer {
            Err(why) => (why, None),
            Ok(answer) if answer.status().is_success() => {
                ("nobody says who answered".into(), Some(answer.into_parts().0.headers))
            }
            Ok(answer) => (format!("{} {}", answer.status(), String::from_utf8_lossy(answer.body())), None),
        };
        let by = headers.as_ref().and_then(|it| it.get(BY)?.to_str().ok()?.parse().ok());
        match by {
            Some(by) => self.book.answered(&asked, by),
            None => self.book.lost(&asked, &why),
        }
        headers
    }
}

/// The request, with whom the SCP is to find for it (TS 29.500 5.2.3.2.7).
fn found(request: Builder, kind: Kind) -> Builder {
    let (service, _) = kind.service();
    request
        .header("3gpp-sbi-discovery-target-nf-type", kind.nf_type())
        .header("3gpp-sbi-discovery-service-names", service)
        .header("3gpp-sbi-discovery-requester-nf-type", Kind::Amf.nf_type())
}
