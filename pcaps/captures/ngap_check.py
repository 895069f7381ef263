#!/usr/bin/env python3
"""Says of messages that others have changed whether they are as pycrate would have made them.

Each line of the standard input is a message in hexadecimal, the same one changed, and JSON of what was to change: `amf`, `ran`,
`source_amf`, `new_amf` (identifiers), `reset` (a list of [amf or null, ran or null], or "all"). With `nas` it is an Initial UE Message
with the identifier `ran` and a NAS PDU of so many octets 0x7e, with `rerouted` within a Reroute NAS Request, and made anew here:
pycrate 0.8.1 writes fragments within fragments, and cannot read them. With `reroute` it is the message within a Reroute NAS Request as it
goes to another AMF (TS 38.413 8.6.5). Nothing is written where all is well.
"""

import json
import sys

from pycrate_asn1dir import NGAP

import ngap

PDU = NGAP.NGAP_PDU_Descriptions.NGAP_PDU
SIMPLE = {10: "amf", 85: "ran", 100: "source_amf", 40: "new_amf"}


def main():
    for number, line in enumerate(sys.stdin, 1):
        before, after, wanted = line.rstrip("\n").split("\t")
        asked = json.loads(wanted)
        before = bytes.fromhex(before)
        expected = made(asked) if "nas" in asked else rerouted(before) if "reroute" in asked else changed(before, asked)
        if expected.hex() != after:
            print(f"line {number}: {wanted}\n  from {before.hex()}\n  pycrate {expected.hex()}\n  pinion  {after}")


def changed(encoded, wanted):
    PDU.from_aper(encoded)
    kind, message = PDU.get_val()
    for field in message["value"][1]["protocolIEs"]:
        name, value = field["value"]
        field["value"] = name, new_value(field["id"], value, wanted)
    PDU.set_val((kind, message))
    return PDU.to_aper()


def made(wanted):
    ran = (85, "reject", "RAN-UE-NGAP-ID", wanted["ran"])
    initial = ngap.initiating(15, "ignore", "InitialUEMessage", [ran, (38, "reject", "NAS-PDU", b"\x7e" * wanted["nas"])])
    if not wanted["rerouted"]:
        return initial
    return ngap.initiating(36, "reject", "RerouteNASRequest", [
        ran, (42, "reject", "OCTET STRING", initial), (3, "reject", "AMFSetID", (5, 10))])


def rerouted(encoded):
    PDU.from_aper(encoded)
    outer = {field["id"]: field["value"][1] for field in PDU.get_val()[1]["value"][1]["protocolIEs"]}
    PDU.from_aper(outer[42])
    kind, message = PDU.get_val()
    fields = {field["id"]: field for field in message["value"][1]["protocolIEs"]}
    schema = NGAP.NGAP_PDU_Contents.InitialUEMessage_IEs._val.root
    for element in schema:
        if element["id"] in (3, 0, 171, 414) and element["id"] in outer:
            fields[element["id"]] = {
                "id": element["id"], "criticality": element["criticality"],
                "value": (element["Value"]._typeref.called[1], outer[element["id"]])}
    message["value"][1]["protocolIEs"] = [fields[element["id"]] for element in schema if element["id"] in fields]
    PDU.set_val((kind, message))
    return PDU.to_aper()


def new_value(number, value, wanted):
    if number in SIMPLE:
        return wanted.get(SIMPLE[number], value)
    if number == 114 and value[0] == "aMF-UE-NGAP-ID":
        return value[0], wanted.get("amf", value[1])
    if number == 114:
        pair = dict(value[1])
        pair.pop("iE-Extensions", None)
        if "amf" in wanted:
            pair["aMF-UE-NGAP-ID"] = wanted["amf"]
        if "ran" in wanted:
            pair["rAN-UE-NGAP-ID"] = wanted["ran"]
        return value[0], pair
    if number == 42 and "ran" in wanted:
        return inner(value, {"ran": wanted["ran"]})
    if number == 88 and "reset" in wanted:
        if wanted["reset"] == "all":
            return "nG-Interface", "reset-all"
        return "partOfNG-Interface", connections(wanted["reset"])
    if number == 111 and "reset" in wanted:
        return connections(wanted["reset"])
    return value


def inner(encoded, wanted):
    kept = PDU.get_val()
    made = changed(encoded, wanted)
    PDU.set_val(kept)
    return made


def connections(pairs):
    names = ("aMF-UE-NGAP-ID", "rAN-UE-NGAP-ID")
    return [{name: number for name, number in zip(names, pair) if number is not None} for pair in pairs]


if __name__ == "__main__":
    main()
