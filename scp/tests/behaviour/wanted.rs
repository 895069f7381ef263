//! D5: of which types of NF changes are told (TS 29.510 5.2.2.5).

use serde_json::{Value, json};

use crate::nrf::{Nrf, ONE};
use crate::registration::{registering, tend};
use crate::support::{Client, get, post, scp, until};

/// Looks for an NF of a type.
async fn search(client: &Client, nf_type: &str) {
    let request = get("/scp/x/v1/y").header("3gpp-Sbi-Discovery-target-nf-type", nf_type);
    client.ask(request.body("").unwrap()).await;
}

/// The types that the NRF was asked to tell of.
fn types(nrf: &Nrf) -> Vec<String> {
    let asked = nrf.asked("POST", "/nnrf-nfm/v1/subscriptions").into_iter();
    asked
        .map(|it| serde_json::from_slice::<Value>(&it.body).unwrap())
        .map(|it| it["subscrCond"]["nfType"].as_str().unwrap().to_owned())
        .collect()
}

/// However many types clients make up, those that there are have a place, and those of later releases or of a vendor have one
/// for as long as they are asked for; what has none is told of no more.
#[tokio::test]
async fn d5_types_that_are_made_up_keep_no_others_out() {
    let nrf = Nrf::start().await;
    let running = scp(registering(&nrf)).await;
    let (drain, tended) = tend(&running);
    let client = Client::connect(running.address).await;
    for number in 0..300 {
        search(&client, &format!("MADE_UP_{number}")).await;
        if number == 0 {
            until(|| types(&nrf).iter().any(|it| it == "MADE_UP_0")).await;
        }
    }
    for nf_type in ["UDM", "AMF", "VENDORS_OWN"] {
        search(&client, nf_type).await;
        until(|| types(&nrf).iter().any(|it| it == nf_type)).await;
    }
    // The first that was made up was given up.
    until(|| !nrf.asked("DELETE", "/subscriptions/").is_empty()).await;
    let types = running.scp.parts().directory.wanted().types();
    assert!(types.len() < 100 && types.contains("UDM") && !types.contains("MADE_UP_0"), "{types:?}");
    drain.send_replace(true);
    tended.await.unwrap();
}

/// Whatever it is called, the place where the NRF tells of it is a URI.
#[tokio::test]
async fn d5_a_type_of_any_name_has_a_place() {
    let nrf = Nrf::start().await;
    let running = scp(registering(&nrf)).await;
    let (drain, tended) = tend(&running);
    let client = Client::connect(running.address).await;
    let told = json!({"event": "NF_DEREGISTERED", "nfInstanceUri": format!("http://nrf/nf-instances/{ONE}")});
    for nf_type in ["A/B", "a b%?", "\"<>\"", "5G_EIR"] {
        search(&client, nf_type).await;
        until(|| types(&nrf).last().is_some_and(|it| it == nf_type)).await;
        let place = nrf.place();
        let answer = client.ask(post(&place).body(told.to_string().as_str()).unwrap()).await;
        assert_eq!(answer.status, 204, "{nf_type} {place}");
    }
    drain.send_replace(true);
    tended.await.unwrap();
}
