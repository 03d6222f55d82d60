"""The hospital: patients, visits, what they cost, who pays, and appointments.

In: the setting of a world. Out: `Rows` per table, month by month. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from demo import spelling, treatment
from demo.arrow import Texts, kernels
from demo.chance import Floats, Ints, between, stream, weighted
from demo.clock import DAY, NEVER, Month, at
from demo.frames import Rows, last_change, number, pick, repeated, seen
from demo.pools import read
from demo.setting import Setting
from demo.treatment import CHECK_UP, EMERGENCY, INPATIENT, OUTPATIENT, VISIT_KINDS, Visits

KEPT, MISSED, CANCELLED, DELETED = range(4)


def facts(world: Setting) -> Iterator[Rows]:
    """All rows of the hospital that exist at the world's moment, parents first."""
    yield _departments(world)
    yield _group_clients(world)
    yield _patients(world)
    payer_of_firm = _positions(world, "group_client")
    partners = _partners(world)
    for month in world.months:
        yield from _month(world, month, payer_of_firm, partners)


def _positions(world: Setting, kind: str) -> Ints:
    """Position of each party's first record of a kind; -1 without one."""
    records = world.records[kind]
    positions = np.full(world.people.size, -1)
    positions[records.party[::-1]] = np.arange(len(records))[::-1]
    return positions


def _partners(world: Setting) -> Ints:
    """Of each patient record the record of the spouse; -1 without one."""
    party = world.records["patient"].party
    partner = world.people.partner[party]
    return np.where(partner >= 0, _positions(world, "patient")[partner], -1)


def _departments(world: Setting) -> Rows:
    codes, titles, kinds = zip(
        *(line.split() for line in read("business")["departments"]), strict=True
    )
    entered = np.full(len(codes), (world.clock.history - 30) * DAY + 9 * 3600)
    return Rows(
        table="his.departments",
        columns={
            "department_no": repeated(codes),
            "department_name": repeated(titles),
            "department_kind": repeated(kinds),
        },
        entered=entered,
        updated=entered,
    )


def _group_clients(world: Setting) -> Rows:
    records, details = world.records["group_client"], world.details("group_client")
    rng, size = stream(world.seed, "his", "clients"), len(records)
    # the contact is one of the firm's own people, named after somebody of the population
    somebody = between(rng, 4, world.people.size - 1, size)
    return Rows(
        table="his.group_clients",
        columns={
            "group_client_no": records.ids,
            "client_name": details.name,
            "credit_code": details.identity,
            "contact_name": spelling.person_name(world.people, somebody, rng),
            "phone": details.phone,
            "address": details.address,
            "region": details.region,
        },
        entered=records.entered,
        updated=records.updated(world.now),
    )


def _patients(world: Setting) -> Rows:
    records, details, people = world.records["patient"], world.details("patient"), world.people
    rng, size = stream(world.seed, "his", "patients"), len(records)
    sex = np.where(rng.random(size) < 0.01, 2, people.male[records.party].astype(np.int64))
    employer = people.employer[records.party]
    client = np.where(employer >= 0, _positions(world, "group_client")[employer], -1)
    clients = world.records["group_client"]
    known = (client >= 0) & (clients.start[client] <= records.start) if len(clients) else client > 0
    client = np.where(known, client, -1)
    return Rows(
        table="his.patients",
        columns={
            "patient_no": records.ids,
            "patient_name": details.name,
            "sex": pick(repeated(["F", "M", "U"]), sex),
            "birth_date": spelling.birth_date(people, records.party, rng),
            "identity_no": details.identity,
            "phone": details.phone,
            "email": details.email,
            "address": details.address,
            "region": details.region,
            "group_client_no": clients.id_of(client),
            "registered_date": records.start,
        },
        entered=records.entered,
        updated=records.updated(world.now),
    )


