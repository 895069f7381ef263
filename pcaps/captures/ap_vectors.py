#!/usr/bin/env python3
"""Makes ngap-vectors.tsv and s1ap-vectors.tsv: each message of NGAP (TS 38.413) and S1AP (TS 36.413) that pycrate's ASN.1 has, with values
made up here, encoded by pycrate.

    pip install -r requirements.txt
    ./ap_vectors.py NGAP > ngap-vectors.tsv
    ./ap_vectors.py S1AP > s1ap-vectors.tsv

A line is a name, the procedure's code, the outcome (0 to 2), the identifiers of the elements, the first identifiers of the core's and the
radio's side (or -), and the message in hexadecimal. Each message is there twice: with the elements that it must have and the
shortest values, and with all of them and others.
"""

import random
import sys

OUTCOMES = [("initiatingMessage", "InitiatingMessage"), ("successfulOutcome", "SuccessfulOutcome"),
            ("unsuccessfulOutcome", "UnsuccessfulOutcome")]
# What Reroute NAS Request has within: the messages made before.
INITIAL = {}


class NGAP:
    from pycrate_asn1dir.NGAP import NGAP_PDU_Descriptions as descriptions
    procedures = descriptions.NGAP_ELEMENTARY_PROCEDURES
    pdu = descriptions.NGAP_PDU
    message_element = 42
    core, radio, both = 10, 85, 114
    names = ("aMF-UE-NGAP-ID", "rAN-UE-NGAP-ID")


class S1AP:
    from pycrate_asn1dir.S1AP import S1AP_PDU_Descriptions as descriptions
    procedures = descriptions.S1AP_ELEMENTARY_PROCEDURES
    pdu = descriptions.S1AP_PDU
    message_element = 225
    core, radio, both = 0, 8, 99
    names = ("mME-UE-S1AP-ID", "eNB-UE-S1AP-ID")


AP = {"NGAP": NGAP, "S1AP": S1AP}[sys.argv[1] if len(sys.argv) > 1 else "NGAP"]
# Optional fields of values within values are made up down to here.
DEEPEST = 12


def main():
    procedures = AP.procedures._val.root + (AP.procedures._val.ext or [])
    for procedure in sorted(procedures, key=lambda it: it["procedureCode"]):
        code = procedure["procedureCode"]
        for number, (kind, part) in enumerate(OUTCOMES):
            if part not in procedure:
                continue
            message = procedure[part]
            name = message._typeref.called[1]
            if name == "PrivateMessage":
                continue
            for full in (False, True):
                vector(code, number, kind, procedure.get("criticality", "ignore"), name, message, full)


def vector(code, number, kind, criticality, name, message, full):
    chance = random.Random(f"{name} {full}")
    fields = make(message._cont["protocolIEs"], chance, full, 0)
    pdu = AP.pdu
    pdu.set_val((kind, {"procedureCode": code, "criticality": criticality,
                        "value": (name, {"protocolIEs": fields})}))
    encoded = pdu.to_aper()
    pdu.from_aper(encoded)
    assert pdu.to_aper() == encoded
    if name == "InitialUEMessage":
        INITIAL[full] = encoded
    core, radio = ids((field["id"], field["value"][1]) for field in fields)
    print("\t".join([
        f"{name}{' full' if full else ''}", str(code), str(number),
        ",".join(str(field["id"]) for field in fields) or "-",
        "-" if core is None else str(core), "-" if radio is None else str(radio), encoded.hex()]))


def field(element, value):
    return {"id": element["id"], "criticality": element["criticality"], "value": (type_name(element["Value"]), value)}


def type_name(of):
    return of._typeref.called[1] if of._typeref else of.TYPE


def ids(elements):
    core = radio = None
    for number, value in elements:
        if number == AP.core:
            core = value if core is None else core
        if number == AP.radio:
            radio = value if radio is None else radio
        if number == AP.both:
            pair = {AP.names[0]: value[1]} if value[0] == AP.names[0] else value[1]
            core = pair[AP.names[0]] if core is None else core
            radio = pair.get(AP.names[1]) if radio is None else radio
    return core, radio


