//! Producers that are drained: nothing that looks for somebody goes there while there is anybody else.

use serde_json::json;

use crate::nrf::{Nrf, ONE, TWO, udm};
use crate::support::{Client, Producer, get, scp};

const PATH: &str = "/nudm-sdm/v2/imsi-001010000000001/nssai";

#[tokio::test]
async fn d6_what_looks_for_somebody_finds_others_and_what_names_one_does_not() {
    let [one, two] = [Producer::start().await, Producer::start().await];
    let mut first = udm(ONE, &one);
    // It would be chosen always.
    first["priority"] = json!(0);
    let mut second = udm(TWO, &two);
    second["priority"] = json!(1);
    let nrf = Nrf::with(vec![first, second]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let find = || get(PATH).header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap();
    let seen = || (one.seen().len(), two.seen().len());
    client.ask(find()).await;
    assert_eq!(seen(), (1, 0));

    let drained = &running.scp.parts().drained;
    assert!(drained.insert(ONE.to_owned()) && !drained.insert(ONE.to_owned()));
    client.ask(find()).await;
    assert_eq!(seen(), (1, 1));
    client.ask(get(PATH).header("3gpp-Sbi-Target-apiRoot", one.root()).body("").unwrap()).await;
    assert_eq!(seen(), (2, 1));
    // By its API root the other as well: then somebody has to.
    drained.insert(two.root());
    assert_eq!(client.ask(find()).await.status, 200);
    assert_eq!(seen(), (3, 1));

    assert!(drained.remove(ONE) && !drained.remove(ONE));
    client.ask(find()).await;
    assert_eq!(seen(), (4, 1));
}