def _month(world: Setting, month: Month, payer_of_firm: Ints, partners: Ints) -> Iterator[Rows]:
    records, people, rules = world.records["patient"], world.people, world.rules["his"]
    rng = stream(world.seed, "his", month.index)
    active = np.flatnonzero(records.start <= month.last)
    frailty = 0.35 + 0.013 * np.clip(
        (month.first - people.birth[records.party[active]]) / 365.25, 0, 90
    )
    appointed, booked = _appointments(world, month, rng, active, frailty)
    yield appointed
    booked_patient, booked_at, booked_department = booked

    walkers = active[rng.random(len(active)) < rules["walk_ins"] * frailty]
    size = len(walkers)
    day = between(rng, np.maximum(month.first, records.start[walkers]), month.last, size)
    kind = weighted(rng, list(rules["kinds"].values()), size)
    admitted = day * DAY + between(rng, 8 * 3600, 17 * 3600, size)
    night = kind == EMERGENCY
    admitted = np.where(night, day * DAY + between(rng, 0, DAY - 1, size), admitted)
    # nobody is treated before they are registered
    admitted = np.maximum(admitted, records.entered[walkers] + 300)
    department = np.where(night, 12, between(rng, 0, 11, size))

    # check-ups: staff of a firm go in the month their firm has agreed on
    employer = people.employer[records.party[active]]
    client = np.where(employer >= 0, payer_of_firm[employer], -1)
    clients = world.records["group_client"]
    agreed = (client >= 0) & (employer % 12 == month.month - 1)
    if len(clients):
        agreed &= clients.start[np.maximum(client, 0)] < month.first
    agreed &= (records.start[active] < month.first) & (rng.random(len(active)) < 0.85)
    examined, paying = active[agreed], client[agreed]
    check_day = between(rng, month.first, month.last, len(examined))
    check_at = check_day * DAY + between(rng, 8 * 3600, 10 * 3600, len(examined))

    patient = np.concatenate([walkers, booked_patient, examined])
    kind = np.concatenate(
        [kind, np.full(len(booked_patient), OUTPATIENT), np.full(len(examined), CHECK_UP)]
    )
    admitted = np.concatenate([admitted, booked_at, check_at])
    department = np.concatenate([department, booked_department, np.full(len(examined), 15)])
    payer = np.concatenate([np.full(len(walkers) + len(booked_patient), -1), paying])
    order = np.argsort(admitted, kind="stable")
    visits = _stay(
        rng, patient[order], kind[order], admitted[order], department[order], payer[order]
    )
    again = np.flatnonzero(
        (visits.kind == INPATIENT) & (rng.random(len(order)) < rules["readmitted"])
    )
    back = visits.discharged[again] + between(rng, 3, 28, len(again)) * DAY
    readmissions = _stay(
        rng,
        visits.patient[again],
        visits.kind[again],
        back,
        visits.department[again],
        visits.payer[again],
    )
    both = Visits(
        *(
            np.concatenate([getattr(visits, name), getattr(readmissions, name)])
            for name in vars(visits)
        )
    )
    yield from _visit_rows(world, month, rng, both, partners)