def make(of, chance, full, depth):
    """A value of a type."""
    if of.TYPE == "SEQUENCE" and "criticality" in of._cont and "value" in of._cont:
        element = of._cont["id"]._const_tab._val.root[0]
        return field(element, make(element["Value"], chance, full, depth + 1))
    if of.TYPE == "SEQUENCE":
        return sequence(of, chance, full, depth)
    if of.TYPE == "SEQUENCE OF" and "criticality" in (getattr(of._cont, "_cont", None) or {}):
        return [field(element, INITIAL[full] if element["id"] == AP.message_element else make(element["Value"], chance, full, depth + 1))
                for element in of._cont._cont["id"]._const_tab._val.root
                if full or element["presence"] == "mandatory"]
    if of.TYPE == "SEQUENCE OF":
        size = of._const_sz
        count = max(size.lb, 1) if not full or depth > 3 else min(size.ub or 3, max(size.lb, chance.randint(1, 3)))
        return [make(of._cont, chance, full, depth + 1) for _ in range(count)]
    if of.TYPE == "CHOICE":
        names = [name for name in of._cont if not name.startswith("choice-")]
        name = chance.choice(names) if full else names[0]
        return name, make(of._cont[name], chance, full, depth + 1)
    if of.TYPE == "ENUMERATED":
        names = list(of._cont._rev.values()) if hasattr(of._cont, "_rev") else list(of._cont)
        return chance.choice(names) if full else names[0]
    if of.TYPE == "INTEGER":
        low, high = of._const_val.lb, of._const_val.ub
        low, high = (0 if low is None else low), (1 << 31 if high is None else high)
        return chance.choice([low, high, chance.randint(low, high), low + chance.randrange(min(high - low, 300) + 1)]) \
            if full else low
    if of.TYPE == "BIT STRING":
        low, high = bounds(of, 8)
        if (low, high) == (1, 160):  # a transport layer address: of IPv4, of IPv6, or both
            bits = chance.choice([32, 128, 160]) if full else 32
            return chance.getrandbits(bits), bits
        bits = chance.randint(low, max(low, min(high, 200))) if full else low
        return chance.getrandbits(bits) if bits else 0, bits
    if of.TYPE == "OCTET STRING":
        low, high = bounds(of, 1)
        if of._const_cont is not None:
            inner = make(of._const_cont, chance, full, depth + 1)
            of._const_cont.set_val(inner)
            return of._const_cont.to_aper()
        return chance.randbytes(chance.randint(low, max(low, min(high, 60))) if full else low)
    if of.TYPE.endswith("String"):
        low, high = bounds(of, 1)
        return "".join(chance.choice("abcdefghijk0123456789-.") for _ in range(chance.randint(low, max(low, min(high, 150)))))
    if of.TYPE == "BOOLEAN":
        return full
    if of.TYPE == "NULL":
        return 0
    raise ValueError(of.TYPE)


def bounds(of, high):
    size = of._const_sz
    if size is None:
        return 0, high
    return size.lb or 0, size.ub or max(size.lb or 0, high)


def sequence(of, chance, full, depth):
    value = {}
    for name, part in of._cont.items():
        if name.startswith("iE-Extension"):
            if full and depth < 4:
                extensions = container(part, chance, depth)
                if extensions:
                    value[name] = extensions
        elif not part._opt or full and depth < DEEPEST:
            value[name] = make(part, chance, full, depth + 1)
    return value


def container(part, chance, depth):
    """Some of the extensions that there are of a type."""
    table = part._cont._cont["id"]._const_tab
    known = table._val.root if table is not None and table._val is not None else []
    made = []
    for extension in known or []:
        if chance.random() < 0.5:
            of = extension["Extension"]
            made.append({"id": extension["id"], "criticality": extension["criticality"],
                         "extensionValue": (type_name(of), make(of, chance, False, depth + 2))})
    return made


if __name__ == "__main__":
    main()
