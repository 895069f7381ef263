//! How many clients of GTPv2-C there may be.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{misread, number};
use crate::config::mistake::Wrong;
use crate::config::read::Read;
use crate::config::yaml::{Node, Value};

scalar! {
    /// How many clients.
    Clients(u32): Number = "number of clients", "a number from 1 to 65535",
    |text| number(text).filter(|count| (1..=65_535).contains(count)),
    { "type": "integer", "minimum": 1, "maximum": 65_535 }
}