def _stay(
    rng: np.random.Generator,
    patient: Ints,
    kind: Ints,
    admitted: Ints,
    department: Ints,
    payer: Ints,
) -> Visits:
    size = len(patient)
    hours = between(rng, 1800, 4 * 3600, size)
    nights = np.maximum(1, np.rint(np.exp(rng.normal(1.7, 0.6, size)))).astype(np.int64)
    noon = (admitted // DAY + nights) * DAY + between(rng, 9 * 3600, 12 * 3600, size)
    return Visits(
        patient=patient,
        kind=kind,
        admitted=admitted,
        discharged=np.where(kind == INPATIENT, noon, admitted + hours),
        department=department,
        payer=payer,
    )


def _appointments(
    world: Setting, month: Month, rng: np.random.Generator, active: Ints, frailty: Floats
) -> tuple[Rows, tuple[Ints, Ints, Ints]]:
    """Appointments booked in a month, and the visits of those who come."""
    rules, records = world.rules["his"], world.records["patient"]
    chosen = active[rng.random(len(active)) < rules["appointments"] * frailty]
    size = len(chosen)
    day = between(rng, np.maximum(month.first, records.start[chosen] + 1), month.last, size)
    day = np.maximum(day, records.start[chosen] + 1)
    booked = day * DAY + between(rng, 7 * 3600, 21 * 3600, size)
    slot = (day + between(rng, 1, 14, size)) * DAY + between(rng, 32, 66, size) * 900
    outcome = weighted(rng, list(rules["outcomes"].values()), size)
    order = np.argsort(booked, kind="stable")
    chosen, booked, slot, outcome = (v[order] for v in (chosen, booked, slot, outcome))
    department = between(rng, 0, 11, size)
    withdrawn = booked + ((slot - booked) * (0.2 + 0.6 * rng.random(size))).astype(np.int64)
    known = np.select(
        [outcome == KEPT, outcome == MISSED, outcome == CANCELLED],
        [slot + 600, at(slot // DAY, DAY - 1), withdrawn],
        np.full(size, NEVER),
    )
    rows = Rows(
        table="his.appointments",
        columns={
            "appointment_no": number("AP", month.code * 10**7 + np.arange(size) + 1),
            "patient_no": records.id_of(chosen),
            "department_no": pick(_department_numbers(), department),
            "channel": pick(
                repeated(["sms", "centre_phone", "kiosk", "website"]),
                weighted(rng, [0.2, 0.25, 0.2, 0.35], size),
            ),
            "booked_at": booked,
            "slot_at": slot,
            "outcome": pick(
                repeated(["kept", "missed", "cancelled"]), np.where(known <= world.now, outcome, -1)
            ),
        },
        entered=booked,
        updated=last_change(world.now, booked, known),
        deleted=np.where(outcome == DELETED, withdrawn, NEVER),
        part=month.index,
    )
    kept = outcome == KEPT
    return rows, (chosen[kept], slot[kept] + 600, department[kept])


def _department_numbers() -> Texts:
    return repeated([line.split()[0] for line in read("business")["departments"]])


def _visit_rows(
    world: Setting, month: Month, rng: np.random.Generator, visits: Visits, partners: Ints
) -> Iterator[Rows]:
    records, now, size = world.records["patient"], world.now, len(visits.patient)
    visit_no = month.code * 10**7 + np.arange(size) + 1
    partner = partners[visits.patient]
    there = (partner >= 0) & (records.entered[np.maximum(partner, 0)] < visits.admitted)
    paid_by_partner = there & (rng.random(size) < 0.25)
    by_firm = visits.kind == CHECK_UP
    payer = np.where(paid_by_partner, partner, visits.patient)
    guarantor = np.where(there, partner, np.floor(rng.random(size) * visits.patient))
    vouched = (visits.kind == INPATIENT) & (rng.random(size) < 0.35) & (visits.patient > 0)
    condition = weighted(rng, [0.28, 0.60, 0.08, 0.04], size)
    condition = np.where((visits.kind == INPATIENT) | (visits.kind == EMERGENCY), condition, -1)
    left = visits.discharged
    yield Rows(
        table="his.visits",
        columns={
            "visit_no": number("V", visit_no),
            "patient_no": records.id_of(visits.patient),
            "payer_kind": pick(repeated(["patient", "group_client"]), by_firm),
            "payer_no": kernels.if_else(
                pa.array(by_firm),
                world.records["group_client"].id_of(visits.payer),
                records.id_of(payer),
            ),
            "guarantor_no": records.id_of(np.where(vouched, guarantor, -1).astype(np.int64)),
            "department_no": pick(_department_numbers(), visits.department),
            "doctor": number("DR", visits.department * 10 + between(rng, 101, 108, size)),
            "visit_kind": pick(repeated(VISIT_KINDS), visits.kind),
            "admitted_at": visits.admitted,
            "discharged_at": seen(left, now),
            "discharge_condition": pick(
                repeated(["cured", "improved", "unchanged", "transferred"]),
                np.where(left <= now, condition, -1),
            ),
        },
        entered=visits.admitted,
        updated=last_change(now, visits.admitted, left),
        part=month.index,
    )
    yield from treatment.care(world, rng, visits, visit_no)
    yield from treatment.money(world, month, rng, visits, visit_no, payer)
